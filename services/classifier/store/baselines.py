"""What is usual for a group: the average of its earlier whole periods."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.classifier.domain.baselines import Earlier, Usual, earlier_periods
from services.classifier.domain.windows import Count
from services.classifier.store.windows import read_counts
from shared.db.tx import Tx
from shared.plans.compiled import CompiledPlan


async def read_baselines(tx: Tx, wanted: Sequence[tuple[CompiledPlan, Mapping[str, Count]]]) -> list[dict[str, Usual]]:
    """For each plan with the counts that are read: its baselines by name. One that is not known is left out.

    Periods before the plan first decided anything here are not known; later ones without a case count 0.
    """
    found: list[dict[str, Usual]] = [{} for _ in wanted]
    if not any(plan.baselines for plan, _ in wanted):
        return found
    since = await _counting_since(tx, {plan.name for plan, _ in wanted if plan.baselines})
    sums: dict[tuple[int, str], tuple[Earlier, Count]] = {}
    for place, (plan, reads) in enumerate(wanted):
        began = since.get(plan.name)
        for name, baseline in plan.baselines.items():
            current = reads.get(baseline.of)
            if current is None or began is None:
                continue
            earlier = earlier_periods(plan.windows[baseline.of], baseline, current.start, began)
            if earlier is not None:
                span = Count(current.series_id, earlier.start, current.start, current.distinct)
                sums[place, name] = earlier, span
    counts = await read_counts(tx, (span for _, span in sums.values()))
    for (place, name), (earlier, span) in sums.items():
        found[place][name] = Usual(span, counts[span], earlier.periods)
    return found


async def _counting_since(tx: Tx, plans: set[str]) -> dict[str, datetime]:
    rows = await tx.fetch(
        "SELECT name, min(stored_at) AS since FROM plans WHERE name = ANY(CAST(:names AS text[])) GROUP BY name",
        names=sorted(plans),
    )
    return {row["name"]: row["since"] for row in rows}
