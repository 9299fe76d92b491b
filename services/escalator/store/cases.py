"""Cases as rows: locked in one order, written many at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from services.escalator.domain.case import Case
from shared.db.tx import Row, Tx

CaseKey = tuple[UUID, str]
_CODEC: Final = TypeAdapter(Case)

_COLUMNS: Final = (
    "CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), CAST(:orgs AS text[]), CAST(:numbers AS text[]), "
    "CAST(:hashes AS text[]), CAST(:states AS text[]), CAST(:levels AS text[]), CAST(:revisions AS int[]), "
    "CAST(:opens AS boolean[]), CAST(:counting AS int[]), CAST(:opened AS timestamptz[]), "
    "CAST(:changed AS timestamptz[]), CAST(:traces AS text[]), CAST(:bodies AS text[])"
)
_NAMES: Final = (
    "case_id, plan, org, number, plan_sha256, state, level, revision, is_open, clocks_running, opened_at, changed_at, "
    "traceparent, body"
)


class ConcurrentOpeningError(Exception):
    """Another process opened one of these cases at the same moment; the batch is to be tried again."""


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case with the trace of what touched it last."""

    case: Case
    traceparent: str | None

    @property
    def key(self) -> CaseKey:
        return self.case.case_id, self.case.plan.name


def read_case(row: Row) -> StoredCase:
    return StoredCase(_CODEC.validate_json(row["body"]), row["traceparent"])


async def lock_cases(tx: Tx, case_ids: Iterable[UUID]) -> list[StoredCase]:
    """Every plan's case of these ids, locked until the transaction ends, always in the order of their keys."""
    rows = await tx.fetch(
        "SELECT CAST(body AS text) AS body, traceparent FROM cases WHERE case_id = ANY(CAST(:ids AS uuid[])) "
        "ORDER BY case_id, plan FOR UPDATE",
        ids=sorted(set(case_ids)),
    )
    return [read_case(row) for row in rows]


async def insert_cases(tx: Tx, stored: Sequence[StoredCase]) -> None:
    """Add new cases. Raises ConcurrentOpeningError when one is there by now."""
    if not stored:
        return
    ordered = sorted(stored, key=lambda one: one.key)
    written = await tx.execute(
        f"INSERT INTO cases ({_NAMES}) SELECT case_id, plan, org, number, plan_sha256, state, level, revision, "  # noqa: S608  # constant names
        "is_open, clocks_running, opened_at, changed_at, traceparent, CAST(body AS jsonb) "
        f"FROM unnest({_COLUMNS}) AS t ({_NAMES}) ON CONFLICT DO NOTHING",
        **_parameters(ordered),
    )
    if written != len(ordered):
        raise ConcurrentOpeningError


async def update_cases(tx: Tx, stored: Sequence[StoredCase]) -> None:
    """Write back cases that this transaction has locked."""
    if not stored:
        return
    await tx.execute(
        "UPDATE cases AS c SET state = t.state, level = t.level, revision = t.revision, is_open = t.is_open, "  # noqa: S608  # constant names
        "clocks_running = t.clocks_running, changed_at = t.changed_at, traceparent = t.traceparent, "
        f"body = CAST(t.body AS jsonb) FROM unnest({_COLUMNS}) AS t ({_NAMES}) "
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
        "traces": [one.traceparent for one in stored],
        "bodies": [_CODEC.dump_json(case).decode() for case in found],
    }
