"""What people call the cases that a classification links."""

from collections.abc import Collection
from uuid import UUID

from shared.db.tx import Tx


async def numbers_of(tx: Tx, org: str, case_ids: Collection[UUID]) -> dict[UUID, str]:
    """Numbers of the organisation's cases; those it does not have are left out."""
    if not case_ids:
        return {}
    rows = await tx.fetch(
        "SELECT DISTINCT ON (case_id) case_id, number FROM reports "
        "WHERE org = :org AND case_id = ANY(CAST(:ids AS uuid[])) ORDER BY case_id, sequence",
        org=org,
        ids=sorted(case_ids),
    )
    return {row["case_id"]: row["number"] for row in rows}
