"""What the register forgets of erased cases."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from shared.db.tx import Tx

_IDS: Final = "case_id = ANY(CAST(:ids AS uuid[]))"
_ON_ITS_WAY: Final = timedelta(minutes=1)
_FORGOTTEN: Final = "erased:"
"""Begins the reference of an erased case: whoever posts the old reference again opens a new case."""


async def erase_personal_data(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Delete what was posted and who complained, and the keys of people of whom nothing else is held.

    The cases keep number and times, their events the ids by which a repeated post is known.
    """
    persons = await _persons_of(tx, case_ids)
    events = await tx.execute(
        f"UPDATE events SET original = '', identity = NULL, person_id = NULL WHERE {_IDS} AND original <> ''",  # noqa: S608  # a constant
        ids=list(case_ids),
    )
    cases = await tx.execute(
        "UPDATE cases SET reference = CAST(:forgotten AS text) || CAST(case_id AS text), topic = NULL, "  # noqa: S608  # a constant
        f"category = NULL, channel = NULL WHERE {_IDS} AND NOT starts_with(reference, :forgotten)",
        ids=list(case_ids),
        forgotten=_FORGOTTEN,
    )
    return events + cases + await _forget_persons(tx, persons)


async def erase_whole_cases(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Delete every row of these cases; numbers are never given twice all the same."""
    persons = await _persons_of(tx, case_ids)
    rows = 0
    for table in ("events", "commands", "used_links", "cases"):
        rows += await tx.execute(f"DELETE FROM {table} WHERE {_IDS}", ids=list(case_ids))  # noqa: S608  # constants
    return rows + await _forget_persons(tx, persons)


async def _persons_of(tx: Tx, case_ids: Sequence[UUID]) -> list[UUID]:
    rows = await tx.fetch(
        f"SELECT DISTINCT person_id FROM events WHERE {_IDS} AND person_id IS NOT NULL",  # noqa: S608  # a constant
        ids=list(case_ids),
    )
    return [row["person_id"] for row in rows]


async def _forget_persons(tx: Tx, persons: Sequence[UUID]) -> int:
    """Retire those whom no event names any more, and delete those retired before, with their keys.

    A report that read the key just now may still be on its way to its commit: nobody finds a retired person, and a
    minute later it is known whether any event names them after all. Then their key stays, so that it can be read.
    """
    retired = await tx.execute(
        "UPDATE persons AS p SET erased_at = :now WHERE p.person_id = ANY(CAST(:ids AS uuid[])) "
        "AND p.erased_at IS NULL AND NOT EXISTS (SELECT FROM events AS e WHERE e.person_id = p.person_id)",
        ids=list(persons),
        now=tx.now,
    )
    rows = await tx.fetch(
        "DELETE FROM person_keys AS k USING persons AS p WHERE p.person_id = k.person_id AND p.erased_at < :before "
        "AND NOT EXISTS (SELECT FROM events AS e WHERE e.person_id = p.person_id) RETURNING p.person_id",
        before=tx.now - _ON_ITS_WAY,
    )
    gone = [row["person_id"] for row in rows]
    return retired + await tx.execute("DELETE FROM persons WHERE person_id = ANY(CAST(:ids AS uuid[]))", ids=gone)
