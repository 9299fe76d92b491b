"""Windows counted in memory, member by member, so that the same member counts once."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from shared.plans.compiled import CompiledPlan, Contribution
from shared.plans.windows import CaseView, GroupKey

_Bucket = tuple[str, GroupKey]


class Counts:
    """What every case adds to every window; a case that changes takes back what it added before."""

    def __init__(self, plan: CompiledPlan) -> None:
        self._plan = plan
        self._members: dict[_Bucket, dict[datetime, dict[str, set[str]]]] = defaultdict(lambda: defaultdict(dict))
        self._added: dict[str, tuple[Contribution, ...]] = {}

    def take(self, case: CaseView) -> set[GroupKey]:
        """Count the case as it is now; the groups in which something moved."""
        name = str(case.case_id)
        before = self._added.get(name, ())
        after = self._plan.contributions(case)
        for gone in set(before) - set(after):
            members = self._members[gone.window_id, gone.group_key][gone.bucket_start]
            members[gone.member].discard(name)
            if not members[gone.member]:
                del members[gone.member]
        for new in set(after) - set(before):
            members = self._members[new.window_id, new.group_key][new.bucket_start]
            members.setdefault(new.member, set()).add(name)
        self._added[name] = after
        return {moved.group_key for moved in set(before) ^ set(after)}

    def read_by(self, case: CaseView) -> dict[str, int]:
        """The windows that the case's own criteria may read."""
        reads = self._plan.reads(case)
        return {
            read.window_id: self._count(read.window_id, read.group_key, read.span_start, read.span_end)
            for read in reads
        }

    def of_group(self, group: GroupKey, names: Iterable[str], case: CaseView) -> dict[str, int]:
        """The windows of a group at the instant that puts the case into them."""
        values = {}
        for name in names:
            window = self._plan.windows[name]
            values[name] = self._count(name, group, *window.span(window.instant_of(case)))
        return values

    def _count(self, window: str, group: GroupKey, start: datetime, end: datetime) -> int:
        buckets = self._members.get((window, group), {})
        first = buckets.get(start)
        if self._plan.windows[window].sliding is None:
            return len(first) if first is not None else 0
        return len({member for at, members in buckets.items() if start <= at < end for member in members})
