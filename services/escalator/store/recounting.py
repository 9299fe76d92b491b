"""Finding the cases whose clocks were counted by an edition of a calendar that is in force no more."""

from collections.abc import Iterable
from uuid import UUID

from services.escalator.store.cases import CaseKey
from shared.db.tx import Tx


async def counted_otherwise(tx: Tx, identities: Iterable[str], after: CaseKey | None, most: int) -> list[CaseKey]:
    """The next cases after a key with a clock counted by none of these calendars. Nothing is locked."""
    rows = await tx.fetch(
        """
        SELECT c.case_id, c.plan FROM cases c
        WHERE c.clocks_running > 0 AND (c.case_id, c.plan) > (:after_id, :after_plan)
          AND EXISTS (SELECT 1 FROM json_array_elements(c.body -> 'clocks') AS k
                      WHERE k ->> 'calendar' IS NOT NULL AND k ->> 'calendar' <> ALL (CAST(:known AS text[])))
        ORDER BY c.case_id, c.plan LIMIT :most
        """,
        known=sorted(identities),
        after_id=after[0] if after else UUID(int=0),
        after_plan=after[1] if after else "",
        most=most,
    )
    return [(row["case_id"], row["plan"]) for row in rows]
