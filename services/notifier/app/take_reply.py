"""A telephone number answered: whose it is, what they were paged for, and quiet if they ask for it."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from services.notifier.app.make_silence import make_silence
from services.notifier.app.rules import Rosters, SilenceKeeper
from services.notifier.domain.roster import Roster
from services.notifier.domain.silence_file import WrittenSilence
from services.notifier.store import noise as noise_rows
from services.notifier.store.verifications import open_checks
from shared.contracts.notifications import CONTACT_CHECK_PLAN
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.runtime.ids import Ids

_QUIET: Final = timedelta(hours=24)
_TELEPHONES: Final = frozenset({ChannelKind.SMS, ChannelKind.VOICE})
_MAINLAND: Final = re.compile(r"^(?:0{0,2}86)?(1[3-9][0-9]{9})$")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: about everything, or about the one case that is named by its number and, where known, its id."""

    kind: Literal["acknowledge-all", "stop", "verify", "one-case"]
    number: str | None = None
    case_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A case that this person was told of."""

    case_id: UUID
    plan: str
    number: str
    person: str


@dataclass(frozen=True, slots=True)
class TakenReply:
    """`person` is the first of those who have the number; each page names whose it is."""

    person: str
    pages: tuple[Page, ...]


async def take_reply(
    org: str,
    sender: str,
    wish: Wish,
    *,
    rosters: Rosters,
    silences: SilenceKeeper,
    database: Database,
    ids: Ids,
) -> TakenReply | None:
    """None when nobody of the roster has the number. Pages of the last 24 hours that nobody answered, newest first.

    For `one-case` what its owners were told of that case, at any time. For `verify` the checks of contact points that
    wait for their code. `stop` lets everything below the highest level wait for 24 hours; it can be ended like any
    silence. A number that several share, such as that of a duty room, speaks for all of them.
    """
    roster = rosters.of(org)
    people = _owners(roster, sender) if roster is not None else ()
    if not people:
        return None
    async with database.transaction() as tx:
        now = tx.now
        if wish.kind == "verify":
            checks = [one for person in people for one in await open_checks(tx, org, person)]
            pages = [Page(one.id, CONTACT_CHECK_PLAN, one.number, one.person) for one in checks]
            return TakenReply(people[0], tuple(pages))
        if wish.kind == "one-case":
            rows = await noise_rows.told_of(tx, org, people, number=wish.number, case_id=wish.case_id)
        else:
            rows = await noise_rows.open_pages(tx, org, people, now - _QUIET)
    if wish.kind == "stop":
        written = WrittenSilence(
            kind="silence", begins=now.isoformat(), ends=(now + _QUIET).isoformat(), people=people,
            reason="本人短信回复“停” / asked by SMS",
        )  # fmt: skip
        await make_silence(org, written, people[0], book=silences, database=database, ids=ids)
    return TakenReply(people[0], tuple(Page(row["case_id"], row["plan"], row["number"], row["person"]) for row in rows))


def _owners(roster: Roster, number: str) -> tuple[str, ...]:
    wanted = _plain(number)
    return tuple(
        person.id
        for person in roster.people.values()
        if wanted and any(one.channel in _TELEPHONES and _plain(one.to) == wanted for one in person.contacts)
    )


def _plain(number: str) -> str:
    """Digits as both sides compare them, mainland mobiles without the country's code."""
    digits = re.sub(r"[^0-9]", "", number)
    mobile = _MAINLAND.match(digits)
    return mobile[1] if mobile else digits.removeprefix("00").lstrip("0")
