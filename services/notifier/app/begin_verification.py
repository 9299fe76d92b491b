"""Writes codes to send down and puts their messages on the way, within the caller's transaction."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.notifier.domain.ledger import shortened
from services.notifier.domain.live_tests import Wanted, role_for
from services.notifier.domain.roster import ContactPoint, Person, Roster
from services.notifier.domain.verification import (
    MOST_AN_HOUR,
    TEMPLATES,
    VALID_FOR,
    Verification,
    about_check,
    fingerprint_of,
    number_of,
)
from services.notifier.store.verifications import add_checks, asked_since
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, Purpose
from shared.db.tx import Tx
from shared.runtime.ids import Ids

_AN_HOUR: Final = timedelta(hours=1)


class AskedTooOftenError(ValueError):
    """So many codes went to this contact point within an hour that no more do."""


async def begin_verification(
    tx: Tx,
    roster: Roster,
    wanted: Sequence[tuple[Person, ContactPoint]],
    *,
    by: str,
    ids: Ids,
    check: UUID | None = None,
) -> list[Verification]:
    """One check for each; `check` is the id of the only one, where its caller has one. Raises AskedTooOftenError."""
    asked = await asked_since(tx, roster.organisation, tx.now - _AN_HOUR)
    begun: list[Verification] = []
    for person, contact in wanted:
        if asked.get((person.id, contact.id), 0) >= MOST_AN_HOUR:
            raise AskedTooOftenError(f"{person.id} {contact.id}")
        case = check or ids.new()
        begun.append(
            Verification(
                id=case,
                org=roster.organisation,
                number=number_of(case, tx.now),
                person=person.id,
                contact=contact.id,
                channel=contact.channel,
                address=shortened(contact.to),
                fingerprint=fingerprint_of(person.id, contact.channel, contact.to),
                made_by=by,
                asked_at=tx.now,
                expires_at=tx.now + VALID_FOR,
            )
        )
    await add_checks(tx, begun)
    for one in begun:
        tx.outbox.add(_request(tx, roster, one, ids))
    return begun


def _request(tx: Tx, roster: Roster, check: Verification, ids: Ids) -> Event[NotificationRequestedV1]:
    """By the way of every message, to this one contact point only. The code is put in where it is sent."""
    return Event(
        id=ids.new(),
        source="/fenghuo/notifier",
        time=tx.now,
        org=check.org,
        case_id=check.id,
        data=NotificationRequestedV1(
            request_id=ids.new(),
            purpose=Purpose.INFORM,
            roles=(role_for(roster, Wanted(person=check.person), (check.person,), tx.now),),
            people=(check.person,),
            contact=check.contact,
            channels=(check.channel,),
            acknowledge=True,
            step=0,
            subject=about_check(check.number, tx.now),
            templates=TEMPLATES,
            requested_at=tx.now,
        ),
    )
