"""When a limit ends, and why then: what the escalator would count, without a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.escalator.domain.clocks import amount_of
from services.escalator.domain.time_bases import NeedsCalendarError, basis_of, time_base
from shared.calendars.business import BusinessCalendar, Due
from shared.calendars.explanation import CountedSpan, counted_days, counted_spans
from shared.calendars.model import YearStatus
from shared.plans.limits import Limit, LimitBase, Threshold


@dataclass(frozen=True, slots=True)
class Passing:
    """A threshold and when it is passed, UTC."""

    threshold: str
    at: datetime


@dataclass(frozen=True, slots=True)
class YearUsed:
    year: int
    status: YearStatus
    source: str | None


@dataclass(frozen=True, slots=True)
class Deadline:
    """`counts_from`: when counting began. `spans` are empty where no list of days matters."""

    start: datetime
    limit: Limit
    zone: ZoneInfo
    counts_from: datetime
    due: Due
    passings: tuple[Passing, ...]
    spans: tuple[CountedSpan, ...]
    years: tuple[YearUsed, ...]


def explain_deadline(
    start: datetime,
    limit: Limit,
    *,
    zone: ZoneInfo,
    calendar: BusinessCalendar | None = None,
    warn: Sequence[Threshold] = (),
) -> Deadline:
    """Counted by the escalator's own rules. Raises NeedsCalendarError where it takes a calendar or other years."""
    base = time_base(limit, zone, calendar)
    if base is None:
        raise NeedsCalendarError(f"a limit in {limit.base} needs a calendar")
    if calendar is not None and base.calendar is not None and start < calendar.begins:
        raise NeedsCalendarError(
            f"calendar '{calendar.name}' covers {calendar.first_year} to {calendar.last_year}; "
            f"{start.astimezone(zone).date()} is before it"
        )
    target = base.amount(limit, start)
    counts_from = base.counts_from(start)
    before = base.spent(counts_from, start)
    begins = max(start, counts_from)

    def reached(amount: int) -> datetime:
        return base.due(begins, max(0, amount - before))

    at = reached(target)
    due = Due(at, base.provisional(start, at))
    passings = tuple(Passing(one.text, reached(amount_of(one, target, base))) for one in warn)
    uses_days = calendar is not None and base.calendar is not None
    numbered = basis_of(limit) if limit.base is LimitBase.WORKING_DAYS else None
    spans = tuple(counted_spans(counted_days(calendar, start, due, numbered))) if calendar and uses_days else ()
    years = tuple(_years(calendar, spans)) if calendar is not None else ()
    return Deadline(start, limit, zone, counts_from, due, passings, spans, years)


def _years(calendar: BusinessCalendar, spans: Sequence[CountedSpan]) -> list[YearUsed]:
    wanted = sorted({day.date.year for span in spans for day in span.days})
    listed = calendar.table.years
    return [
        YearUsed(year, calendar.table.status(year), listed[year].source if year in listed else None) for year in wanted
    ]
