"""Asks people to prove that their addresses reach them: a code goes to each."""

from collections.abc import Iterator

from services.notifier.app.begin_verification import begin_verification
from services.notifier.app.rules import Rules
from services.notifier.domain.roster import ContactPoint, Person, Roster
from services.notifier.domain.verification import Verification
from shared.db.engine import Database
from shared.runtime.ids import Ids


class NothingToVerifyError(LookupError):
    """No such person or contact point, or everything of theirs that has a provider is verified."""


async def verify_contacts(
    org: str, person: str | None, contact: str | None, by: str, *, rules: Rules, database: Database, ids: Ids
) -> list[Verification]:
    """On their way when this returns. Without `contact` all of the person's that are not verified, or everybody's.

    Raises NothingToVerifyError with what was wanted, and AskedTooOftenError.
    """
    roster = rules.rosters.of(org)
    if roster is None:
        raise NothingToVerifyError(org)
    wanted = list(_wanted(roster, person, contact, rules))
    if not wanted:
        raise NothingToVerifyError(" ".join(one for one in (person, contact) if one is not None) or org)
    async with database.transaction() as tx:
        return await begin_verification(tx, roster, wanted, by=by, ids=ids)


def _wanted(
    roster: Roster, person: str | None, contact: str | None, rules: Rules
) -> Iterator[tuple[Person, ContactPoint]]:
    for one in roster.people.values():
        if person in {None, one.id}:
            for point in one.contacts:
                is_meant = contact == point.id or (contact is None and not point.verified)
                if is_meant and rules.providers.get(point.channel):
                    yield one, point
