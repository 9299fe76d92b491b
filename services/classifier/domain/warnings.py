"""Warning cases: when the counts of a group reach a level, and what the warning then says.

One warning a plan, group and span. The span of a criterion is the calendar period (day, week or month, in the plan's
time zone) of the shortest window it reads; hours and sliding windows up to a day belong to their day. Within its span
a warning only rises; the next span begins anew. So the same counts give the same warnings, in whatever order they came.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

from services.classifier.domain.windows import Count, Counted, Group, Reading, count_of
from shared.contracts.classifications import CriterionResult, Holds
from shared.contracts.values import MAX_TEXT, Bilingual, FactValue, Place
from shared.plans.asks import NO_TIME
from shared.plans.compilation import CompiledRule
from shared.plans.compiled import CaseView, CompiledPlan, Evaluation
from shared.plans.windows import COMPLAINANT, CompiledWindow, calendar_start

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


class Span(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_ORDER: Final = tuple(Span)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant at which a group's counts have to be judged because one of them moved."""

    group: Group
    at: datetime


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning case as it stands."""

    case_id: UUID
    group: Group
    span: Span
    bucket_start: datetime
    number: str
    sha256: str
    level: str
    rank: int
    revision: int
    may_end: bool = False

    @property
    def key(self) -> tuple[UUID, Span, datetime]:
        return self.group.id, self.span, self.bucket_start


@dataclass(frozen=True, slots=True)
class Open:
    """A warning case that may end, and when a case was last counted in its group."""

    warned: Warned
    opened_at: datetime
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The highest level of one span's criteria. Most change nothing, so what explains them is put together later."""

    span: Span
    bucket_start: datetime
    level: str
    rank: int
    decided_by: str
    at: datetime
    plan: CompiledPlan
    evaluation: Evaluation

    @property
    def criteria(self) -> tuple[CriterionResult, ...]:
        """All criteria of the span, in the order of the plan."""
        spans = _spans_by_rule(self.plan)
        return tuple(result for result in self.evaluation.criteria if spans[result.id] is self.span)

    @property
    def values(self) -> dict[str, FactValue | None]:
        """Every value the span's criteria read."""
        return {name: value for result in self.criteria for name, value in result.values.items()}

    @property
    def held_names(self) -> frozenset[str]:
        """What the criteria that hold read."""
        return frozenset(name for result in self.criteria if result.result is Holds.HELD for name in result.values)


@dataclass(slots=True)
class Movements:
    """Collects the moments of a batch: however many members moved, each combination of buckets is judged once."""

    _latest: dict[tuple[Group, str, datetime, datetime], datetime]
    _at: datetime = NO_TIME
    _hour: datetime = NO_TIME

    @classmethod
    def none(cls) -> "Movements":
        return cls({})

    def add(self, plan: CompiledPlan, reading: Reading, group: Group, counted: Counted, view: CaseView) -> None:
        """Note one new member; windows that no warning criterion reads are left out."""
        if counted.window_id not in reading.raises:
            return
        at = plan.windows[counted.window_id].instant_of(view)
        if at != self._at:  # the windows of one case mostly look at one instant
            self._at, self._hour = at, at.replace(minute=0, second=0, microsecond=0)
        key = (group, counted.window_id, counted.bucket_start, self._hour)
        known = self._latest.setdefault(key, at)
        if at > known:
            self._latest[key] = at

    def moments(self) -> list[Moment]:
        return sorted(
            {Moment(group, at) for (group, *_), at in self._latest.items()},
            key=lambda moment: (moment.group.id.int, moment.at),
        )


def shape_of(group: Group) -> tuple[str, ...]:
    """The `by` of the windows that count in this group."""
    return tuple(name for name, _ in group.key)


def distinct_moments(plan: CompiledPlan, windows: tuple[str, ...], instants: Iterable[datetime]) -> list[datetime]:
    """One instant, the latest, for each combination of buckets."""
    found: dict[tuple[datetime, ...], datetime] = {}
    for at in sorted(instants):
        found[tuple(plan.windows[name].bucket(at)[0] for name in windows)] = at
    return list(found.values())


def later_spans(plan: CompiledPlan, windows: tuple[str, ...], group: Group, at: datetime) -> Iterator[Count]:
    """Where a late member also counts: a sliding window's later buckets up to its length. Ends are exclusive."""
    for name in windows:
        window = plan.windows[name]
        if window.sliding is not None:
            start, end = window.bucket(at)
            yield Count(group.series(name), end, start + window.sliding, distinct=False)


def counts_at(plan: CompiledPlan, windows: tuple[str, ...], group: Group, at: datetime) -> dict[str, Count]:
    """The values a group's criteria read at an instant, by window."""
    return {name: count_of(plan, group, name, *plan.windows[name].span(at)) for name in windows}


