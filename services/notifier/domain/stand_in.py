"""Who is asked when somebody on duty cannot be reached. Pure."""

from collections.abc import Collection
from datetime import datetime

from services.notifier.domain.roster import Person, Roster


def stand_in_of(roster: Roster, person: str, instant: datetime, *, passed_over: Collection[str]) -> Person | None:
    """The nearest deputy who is there and not `passed_over`; deputies of those who are not, after them.

    None for somebody unknown, or when nobody is left.
    """
    asked = {person}
    waiting = [person]
    while waiting:
        known = roster.people.get(waiting.pop(0))
        for deputy in known.deputies if known is not None else ():
            if deputy in asked or deputy not in roster.people:
                continue
            asked.add(deputy)
            if deputy not in passed_over and roster.people[deputy].absence_at(instant) is None:
                return roster.people[deputy]
            waiting.append(deputy)
    return None
