"""Codes that came back, by link, SMS, call, command line or console; and codes that somebody has sent from afar."""

from collections.abc import Sequence
from typing import Final

from services.notifier.app.begin_verification import AskedTooOftenError, begin_verification
from services.notifier.app.rules import Book
from services.notifier.domain.verification import Confirmation, VerificationState, answered
from services.notifier.store.verifications import lock_open, save_checks
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.notifications import CONTACT_CHECK_PLAN
from shared.contracts.values import ActorKind
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_LONGEST_CODE: Final = 20
_WAYS: Final = {ActorKind.LINK: "link", ActorKind.SMS: "sms"}


async def take_confirmations(
    events: Sequence[Event[CommandIssuedV1]], *, book: Book, database: Database, ids: Ids, secret: bytes
) -> None:
    """Each event counts once. What is verified is in force here when this returns, elsewhere within seconds."""
    ours = [one for one in events if one.data.plan == CONTACT_CHECK_PLAN]
    if not ours:
        return
    is_new = False
    async with database.transaction() as tx:
        unseen = set(await tx.first_seen([one.id for one in ours]))
        for event in ours:
            if event.id not in unseen:
                continue
            unseen.discard(event.id)
            if event.data.command is CommandKind.ACKNOWLEDGE:
                is_new |= await _confirmed(tx, event, secret)
            elif event.data.command is CommandKind.START:
                await _begun(tx, event, book, ids)
    if is_new:
        await book.refresh()


async def _confirmed(tx: Tx, event: Event[CommandIssuedV1], secret: bytes) -> bool:
    given = event.data.arguments.get("code")
    by_link = event.data.actor.kind is ActorKind.LINK
    if not by_link and not (isinstance(given, str) and 0 < len(given) <= _LONGEST_CODE):
        return False
    confirmation = Confirmation(
        check=event.case_id,
        code=None if by_link else str(given).strip(),
        by=_WAYS.get(event.data.actor.kind, "code"),
        at=event.data.issued_at,
    )
    changed = answered(await lock_open(tx, event.org, event.case_id), confirmation, secret)
    await save_checks(tx, changed)
    for one in changed:
        _log.info(
            "contact.check", org=one.org, person=one.person, contact=one.contact, state=one.state.value, tries=one.tries
        )
    return any(one.state is VerificationState.VERIFIED for one in changed)


async def _begun(tx: Tx, event: Event[CommandIssuedV1], book: Book, ids: Ids) -> None:
    """Somebody at the console wants a code sent: `person` and `contact` in the arguments."""
    roster = book.of(event.org)
    person = roster.people.get(str(event.data.arguments.get("person"))) if roster is not None else None
    contacts = person.contacts if person is not None else ()
    point = next((one for one in contacts if one.id == event.data.arguments.get("contact")), None)
    if roster is None or person is None or point is None:
        _log.warning("contact.check_of_nothing_known", org=event.org)
        return
    try:
        await begin_verification(tx, roster, [(person, point)], by=event.data.actor.ref, ids=ids, check=event.case_id)
    except AskedTooOftenError as error:
        _log.warning("contact.check_asked_too_often", org=event.org, contact=str(error))
