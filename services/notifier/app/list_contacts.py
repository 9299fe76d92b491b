"""Every contact point of a roster: whether it is verified, how and since when, and what was sent to it last."""

from dataclasses import dataclass
from datetime import datetime

from services.notifier.app.rules import Rosters
from services.notifier.domain.ledger import shortened
from services.notifier.domain.verification import Verification, VerificationState, fingerprint_of
from services.notifier.store.verifications import latest_checks
from shared.contracts.values import Bilingual, ChannelKind
from shared.db.engine import Database


@dataclass(frozen=True, slots=True)
class ContactState:
    """`how`: roster where it vouches, else by what its person answered. `address` is shortened."""

    person: str
    label: Bilingual
    contact: str
    channel: ChannelKind
    address: str
    verified: bool
    how: str | None
    since: datetime | None
    last: Verification | None


async def list_contacts(
    org: str, *, rosters: Rosters, database: Database, unverified: bool = False
) -> tuple[tuple[ContactState, ...], datetime] | None:
    """In the roster's order, with the present instant; None without a roster."""
    roster = rosters.of(org)
    if roster is None:
        return None
    async with database.transaction() as tx:
        checks = await latest_checks(tx, org)
        now = tx.now
    found = []
    for person in roster.people.values():
        for one in person.contacts:
            if unverified and one.verified:
                continue
            last = checks.get(fingerprint_of(person.id, one.channel, one.to))
            is_proven = last is not None and last.state is VerificationState.VERIFIED
            found.append(
                ContactState(
                    person=person.id,
                    label=person.label,
                    contact=one.id,
                    channel=one.channel,
                    address=shortened(one.to),
                    verified=one.verified,
                    how=last.answered_by if last is not None and is_proven else "roster" if one.vouched else None,
                    since=last.ended_at if last is not None and is_proven else None,
                    last=last,
                )
            )
    return tuple(found), now
