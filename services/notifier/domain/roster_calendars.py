"""Working days of the installation's calendars, as rosters ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.notifier.domain.roster import WorkingDays
from shared.calendars.days import DayTable
from shared.calendars.library import CalendarLibrary


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """The days of one calendar: holidays, make-up days and the organisation's own are in it."""

    table: DayTable

    def is_working(self, day: date) -> bool:
        return self.table.day(day).works


def working_days(library: CalendarLibrary, org: str | None = None) -> Mapping[str, WorkingDays]:
    """Every calendar by name, as this organisation keeps it."""
    return {name: CalendarDays(library.get(name, org=org).table) for name in library.names()}
