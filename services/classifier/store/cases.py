"""Case rows: merged state and runs as JSON text, locked in the order of their ids."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from services.classifier.domain.cases import CaseState, state_from_data
from services.classifier.domain.runs import Run, run_from_data
from shared.contracts.immutable import immutable
from shared.contracts.json_text import json_bytes
from shared.db.tx import Row, Tx

OpenedElsewhereError = asyncpg.UniqueViolationError
"""A row that was to be new is there: another transaction opened one of the batch's cases meanwhile. Read it again."""


@immutable
class StoredCase:
    """A case as it was saved last."""

    case_id: UUID
    org: str
    state: CaseState
    runs: Mapping[str, Run]
    unrouted_since: datetime | None


@immutable
class CaseRow:
    """A case to save. `new`: it has no row yet."""

    case_id: UUID
    org: str
    state: CaseState
    runs: Mapping[str, Run]
    unrouted_since: datetime | None
    new: bool


async def lock_cases(tx: Tx, case_ids: Sequence[UUID]) -> dict[UUID, StoredCase]:
    """The cases that exist, locked until the transaction ends."""
    rows = await tx.lock(
        "SELECT c.case_id, c.org, c.state, c.runs, c.unrouted_since FROM cases AS c "
        "WHERE c.case_id = ANY(CAST(:ids AS uuid[])) ORDER BY c.case_id FOR UPDATE",
        ids=sorted(dict.fromkeys(case_ids), key=attrgetter("int")),
    )
    return {row["case_id"]: _stored(row) for row in rows}


async def claim_due_cases(tx: Tx, limit: int) -> dict[UUID, StoredCase]:
    """Cases with a reconsideration due by the transaction's time. What another replica holds is left to it."""
    rows = await tx.fetch(
        "SELECT c.case_id, c.org, c.state, c.runs, c.unrouted_since FROM reconsiderations AS r "
        "JOIN cases AS c USING (case_id) "
        "WHERE r.due_at <= :now ORDER BY r.due_at LIMIT :limit FOR UPDATE OF c, r SKIP LOCKED",
        now=tx.now,
        limit=limit,
    )
    return {row["case_id"]: _stored(row) for row in rows}


async def claim_unrouted_cases(tx: Tx, after: UUID, limit: int) -> dict[UUID, StoredCase]:
    """The next cases without a plan, by id."""
    rows = await tx.fetch(
        "SELECT c.case_id, c.org, c.state, c.runs, c.unrouted_since FROM cases AS c "
        "WHERE c.unrouted_since IS NOT NULL AND c.case_id > :after ORDER BY c.case_id LIMIT :limit "
        "FOR UPDATE SKIP LOCKED",
        after=after,
        limit=limit,
    )
    return {row["case_id"]: _stored(row) for row in rows}


def save_cases(tx: Tx, rows: Sequence[CaseRow]) -> None:
    """Insert the new and update the known, by the commit at the latest.

    The transaction fails with OpenedElsewhereError when a new one is known by then.
    """
    new = [row for row in rows if row.new]
    known = [row for row in rows if not row.new]
    if new:
        tx.later(
            "INSERT INTO cases (case_id, org, number, state, runs, unrouted_since, updated_at) "
            "SELECT g.*, CAST(:now AS timestamptz) "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:orgs AS text[]), CAST(:numbers AS text[]), "
            "CAST(:states AS text[]), CAST(:runs AS text[]), CAST(:unrouted AS timestamptz[])) "
            "AS g (case_id, org, number, state, runs, unrouted_since)",
            now=tx.now,
            **_arrays(new),
        )
    if known:
        tx.later(
            "UPDATE cases AS c SET state = g.state, runs = g.runs, number = g.number, "
            "unrouted_since = g.unrouted_since, updated_at = :now "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:orgs AS text[]), CAST(:numbers AS text[]), "
            "CAST(:states AS text[]), CAST(:runs AS text[]), CAST(:unrouted AS timestamptz[])) "
            "AS g (case_id, org, number, state, runs, unrouted_since) WHERE c.case_id = g.case_id",
            now=tx.now,
            **_arrays(known),
        )


async def forget_events(tx: Tx, event_ids: Sequence[UUID]) -> None:
    """Take events out of the inbox again: dead ones, so that they can be replayed once what stopped them is gone."""
    if event_ids:
        await tx.execute("DELETE FROM inbox WHERE event_id = ANY(CAST(:ids AS uuid[]))", ids=list(event_ids))


def _arrays(rows: Sequence[CaseRow]) -> dict[str, list[Any]]:
    ordered = sorted(rows, key=attrgetter("case_id.int"))
    return {
        "ids": [row.case_id for row in ordered],
        "orgs": [row.org for row in ordered],
        "numbers": [row.state.number for row in ordered],
        "states": [_text(row.state.as_data()) for row in ordered],
        "runs": [_text([run.as_data() for run in row.runs.values()]) for row in ordered],
        "unrouted": [row.unrouted_since for row in ordered],
    }


def _text(data: object) -> str:
    return json_bytes(data).decode()


def _stored(row: Row) -> StoredCase:
    runs = [run_from_data(data) for data in from_json(row["runs"])]
    return StoredCase(
        case_id=row["case_id"],
        org=row["org"],
        state=state_from_data(from_json(row["state"])),
        runs={run.plan: run for run in runs},
        unrouted_since=row["unrouted_since"],
    )
