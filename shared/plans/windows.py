"""Which counts a case adds to: buckets of time, groups and members. Storing and counting them is the classifier's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.values import CaseKind, FactValue, Place
from shared.plans.expressions import Environment, Test
from shared.plans.limits import parse_elapsed
from shared.plans.model import Window

SLIDING_STEPS: Final = 96
COMPLAINANT: Final = "complainant"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

GroupKey = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case as the plan sees it. `facts` is everything reported, later reports put over earlier ones."""

    case_id: UUID | str
    kind: CaseKind
    org: str
    topic: str | None
    category: str | None
    channel: str | None
    complainant_ref: str | None
    place: Place
    occurred_at: datetime
    received_at: datetime
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True, slots=True)
class WindowRead:
    """The count a case's criteria read: different members in buckets that begin in [span_start, span_end)."""

    window_id: str
    group_key: GroupKey
    span_start: datetime
    span_end: datetime


@dataclass(frozen=True, slots=True)
class Contribution:
    """One member of one bucket. The same member twice counts once; instants are UTC.

    `span_start` is where the reading begins: equal to `bucket_start` for tumbling windows, earlier for sliding ones,
    whose value is the number of different members in buckets that begin in [span_start, bucket_end).
    """

    window_id: str
    group_key: GroupKey
    bucket_start: datetime
    bucket_end: datetime
    member: str
    span_start: datetime


@dataclass(frozen=True, slots=True)
class CompiledWindow:
    """A window with its period worked out.

    A sliding window is kept in buckets of a 96th of its length (at least a second): it never counts anything older
    than its length and may leave out the oldest bucket's share.
    """

    id: str
    spec: Window
    by: tuple[str, ...]
    raises_warning: bool
    where: Test | None
    zone: ZoneInfo
    day_start: time
    sliding: timedelta | None

    def counts(self, kind: CaseKind) -> bool:
        wanted = self.spec.count or self.spec.of
        return wanted in {"any", kind.value}

    def instant_of(self, case: CaseView) -> datetime:
        """What puts the case into a bucket: its receipt, unless the window says `at: occurred`. UTC."""
        return (case.received_at if self.spec.at == "received" else case.occurred_at).astimezone(UTC)

    def group_of(self, case: CaseView) -> GroupKey | None:
        """The group the case belongs to, or None when one of the `by` values is not known."""
        values = [(name, value_of(case, name)) for name in self.by]
        known = tuple((name, value) for name, value in values if value is not None)
        return known if len(known) == len(values) else None

    def bucket(self, at: datetime) -> tuple[datetime, datetime]:
        """The bucket that holds the instant: [start, end) in UTC."""
        if self.sliding is not None:
            step = max(self.sliding // SLIDING_STEPS, timedelta(seconds=1))
            start = _EPOCH + (at - _EPOCH) // step * step
            return start, start + step
        local = at.astimezone(self.zone)
        if self.spec.per == "hour":
            start = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
            return start, start + timedelta(hours=1)
        lead = timedelta(hours=self.day_start.hour, minutes=self.day_start.minute)
        first = (local.replace(tzinfo=None) - lead).date()
        if self.spec.per == "week":
            first -= timedelta(days=first.weekday())
            last = first + timedelta(days=7)
        elif self.spec.per == "month":
            first = first.replace(day=1)
            last = (first + timedelta(days=32)).replace(day=1)
        else:
            last = first + timedelta(days=1)
        ends = (datetime.combine(day, self.day_start, self.zone).astimezone(UTC) for day in (first, last))
        start, end = ends
        return start, end

    def span(self, at: datetime) -> tuple[datetime, datetime]:
        """Buckets that begin in [start, end) make the window's value at the instant."""
        start, end = self.bucket(at)
        return self._span_start(start, end), end

    def _span_start(self, start: datetime, end: datetime) -> datetime:
        return start if self.sliding is None else end - max(self.sliding, end - start)

    def read(self, case: CaseView) -> WindowRead | None:
        """The count the case's criteria read, or None when its group is not known."""
        group = self.group_of(case)
        return None if group is None else WindowRead(self.id, group, *self.span(self.instant_of(case)))

    def contribution(self, case: CaseView, env: Environment) -> Contribution | None:
        """What the case adds, or None: another kind, `where` does not hold, group or distinct value not known."""
        if not self.counts(case.kind) or (self.where is not None and self.where(env) is not True):
            return None
        group = self.group_of(case)
        member = str(case.case_id) if self.spec.distinct is None else value_of(case, self.spec.distinct)
        if group is None or member is None:
            return None
        at = self.instant_of(case)
        start, end = self.bucket(at)
        return Contribution(self.id, group, start, end, member, self._span_start(start, end))


def sliding_length(window: Window) -> timedelta | None:
    """The length of a sliding window; None for tumbling ones. Raises ValueError when it is nothing or too long."""
    if not window.per.endswith(" sliding"):
        return None
    length = parse_elapsed(window.per.removesuffix(" sliding"))
    if not length:
        raise ValueError("a sliding window must be longer than nothing")
    return length


def value_of(case: CaseView, name: str) -> str | None:
    """The value a case has for a name of `by` or `distinct`, as text, or None when it is not known."""
    value: FactValue | None
    if name == COMPLAINANT:
        value = case.complainant_ref
    elif name in _ATTRIBUTES:
        value = getattr(case, name)
    elif name.startswith("place."):
        value = getattr(case.place, name.removeprefix("place."))
    else:
        value = case.facts.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, list) else str(value)


_ATTRIBUTES: Final = frozenset({"topic", "category", "channel", "source"})