def span_of(window: CompiledWindow) -> Span:
    if window.sliding is not None:
        return Span.DAY if window.sliding <= _DAY else Span.WEEK if window.sliding <= _WEEK else Span.MONTH
    return {"week": Span.WEEK, "month": Span.MONTH}.get(window.spec.per, Span.DAY)


@lru_cache(maxsize=1024)
def spans_of(plan: CompiledPlan, windows: tuple[str, ...]) -> tuple[Span, ...]:
    return tuple(sorted({span_of(plan.windows[name]) for name in windows}, key=_ORDER.index))


def bucket_of(plan: CompiledPlan, span: Span, at: datetime) -> datetime:
    """When the day, week or month that holds the instant began, UTC."""
    return calendar_start(next(iter(plan.windows.values())), span.value, at)


def verdicts(plan: CompiledPlan, evaluation: Evaluation, at: datetime) -> list[Verdict]:
    """What the evaluation of a group means for each span that reached a level."""
    best: dict[Span, CompiledRule] = {}
    spans = _spans_by_rule(plan)
    for rule in evaluation.holding:
        span = spans[rule.id]
        if span not in best or rule.rank > best[span].rank:
            best[span] = rule
    return [
        Verdict(span, bucket_of(plan, span, at), rule.level, rule.rank, rule.id, at, plan, evaluation)
        for span, rule in best.items()
    ]


@lru_cache(maxsize=256)
def _spans_by_rule(plan: CompiledPlan) -> dict[str, Span]:
    """The span of every criterion that raises a warning: the shortest of the windows it reads."""
    counted = {name: baseline.of for name, baseline in plan.baselines.items()}
    found: dict[str, Span] = {}
    for rule in plan.warning_rules:
        windows = [
            plan.windows[name] for name in (counted.get(read, read) for read in rule.reads) if name in plan.windows
        ]
        found[rule.id] = min(map(span_of, windows), key=_ORDER.index)
    return found


def highest(found: Iterable[Verdict]) -> dict[tuple[Span, datetime], Verdict]:
    """The highest verdict of each span and bucket; the earlier instant where they are equal."""
    best: dict[tuple[Span, datetime], Verdict] = {}
    for verdict in found:
        key = verdict.span, verdict.bucket_start
        if key not in best or verdict.rank > best[key].rank:
            best[key] = verdict
    return best


def place_of(group: Group) -> Place:
    return Place(
        **{name.removeprefix("place."): value[:120] for name, value in group.key if name.startswith("place.") and value}
    )


def facts_of(plan: CompiledPlan, group: Group, verdict: Verdict) -> dict[str, FactValue]:
    """Window values, and the facts that make the group, as far as they fit what the plan declares."""
    counts = {name: value for name, value in verdict.values.items() if name in plan.windows and value is not None}
    return counts | plan.type_facts(dict(group.key))[0]


def title_of(group: Group, verdict: Verdict) -> Bilingual:
    """The group and why. A complainant's hash is left out."""
    label = next((result.label for result in verdict.criteria if result.id == verdict.decided_by), None)
    decided_by = verdict.decided_by or ""
    return _title(group, label or Bilingual(zh=decided_by, en=decided_by))


def ended_title(group: Group, because: Bilingual) -> Bilingual:
    """The group and that its warning is over."""
    return _title(group, Bilingual(zh=f"预警结束，{because.zh}", en=f"the warning is over, {because.en}"))


def _title(group: Group, what: Bilingual) -> Bilingual:
    values = [value for name, value in group.key if name != COMPLAINANT and value]
    zh, en = ("、".join(values), what.zh), (", ".join(values), what.en)
    return Bilingual(
        zh="：".join(word for word in zh if word)[:MAX_TEXT], en=": ".join(word for word in en if word)[:MAX_TEXT]
    )


def values_of(names: Mapping[str, Count], counts: Mapping[Count, int]) -> dict[str, float]:
    return {name: counts.get(count, 0) for name, count in names.items()}


def end_of(plan: CompiledPlan, opened: Open, values: Mapping[str, float], now: datetime) -> Bilingual | None:
    """Why the warning is over at `now`; None when it is not."""
    end = plan.warning_end
    if end is None:
        return None
    if end.ends_after is not None and now - opened.moved_at >= end.ends_after:
        hours = f"{end.ends_after.total_seconds() / 3600:g}"
        return Bilingual(zh=f"{hours}小时内没有新的事件", en=f"no further case for {hours} h")
    if plan.warning_ends(plan.group_inputs(opened.warned.group.key), values):
        return Bilingual(zh="计数已回落", en="the counts have gone down")
    return None
