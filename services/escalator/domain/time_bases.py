"""In what a clock counts: the wall clock, working time, working days, calendar days, months."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from shared.calendars.business import BusinessCalendar
from shared.calendars.civil import CalendarHorizonError, end_of_day, end_of_days, end_of_months
from shared.calendars.library import CalendarLibrary, UnknownCalendarError
from shared.calendars.pieces import WORKING_DAY
from shared.plans.compiled import CompiledPlan
from shared.plans.limits import Limit, LimitBase
from shared.plans.time_spec import Basis

_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000


class NeedsCalendarError(ValueError):
    """A plan counts in something that no calendar here can count in."""


class TimeBase(Protocol):
    """Counts amounts in its own whole units between UTC instants.

    Whoever implements it guarantees: `due(s, spent(s, e))` is never after `e`; both grow with their arguments;
    `spent(s, s)` is 0; and splitting a span loses nothing, `spent(a, b) + spent(b, c) == spent(a, c)`. All of them
    raise NeedsCalendarError for what lies beyond the last year of their calendar.
    """

    @property
    def calendar(self) -> str | None:
        """Identity of the calendar it counts by; None where no list of days matters."""
        ...

    def amount(self, limit: Limit, start: datetime) -> int:
        """A limit that begins at `start`, in units of this base."""
        ...

    def lead(self, lead: timedelta) -> int:
        """How many units before the end a warning with this lead stands."""
        ...

    def counts_from(self, start: datetime) -> datetime:
        """From when a clock that starts at `start` counts: later where the first day is left out."""
        ...

    def due(self, start: datetime, amount: int) -> datetime:
        """The instant at which `amount` units have passed since `start`."""
        ...

    def spent(self, start: datetime, end: datetime) -> int:
        """Units between two instants; 0 when `end` is not after `start`."""
        ...

    def provisional(self, start: datetime, end: datetime) -> bool:
        """Whether what lies between rests on a year whose official list is not published."""
        ...


class Elapsed:
    """The wall clock in microseconds. Sums are done in UTC, so no daylight-saving change can bend them."""

    calendar: str | None = None

    def amount(self, limit: Limit, start: datetime) -> int:  # noqa: ARG002  # no other instant has another length
        return limit.elapsed // _MICROSECOND

    def lead(self, lead: timedelta) -> int:
        return lead // _MICROSECOND

    def counts_from(self, start: datetime) -> datetime:
        return start

    def due(self, start: datetime, amount: int) -> datetime:
        return start.astimezone(UTC) + amount * _MICROSECOND

    def spent(self, start: datetime, end: datetime) -> int:
        return max(0, (end.astimezone(UTC) - start.astimezone(UTC)) // _MICROSECOND)

    def provisional(self, start: datetime, end: datetime) -> bool:  # noqa: ARG002  # needs no list of days
        return False


class CivilDays(Elapsed):
    """Calendar days or months of a zone. Their end is fixed when they begin; from then on the wall clock runs.

    So a pause gives back real time, and half of a month is half of its real length.
    """

    def __init__(self, basis: Basis, zone: ZoneInfo, calendar: BusinessCalendar | None) -> None:
        self._basis = basis
        self._zone = zone
        self._hours = calendar
        self.calendar = calendar.identity if calendar is not None else None

    def amount(self, limit: Limit, start: datetime) -> int:
        ends = end_of_months if limit.base is LimitBase.MONTHS else end_of_days
        try:
            last = ends(start, limit.amount, self._zone, self._basis, self._end_of_day)
        except CalendarHorizonError as error:
            raise NeedsCalendarError(str(error)) from error
        return self.spent(start, last)

    def provisional(self, start: datetime, end: datetime) -> bool:
        return self._hours is not None and self._hours.unsure(start, end)

    def _end_of_day(self, day: date, basis: Basis) -> datetime:
        return self._hours.end_of_day(day, basis) if self._hours is not None else end_of_day(day, self._zone)


class _Working:
    """What counts by a list of days. Before its first year nothing passes; beyond its last one it refuses."""

    def __init__(self, calendar: BusinessCalendar) -> None:
        self._calendar = calendar
        self._begins = calendar.begins
        self.calendar: str | None = calendar.identity

    def provisional(self, start: datetime, end: datetime) -> bool:
        return self._calendar.unsure(max(start, self._begins), max(end, self._begins))


class WorkingTime(_Working):
    """Microseconds inside working hours."""

    def amount(self, limit: Limit, start: datetime) -> int:  # noqa: ARG002  # a working hour is one anywhere
        return limit.amount * _SECOND

    def lead(self, lead: timedelta) -> int:
        return lead // _MICROSECOND

    def counts_from(self, start: datetime) -> datetime:
        return start

    def due(self, start: datetime, amount: int) -> datetime:
        try:
            return self._calendar.add_working_micros(max(start, self._begins), amount).at
        except CalendarHorizonError as error:
            raise NeedsCalendarError(str(error)) from error

    def spent(self, start: datetime, end: datetime) -> int:
        try:
            return self._calendar.working_micros(max(start, self._begins), max(end, self._begins))
        except CalendarHorizonError as error:
            raise NeedsCalendarError(str(error)) from error


class WorkingDays(_Working):
    """Parts of working days; a lead of one day is one working day."""

    def __init__(self, basis: Basis, calendar: BusinessCalendar) -> None:
        super().__init__(calendar)
        self._basis = basis

    def amount(self, limit: Limit, start: datetime) -> int:  # noqa: ARG002  # `counts_from` knows where day 1 begins
        return limit.amount * WORKING_DAY

    def lead(self, lead: timedelta) -> int:
        return (lead // _MICROSECOND) * WORKING_DAY // (timedelta(days=1) // _MICROSECOND)

    def counts_from(self, start: datetime) -> datetime:
        try:
            return self._calendar.counting_from(max(start, self._begins), self._basis)
        except CalendarHorizonError as error:
            raise NeedsCalendarError(str(error)) from error

    def due(self, start: datetime, amount: int) -> datetime:
        try:
            return self._calendar.add_working_day_units(max(start, self._begins), amount, self._basis).at
        except CalendarHorizonError as error:
            raise NeedsCalendarError(str(error)) from error

    def spent(self, start: datetime, end: datetime) -> int:
        try:
            return self._calendar.working_day_units(max(start, self._begins), max(end, self._begins), self._basis)
        except CalendarHorizonError as error:
            raise NeedsCalendarError(str(error)) from error


_ELAPSED: Final = Elapsed()
_NO_CALENDARS: Final = CalendarLibrary()


@lru_cache(maxsize=16)
def basis_of(limit: Limit) -> Basis:
    """How a limit counts its days."""
    return Basis(day_zero=limit.day_zero, ends=limit.ends)


def time_base(limit: Limit, zone: ZoneInfo, calendar: BusinessCalendar | None) -> TimeBase | None:
    """How a limit is counted; None where it takes a calendar and there is none."""
    basis = basis_of(limit)
    match limit.base:
        case LimitBase.ELAPSED:
            return _ELAPSED
        case LimitBase.CALENDAR_DAYS | LimitBase.MONTHS:
            by_hours = basis.ends == "end-of-hours"
            return CivilDays(basis, zone, calendar if by_hours else None) if calendar or not by_hours else None
        case LimitBase.WORKING_TIME:
            return WorkingTime(calendar) if calendar is not None else None
        case LimitBase.WORKING_DAYS:
            return WorkingDays(basis, calendar) if calendar is not None else None


@dataclass(frozen=True, slots=True)
class Rules:
    """A plan together with the calendars at hand: what every decision is made by.

    `org` is whose days and hours are counted; `of` gives the rules of another organisation.
    """

    plan: CompiledPlan
    calendars: CalendarLibrary = _NO_CALENDARS
    org: str | None = None
    _bases: dict[tuple[LimitBase, str, str], TimeBase] = field(default_factory=dict, compare=False, repr=False)
    _others: dict[str, "Rules"] = field(default_factory=dict, compare=False, repr=False)

    def of(self, org: str) -> "Rules":
        """The rules as they hold for this organisation; most have none of their own."""
        name = self.plan.plan.calendar
        if org == self.org or name is None or name not in self.calendars or not self.calendars.differs(name, org):
            return self
        found = self._others.get(org)
        if found is None:
            found = self._others[org] = Rules(self.plan, self.calendars, org)
        return found

    def base(self, limit: Limit) -> TimeBase:
        """How this limit is counted. Raises NeedsCalendarError when nothing here can."""
        key = (limit.base, limit.day_zero, limit.ends)
        found = self._bases.get(key)
        if found is None:
            made = time_base(limit, ZoneInfo(self.plan.plan.timezone), self.calendar())
            if made is None:
                named = self.plan.plan.calendar
                missing = f"there is no calendar '{named}'" if named else "the plan names none"
                raise NeedsCalendarError(
                    f"plan '{self.plan.name}' has a limit in {limit.base} ({limit.amount}), which needs a calendar; "
                    f"{missing}"
                )
            found = self._bases[key] = made
        return found

    def calendar(self) -> BusinessCalendar | None:
        """The plan's calendar in the plan's zone, as this organisation keeps it; None where there is none."""
        name = self.plan.plan.calendar
        if name is None:
            return None
        try:
            return self.calendars.get(name, zone=self.plan.plan.timezone, org=self.org)
        except UnknownCalendarError:
            return None

    def identities(self) -> frozenset[str]:
        """Identities of the calendar in all the forms in which organisations keep it."""
        name = self.plan.plan.calendar
        if name is None or name not in self.calendars:
            return frozenset()
        orgs = [None, *(one.organisation for one in self.calendars.file(name).overlays)]
        zone = self.plan.plan.timezone
        return frozenset(self.calendars.get(name, zone=zone, org=org).identity for org in orgs)

    def lacking(self) -> str | None:
        """Why a limit of the plan could never be counted here; None when all of them can."""
        plan = self.plan
        limits = (
            *(clock.limit for clock in plan.clocks),
            *(approval.within for approval in plan.approvals),
            *(notice.within for notice in plan.notices),
            *(duty.within for duty in (*plan.duties, *plan.case_duties)),
        )
        try:
            for limit in limits:
                if limit is not None:
                    self.base(limit)
        except NeedsCalendarError as error:
            return str(error)
        return None
