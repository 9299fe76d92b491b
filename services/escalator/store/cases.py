"""Cases as rows: locked in one order, written many at a time."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.escalator.domain.case import Case
from services.escalator.domain.light import Card, Mark, overlay
from shared.db.tx import Row, Tx
from shared.runtime.tracing import trace_id

CaseKey = tuple[UUID, str]
_CODEC: Final = TypeAdapter(Case)

_COLUMNS: Final = (
    "CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), CAST(:orgs AS text[]), CAST(:numbers AS text[]), "
    "CAST(:hashes AS text[]), CAST(:states AS text[]), CAST(:levels AS text[]), CAST(:revisions AS int[]), "
    "CAST(:opens AS boolean[]), CAST(:counting AS int[]), CAST(:opened AS timestamptz[]), "
    "CAST(:changed AS timestamptz[]), CAST(:traces AS text[]), CAST(:bodies AS text[]), CAST(:heads AS text[]), "
    "CAST(:cards AS text[]), CAST(:armed AS int[])"
)
_NAMES: Final = (
    "case_id, plan, org, number, plan_sha256, state, level, revision, is_open, clocks_running, opened_at, changed_at, "
    "traceparent, body, card_head, card, timers_armed"
)


ConcurrentOpeningError = asyncpg.UniqueViolationError
"""A row that was to be new is there: another process opened one of these cases meanwhile. Try the batch again."""


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case with the trace of what touched it last.

    `marks` are the light firings that `case` has and the stored state has not; `card` is what the next ones need,
    None when nothing can be fired lightly. `timers` is how many it has armed, for writing.
    """

    case: Case
    traceparent: str | None
    card: Card | None = None
    marks: tuple[Mark, ...] = ()
    timers: int = 0

    @property
    def key(self) -> CaseKey:
        return self.case.case_id, self.case.plan.name


def read_case(row: Row) -> StoredCase:
    """The case of a row with `body`, `fired` and `traceparent`."""
    marks = marks_from(row["fired"])
    case = _CODEC.validate_json(row["body"])
    return StoredCase(overlay(case, marks) if marks else case, row["traceparent"], marks=marks)


def marks_from(fired: str | None) -> tuple[Mark, ...]:
    """Light firings as the column `fired` holds them: a line each, of clock, threshold and instant."""
    lines = (line.split(" ", 2) for line in fired.splitlines()) if fired else ()
    return tuple(Mark(clock, threshold, datetime.fromisoformat(at)) for clock, threshold, at in lines)


async def read_bodies(tx: Tx, keys: Sequence[CaseKey]) -> dict[CaseKey, StoredCase]:
    """The whole cases of these keys, which this transaction has locked."""
    if not keys:
        return {}
    rows = await tx.fetch(
        "SELECT CAST(c.body AS text) AS body, c.fired, c.traceparent FROM cases c "
        "JOIN unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[])) AS k (case_id, plan) "
        "ON c.case_id = k.case_id AND c.plan = k.plan",
        case_ids=[key[0] for key in keys],
        plans=[key[1] for key in keys],
    )
    return {stored.key: stored for stored in map(read_case, rows)}


async def lock_cases(tx: Tx, case_ids: Iterable[UUID]) -> list[StoredCase]:
    """Every plan's case of these ids, locked until the transaction ends, always in the order of their keys."""
    rows = await tx.lock(
        "SELECT CAST(body AS text) AS body, fired, traceparent FROM cases WHERE case_id = ANY(CAST(:ids AS uuid[])) "
        "ORDER BY case_id, plan FOR UPDATE",
        ids=sorted(set(case_ids)),
    )
    return [read_case(row) for row in rows]


async def find_cases(tx: Tx, *, case_id: UUID | None, number: str | None, org: str | None) -> list[StoredCase]:
    """The cases of this id or number, one for each plan, as they are now; nothing is locked."""
    rows = await tx.fetch(
        "SELECT CAST(body AS text) AS body, fired, traceparent FROM cases WHERE (case_id = CAST(:case_id AS uuid) "
        "OR number = CAST(:number AS text)) AND (CAST(:org AS text) IS NULL OR org = :org) ORDER BY case_id, plan",
        case_id=case_id,
        number=number,
        org=org,
    )
    return [read_case(row) for row in rows]


