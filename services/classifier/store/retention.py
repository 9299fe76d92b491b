"""What the classifier forgets of erased cases: all but that they were counted."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.classifier.domain.windows import Group
from services.classifier.store.cases import lock_cases
from shared.db.tx import Tx

_IDS: Final = "case_id = ANY(CAST(:ids AS uuid[]))"


async def erase_cases(tx: Tx, case_ids: Sequence[UUID]) -> int:
    """Delete the working state of these cases and the values they were counted by.

    Counters stay as they are, and so do the ids of cases that were counted as themselves, until they are too old to be
    read: no count that somebody was warned by changes afterwards.
    """
    stored = await lock_cases(tx, case_ids)
    counted = [
        (Group(case.org, run.plan, case.state.drill, one.group_key).series(one.window_id), one, case_id)
        for case_id, case in stored.items()
        for run in case.runs.values()
        for one in run.counted
        if one.member != str(case_id)
    ]
    members = await tx.execute(
        "DELETE FROM window_members AS m USING unnest(CAST(:series AS uuid[]), CAST(:starts AS timestamptz[]), "
        "CAST(:members AS text[]), CAST(:cases AS uuid[])) AS g (series_id, bucket_start, member, case_id) "
        "WHERE m.series_id = g.series_id AND m.bucket_start = g.bucket_start AND m.member = g.member "
        "AND m.case_id = g.case_id",
        series=[series for series, _, _ in counted],
        starts=[one.bucket_start for _, one, _ in counted],
        members=[one.member for _, one, _ in counted],
        cases=[case_id for _, _, case_id in counted],
    )
    ids = list(case_ids)
    waiting = await tx.execute(f"DELETE FROM reconsiderations WHERE {_IDS}", ids=ids)  # noqa: S608  # a constant
    return members + waiting + await tx.execute(f"DELETE FROM cases WHERE {_IDS}", ids=ids)  # noqa: S608  # a constant
