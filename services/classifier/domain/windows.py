"""What a case counts in, under which key it is kept, and which counts have to be looked at again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from shared.contracts.classifications import CountedCases
from shared.contracts.immutable import immutable
from shared.plans.compiled import CompiledPlan, Contribution, Scope, WindowRead
from shared.plans.windows import COMPLAINANT, GroupKey

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class Counted(NamedTuple):
    """One member of one bucket, as it is remembered with the case that put it there."""

    window_id: str
    group_key: GroupKey
    bucket_start: datetime
    member: str


def counted_from_data(data: list[Any]) -> Counted:
    window_id, group_key, start, member = data
    return Counted(window_id, tuple((name, value) for name, value in group_key), datetime.fromisoformat(start), member)


def counted_of(contribution: Contribution) -> Counted:
    return Counted(contribution.window_id, contribution.group_key, contribution.bucket_start, contribution.member)


@dataclass(frozen=True, slots=True)
class Group:
    """One plan's counts for one combination of `by` values. Drills are counted apart: they never raise a real one.

    Counts belong to the plan's name, so that a new version goes on where the old one stood.
    """

    org: str
    plan: str
    drill: bool
    key: GroupKey
    _hash: int = field(init=False, repr=False, compare=False)
    _series: dict[str, UUID] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Looked up a dozen times an event, so it is worked out once.
        object.__setattr__(self, "_hash", hash((self.org, self.plan, self.drill, self.key)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def id(self) -> UUID:
        return _group_id(self)

    def series(self, window_id: str) -> UUID:
        """Identifies the buckets of one window in this group."""
        found = self._series.get(window_id)
        if found is None:
            found = self._series[window_id] = _series_id(self, window_id)
        return found


class Count(NamedTuple):
    """A number to read: members of buckets that begin in [start, end).

    `distinct`: the same member counts once over all of them, not once a bucket.
    """

    series_id: UUID
    start: datetime
    end: datetime
    distinct: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules of one version of a plan read, worked out once."""

    case_windows: frozenset[str]
    raising: dict[tuple[str, ...], tuple[str, ...]]
    raises: frozenset[str]


def reading_of(plan: CompiledPlan) -> Reading:
    """Which windows its case criteria read, and by group shape the windows its warning criteria read."""
    results = plan.evaluate({}, {}, _ANY_TIME, Scope.CASE).criteria
    raising: dict[tuple[str, ...], tuple[str, ...]] = {}
    for shape in {window.by for window in plan.windows.values() if window.raises_warning}:
        ids = tuple(name for name, window in plan.windows.items() if window.by == shape and window.raises_warning)
        judged = plan.evaluate({}, {ids[0]: 0}, _ANY_TIME, Scope.TOPIC).criteria
        read = _counted_for(plan, (name for result in judged for name in result.values))
        wanted = tuple(name for name in ids if name in read)
        if wanted:
            raising[shape] = wanted
    read = _counted_for(plan, (name for result in results for name in result.values))
    openings = plan.windows if plan.openings else ()
    raises = frozenset(name for names in raising.values() for name in names)
    return Reading(frozenset(plan.windows) & {*read, *openings}, raising, raises)


def _counted_for(plan: CompiledPlan, names: Iterable[str]) -> set[str]:
    """The names, and for each baseline among them the window it is of."""
    read = set(names)
    return read | {plan.baselines[name].of for name in read if name in plan.baselines}


def count_of(plan: CompiledPlan, group: Group, window_id: str, start: datetime, end: datetime) -> Count:
    """A window's value over a span. Only a sliding window of different values has to look at its members again."""
    window = plan.windows[window_id]
    distinct = window.sliding is not None and window.spec.distinct is not None
    return Count(group.series(window_id), start, end, distinct)


def count_of_read(plan: CompiledPlan, org: str, read: WindowRead, *, drill: bool) -> Count:
    """The count a case's own criteria read."""
    return count_of(plan, Group(org, plan.name, drill, read.group_key), read.window_id, read.span_start, read.span_end)


@immutable
class Members:
    """The cases behind a count, by bucket and member: the first and the last; `cases` None: as many as the count."""

    earliest: tuple[UUID, ...]
    latest: tuple[UUID, ...]
    cases: int | None


def cases_in(read: WindowRead, value: int, members: Members) -> CountedCases:
    """What is said about the cases of a count that was read."""
    earliest = tuple(dict.fromkeys(members.earliest))
    return CountedCases(
        window=read.window_id,
        group={name: None if name == COMPLAINANT else told for name, told in read.group_key},
        start=read.span_start,
        end=read.span_end,
        value=value,
        cases=value if members.cases is None else members.cases,
        earliest=earliest,
        latest=tuple(one for one in dict.fromkeys(members.latest) if one not in earliest),
    )


@immutable
class Moved:
    """A member that was added to a bucket or taken from it."""

    group: Group
    counted: Counted
    case_id: UUID
    series_id: UUID

    @classmethod
    def of(cls, group: Group, counted: Counted, case_id: UUID) -> "Moved":
        return cls(group, counted, case_id, group.series(counted.window_id))


def sorted_moves(moves: Iterable[Moved]) -> list[Moved]:
    """By series: rows that lie together are touched together. Whoever holds the groups has the series to himself."""
    by_series: dict[UUID, list[Moved]] = {}
    for move in moves:
        by_series.setdefault(move.series_id, []).append(move)
    return [move for series_id in sorted(by_series, key=attrgetter("int")) for move in by_series[series_id]]


@lru_cache(maxsize=65_536)
def _group_id(group: Group) -> UUID:
    return _hashed([group.org, group.plan, group.drill, group.key])


@lru_cache(maxsize=65_536)
def _series_id(group: Group, window_id: str) -> UUID:
    return _hashed([group.org, group.plan, group.drill, group.key, window_id])


def _hashed(parts: list[Any]) -> UUID:
    return UUID(bytes=sha256(json.dumps(parts, ensure_ascii=False).encode()).digest()[:16])
