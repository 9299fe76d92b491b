"""Which counts a case adds to: buckets of time, groups and members. Storing and counting them is the classifier's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.immutable import immutable
from shared.contracts.values import CaseKind, FactValue, Place
from shared.plans.expressions import Test
from shared.plans.facts import FactSpec, fact_problem
from shared.plans.limits import parse_elapsed
from shared.plans.model import Window

SLIDING_STEPS: Final = 96
COMPLAINANT: Final = "complainant"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

GroupKey = tuple[tuple[str, str], ...]
ReadText = Callable[["CaseView"], str | None]


@immutable
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


@immutable
class WindowRead:
    """The count a case's criteria read: different members in buckets that begin in [span_start, span_end)."""

    window_id: str
    group_key: GroupKey
    span_start: datetime
    span_end: datetime


@immutable
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
    """A window with its period worked out and its names turned into reads.

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
    group_reads: tuple[tuple[str, ReadText], ...]
    distinct_read: ReadText | None
    _last: dict[str, tuple[datetime, datetime]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def counts(self, kind: CaseKind) -> bool:
        wanted = self.spec.count or self.spec.of
        return wanted == "any" or wanted == kind  # noqa: PLR1714  # a set made anew for every window costs more

    def instant_of(self, case: CaseView) -> datetime:
        """What puts the case into a bucket: its receipt, unless the window says `at: occurred`. UTC."""
        at = case.received_at if self.spec.at == "received" else case.occurred_at
        return at if at.tzinfo is UTC else at.astimezone(UTC)

    def group_of(self, case: CaseView) -> GroupKey | None:
        """The group the case belongs to, or None when one of the `by` values is not known."""
        group: list[tuple[str, str]] = []
        for name, read in self.group_reads:
            value = read(case)
            if value is None:
                return None
            group.append((name, value))
        return tuple(group)

    def bucket(self, at: datetime) -> tuple[datetime, datetime]:
        """The bucket that holds the instant: [start, end) in UTC."""
        if self.sliding is not None:
            step = max(self.sliding // SLIDING_STEPS, timedelta(seconds=1))
            start = _EPOCH + (at - _EPOCH) // step * step
            return start, start + step
        last = self._last.get("bucket")
        if last is not None and last[0] <= at < last[1]:
            return last
        # Every period of every zone begins at a whole minute, so one answer serves the minute.
        found = self._last["bucket"] = _period(
            self.spec.per, self.zone, self.day_start, at.replace(second=0, microsecond=0)
        )
        return found

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

    def contribution(self, case: CaseView) -> Contribution | None:
        """What a case adds that is of the kind and for which `where` holds; None: group or distinct value not known."""
        group = self.group_of(case)
        member = str(case.case_id) if self.distinct_read is None else self.distinct_read(case)
        if group is None or member is None:
            return None
        start, end = self.bucket(self.instant_of(case))
        return Contribution(self.id, group, start, end, member, self._span_start(start, end))


def calendar_start(window: CompiledWindow, per: str, at: datetime) -> datetime:
    """When the hour, day, week or month that holds the instant began in the plan's time zone, UTC."""
    return _period(per, window.zone, window.day_start, at.replace(second=0, microsecond=0))[0]


@lru_cache(maxsize=8192)
def _period(per: str, zone: ZoneInfo, day_start: time, minute: datetime) -> tuple[datetime, datetime]:
    local = minute.astimezone(zone)
    if per == "hour":
        start = local.replace(minute=0).astimezone(UTC)
        return start, start + timedelta(hours=1)
    lead = timedelta(hours=day_start.hour, minutes=day_start.minute)
    first = (local.replace(tzinfo=None) - lead).date()
    if per == "week":
        first -= timedelta(days=first.weekday())
        last = first + timedelta(days=7)
    elif per == "month":
        first = first.replace(day=1)
        last = (first + timedelta(days=32)).replace(day=1)
    else:
        last = first + timedelta(days=1)
    begins, ends = (datetime.combine(day, day_start, zone).astimezone(UTC) for day in (first, last))
    return begins, ends


def sliding_length(window: Window) -> timedelta | None:
    """The length of a sliding window; None for tumbling ones. Raises ValueError when it is nothing or too long."""
    if not window.per.endswith(" sliding"):
        return None
    length = parse_elapsed(window.per.removesuffix(" sliding"))
    if not length:
        raise ValueError("a sliding window must be longer than nothing")
    return length


def text_read(name: str, facts: Mapping[str, FactSpec]) -> ReadText:
    """How a case's value for a name of `by` or `distinct` is read, as text; None where it is not known.

    A fact that does not fit its declaration is not known: it must not name a group.
    """
    spec = facts.get(name)
    if spec is None:
        read: ReadText = attrgetter("complainant_ref" if name == COMPLAINANT else name)
        return read

    def fact_text(case: CaseView) -> str | None:
        value = case.facts.get(name)
        if value is None or fact_problem(name, spec, value) is not None:
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    return fact_text