async def find_numbers(tx: Tx, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """Ids of the cases that organisations call by these numbers. An id stands for itself, whoever's case it is."""
    found: dict[tuple[str, str], UUID] = {}
    numbers: list[tuple[str, str]] = []
    for org, word in wanted:
        try:
            found[org, word] = UUID(word)
        except ValueError:
            numbers.append((org, word))
    if numbers:
        rows = await tx.fetch(
            "SELECT DISTINCT k.org, k.number, c.case_id FROM unnest(CAST(:orgs AS text[]), CAST(:numbers AS text[])) "
            "AS k (org, number) JOIN cases c ON c.org = k.org AND c.number = k.number",
            orgs=[org for org, _ in numbers],
            numbers=[number for _, number in numbers],
        )
        found.update({(row["org"], row["number"]): row["case_id"] for row in rows})
    return found


def insert_cases(tx: Tx, stored: Sequence[StoredCase]) -> None:
    """Add new cases, by the commit at the latest: it fails with ConcurrentOpeningError when one is there by now."""
    if not stored:
        return
    ordered = sorted(stored, key=lambda one: one.key)
    tx.later(
        f"INSERT INTO cases ({_NAMES}) SELECT case_id, plan, org, number, plan_sha256, state, level, revision, "  # noqa: S608  # constant names
        "is_open, clocks_running, opened_at, changed_at, traceparent, CAST(body AS json), card_head, card, "
        "timers_armed "
        f"FROM unnest({_COLUMNS}) AS t ({_NAMES})",
        **_parameters(ordered),
    )


def update_cases(tx: Tx, stored: Sequence[StoredCase]) -> None:
    """Write back cases that this transaction has locked."""
    if not stored:
        return
    tx.later(
        "UPDATE cases AS c SET plan_sha256 = t.plan_sha256, state = t.state, level = t.level, "  # noqa: S608  # constant names
        "revision = t.revision, is_open = t.is_open, "
        "clocks_running = t.clocks_running, changed_at = t.changed_at, traceparent = t.traceparent, "
        "body = CAST(t.body AS json), card_head = t.card_head, card = t.card, fired = NULL, clocks_ended = 0, "
        "timers_armed = t.timers_armed "
        f"FROM unnest({_COLUMNS}) AS t ({_NAMES}) "
        "WHERE c.case_id = t.case_id AND c.plan = t.plan",
        **_parameters(stored),
    )


async def open_counts(tx: Tx) -> list[tuple[str, str, int]]:
    """Plan, level (empty for none) and number of cases still to be handled."""
    rows = await tx.fetch(
        "SELECT plan, coalesce(level, '') AS level, count(*) AS cases FROM cases WHERE is_open GROUP BY 1, 2"
    )
    return [(row["plan"], row["level"], row["cases"]) for row in rows]


def _parameters(stored: Sequence[StoredCase]) -> dict[str, list[object]]:
    found = [one.case for one in stored]
    return {
        "case_ids": [case.case_id for case in found],
        "plans": [case.plan.name for case in found],
        "orgs": [case.org for case in found],
        "numbers": [case.number for case in found],
        "hashes": [case.plan.sha256 for case in found],
        "states": [case.state.value for case in found],
        "levels": [case.level for case in found],
        "revisions": [case.revision for case in found],
        "opens": [case.open for case in found],
        "counting": [sum(1 for clock in case.clocks if clock.running and not clock.breached) for case in found],
        "opened": [case.opened_at for case in found],
        "changed": [case.changed_at for case in found],
        "traces": [one.traceparent if trace_id(one.traceparent) else None for one in stored],
        # What is as it is by itself is left out: a body fits into one block outside its row, not into two.
        "bodies": [_CODEC.dump_json(case, exclude_defaults=True).decode() for case in found],
        "heads": [one.card.head.dump() if one.card is not None else None for one in stored],
        "armed": [one.timers for one in stored],
        "cards": [f"{one.card.published}\n{one.card.subject}" if one.card is not None else None for one in stored],
    }
