"""A telephone number answered for everything: whose it is, what they were paged for, and quiet if they ask for it."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from services.notifier.app.make_silence import make_silence
from services.notifier.app.rules import Rosters, SilenceKeeper
from services.notifier.domain.silence_file import WrittenSilence
from services.notifier.store import noise as noise_rows
from services.notifier.store.verifications import open_checks
from shared.contracts.notifications import CONTACT_CHECK_PLAN
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.ids import Ids

_QUIET: Final = timedelta(hours=24)
_MAINLAND: Final = re.compile(r"^(?:0{0,2}86)?(1[3-9][0-9]{9})$")


@dataclass(frozen=True, slots=True)
class Page:
    """A page that this person got and nobody answered."""

    case_id: UUID
    plan: str
    number: str


@dataclass(frozen=True, slots=True)
class TakenReply:
    person: str
    pages: tuple[Page, ...]


async def take_reply(
    org: str,
    sender: str,
    wish: Literal["acknowledge-all", "stop", "verify"],
    *,
    rosters: Rosters,
    silences: SilenceKeeper,
    database: Database,
    ids: Ids,
) -> TakenReply | None:
    """None when nobody of the roster has the number. Pages of the last 24 hours, the newest first.

    For `verify` the checks of contact points that wait for their code. `stop` lets everything below the highest level
    wait for 24 hours; it can be ended like any silence.
    """
    roster = rosters.of(org)
    person = next(
        (
            one
            for one in (roster.people.values() if roster is not None else ())
            for contact in one.contacts
            if contact.channel in {ChannelKind.SMS, ChannelKind.VOICE} and _plain(contact.to) == _plain(sender)
        ),
        None,
    )
    if person is None:
        return None
    async with database.transaction() as tx:
        now = tx.now
        if wish == "verify":
            checks = await open_checks(tx, org, person.id)
            return TakenReply(person.id, tuple(Page(one.id, CONTACT_CHECK_PLAN, one.number) for one in checks))
        rows = await noise_rows.open_pages(tx, org, person.id, now - _QUIET)
    if wish == "stop":
        written = WrittenSilence(
            kind="silence", begins=now.isoformat(), ends=(now + _QUIET).isoformat(), people=(person.id,),
            reason="本人短信回复“停” / asked by SMS",
        )  # fmt: skip
        await make_silence(org, written, person.id, book=silences, database=database, ids=ids)
    return TakenReply(person.id, tuple(Page(row["case_id"], row["plan"], row["number"]) for row in rows))


def _plain(number: str) -> str:
    """Digits as both sides compare them, mainland mobiles without the country's code."""
    digits = re.sub(r"[^0-9]", "", number)
    mobile = _MAINLAND.match(digits)
    return mobile[1] if mobile else digits.removeprefix("00").lstrip("0")
