"""Finds the cases behind each count that the held criteria of a warning read."""

from collections.abc import Sequence

from services.classifier.domain.baselines import cases_behind
from services.classifier.domain.warnings import Verdict, counts_at
from services.classifier.domain.windows import Count, Group, cases_in
from services.classifier.store.baselines import read_baselines
from services.classifier.store.windows import members_of, read_counts
from shared.contracts.classifications import MAX_COUNTED, MAX_COUNTED_SHOWN, CountedCases
from shared.db.tx import Tx
from shared.plans.windows import WindowRead


async def count_cases(tx: Tx, warned: Sequence[tuple[Group, Verdict]]) -> list[tuple[CountedCases, ...]]:
    """For each warning its windows, in the plan's order, then the earlier periods of its baselines."""
    reads = []
    for group, verdict in warned:
        plan, held = verdict.plan, verdict.held_names
        wanted = held | {plan.baselines[name].of for name in held if name in plan.baselines}
        names = tuple(name for name in plan.windows if name in wanted)
        reads.append(counts_at(plan, names, group, verdict.at))
    usual = await read_baselines(
        tx, [(verdict.plan, counts) for (_, verdict), counts in zip(warned, reads, strict=True)]
    )
    values = await read_counts(tx, (count for counts in reads for count in counts.values()))
    by_value: dict[Count, bool] = {}
    for (_, verdict), counts, baselines in zip(warned, reads, usual, strict=True):
        windows, of = verdict.plan.windows, verdict.plan.baselines
        by_value |= {count: windows[name].spec.distinct is not None for name, count in counts.items()}
        by_value |= {one.count: windows[of[name].of].spec.distinct is not None for name, one in baselines.items()}
    members = await members_of(tx, by_value, MAX_COUNTED_SHOWN)
    found = []
    for (group, verdict), counts, baselines in zip(warned, reads, usual, strict=True):
        read = {name: WindowRead(name, group.key, count.start, count.end) for name, count in counts.items()}
        said = [cases_in(read[name], values[count], members[count]) for name, count in counts.items()]
        said += [
            cases_behind(name, one, read[verdict.plan.baselines[name].of], members[one.count])
            for name, one in baselines.items()
            if name in verdict.held_names
        ]
        found.append(tuple(said[:MAX_COUNTED]))
    return found
