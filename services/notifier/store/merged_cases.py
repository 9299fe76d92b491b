"""Which case goes on for one that was merged, as the escalator said last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.db.tx import Row, Tx

_LONGEST_CHAIN: Final = 32


@dataclass(frozen=True, slots=True)
class MergedCase:
    """A case under its plan. Without `goes_on` it stands by itself again."""

    org: str
    case_id: UUID
    plan: str
    goes_on: UUID | None
    revision: int

    @property
    def key(self) -> tuple[str, UUID, str]:
        return self.org, self.case_id, self.plan


async def note(tx: Tx, cases: Sequence[MergedCase]) -> None:
    """The higher revision stands. Each case at most once."""
    await tx.execute(
        "INSERT INTO merged_cases AS m (org, case_id, plan, goes_on, revision) SELECT * FROM unnest("
        "CAST(:orgs AS text[]), CAST(:ids AS uuid[]), CAST(:plans AS text[]), CAST(:goes_on AS uuid[]), "
        "CAST(:revisions AS integer[])) ON CONFLICT (org, case_id, plan) DO UPDATE SET goes_on = EXCLUDED.goes_on, "
        "revision = EXCLUDED.revision WHERE m.revision < EXCLUDED.revision",
        orgs=[one.org for one in cases],
        ids=[one.case_id for one in cases],
        plans=[one.plan for one in cases],
        goes_on=[one.goes_on for one in cases],
        revisions=[one.revision for one in cases],
    )


async def survivor_of(tx: Tx, org: str, case_id: UUID, plan: str | None) -> Row | None:
    """`case_id` and `number` at the end of the chain; None for a case that was not merged."""
    return await tx.fetch_one(
        "WITH RECURSIVE chain AS (SELECT m.plan, m.goes_on, 1 AS depth FROM merged_cases AS m WHERE m.org = :org "
        "AND m.case_id = :case AND (CAST(:plan AS text) IS NULL OR m.plan = :plan) AND m.goes_on IS NOT NULL "
        "UNION ALL SELECT m.plan, m.goes_on, c.depth + 1 FROM chain AS c JOIN merged_cases AS m ON m.org = :org "
        "AND m.case_id = c.goes_on AND m.plan = c.plan AND m.goes_on IS NOT NULL WHERE c.depth < :longest) "
        "SELECT c.goes_on AS case_id, (SELECT r.body -> 'subject' ->> 'number' FROM requests AS r WHERE r.org = :org "
        "AND r.case_id = c.goes_on LIMIT 1) AS number FROM chain AS c ORDER BY c.depth DESC LIMIT 1",
        org=org,
        case=case_id,
        plan=plan,
        longest=_LONGEST_CHAIN,
    )
