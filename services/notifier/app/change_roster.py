"""Somebody overrides duty, swaps turns or goes on leave: in force at once, kept with who and when."""

import asyncio
from zoneinfo import ZoneInfo

from services.notifier.app.rules import Book
from services.notifier.domain.roster_changes import (
    AnyChange,
    MadeChange,
    called,
    end_of,
    problems_with,
)
from services.notifier.store import roster_records
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger

_log = get_logger(__name__)


class RosterMissingError(LookupError):
    """The organisation has no roster yet."""


class ChangeRefusedError(ValueError):
    """`problems` by field; of several changes the field begins with its number, the problem with whose it is."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


async def change_roster(
    org: str, changes: list[AnyChange], by: str, *, book: Book, database: Database, ids: Ids
) -> list[MadeChange]:
    """Store all changes or none; they are in force here when this returns and elsewhere within seconds.

    Raises RosterMissingError, and ChangeRefusedError with every problem.
    """
    await book.refresh()
    base = book.base(org)
    if base is None:
        raise RosterMissingError(org)
    problems: dict[str, str] = {}
    # Whoever is to be told meanwhile must not wait for a large roster.
    for number, found in (await asyncio.to_thread(problems_with, base, changes)).items():
        prefix, whose = (f"{number}.", called(changes[number].model_dump())) if len(changes) > 1 else ("", "")
        problems |= {prefix + field: whose + what for field, what in found.items()}
    if problems:
        raise ChangeRefusedError(problems)
    zone = ZoneInfo(base.timezone)
    async with database.transaction() as tx:
        made = [MadeChange(ids.new(), org, change, by, tx.now, end_of(change, zone)) for change in changes]
        await roster_records.add_changes(tx, made)
    await book.refresh()
    for one in made:
        _log.info("roster.changed", org=org, change=str(one.id), kind=one.change.kind, by=by)
    return made
