"""Open cases that are not under the text of their plan that is in force; read only, nothing is locked."""

from collections.abc import Collection
from uuid import UUID

from services.escalator.store.cases import StoredCase, read_case
from shared.contracts.values import PlanRef
from shared.db.tx import Tx


async def open_cases_elsewhere(tx: Tx, plan: PlanRef, org: str | None, numbers: Collection[str]) -> list[StoredCase]:
    """Cases under another text of this plan, oldest first: the open ones, or those of these numbers in any state."""
    rows = await tx.fetch(
        "SELECT CAST(body AS text) AS body, fired, traceparent FROM cases "
        "WHERE plan = :plan AND plan_sha256 <> :sha256 AND (CAST(:org AS text) IS NULL OR org = :org) "
        "AND ((cardinality(CAST(:numbers AS text[])) = 0 AND is_open) OR number = ANY(CAST(:numbers AS text[]))) "
        "ORDER BY opened_at, case_id",
        plan=plan.name,
        sha256=plan.sha256,
        org=org,
        numbers=list(numbers),
    )
    return [read_case(row) for row in rows]


async def texts_of(tx: Tx, plan: str, case_ids: Collection[UUID]) -> dict[UUID, tuple[str, UUID | None]]:
    """The hash each case is under now, and the last move it refused."""
    rows = await tx.fetch(
        "SELECT case_id, plan_sha256, CAST(body ->> 'move_refused' AS uuid) AS refused FROM cases "
        "WHERE plan = :plan AND case_id = ANY(CAST(:ids AS uuid[]))",
        plan=plan,
        ids=list(case_ids),
    )
    return {row["case_id"]: (row["plan_sha256"], row["refused"]) for row in rows}
