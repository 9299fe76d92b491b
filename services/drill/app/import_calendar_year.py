"""Takes over the official list of a year into a calendar's folder."""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from shared.calendars.business import BusinessCalendar
from shared.calendars.library import YEARS, CalendarFiles, CalendarLibrary
from shared.calendars.model import YearFile, YearStatus
from shared.calendars.official_list import read_official_list, year_text


class YearThereError(ValueError):
    """The year's official list is there already."""


@dataclass(frozen=True, slots=True)
class ImportedYear:
    """What was written: `path`, the days off and make-up days it names, and the working days of the whole year."""

    path: Path
    days_off: int
    make_up_days: int
    working_days: int
    replaced: YearStatus


def import_calendar_year(
    root: Path, name: str, text: str, *, year: int, source: str, replace_published: bool = False
) -> ImportedYear:
    """Write `years/<year>.yaml`, whole or not at all; the year counts as published from then on.

    Raises OfficialListError for a list with problems, UnknownCalendarError, CalendarFilesError for calendars that were
    broken before, YearThereError for a year that is published and not to be replaced.
    """
    files = CalendarLibrary.load(root).file(name)
    found = read_official_list(text, year=year, source=source)
    before = files.status(year)
    if before is YearStatus.PUBLISHED and not replace_published:
        raise YearThereError(f"calendar '{name}' has the published list of {year}")
    calendar = BusinessCalendar(files.calendar, _with_year(files, found).years)
    path = root / name / YEARS / f"{year}.yaml"
    path.parent.mkdir(exist_ok=True)
    _write(path, year_text(found))
    days = [day for spec in found.days for day in spec.dates()]
    works = sum(1 for day in days if calendar.table.day(day).works)
    return ImportedYear(path, len(days) - works, works, calendar.working_days_of(year), before)


def _with_year(files: CalendarFiles, year: YearFile) -> CalendarFiles:
    others = [one for one in files.years if one.year != year.year]
    return replace(files, years=tuple(sorted((*others, year), key=lambda one: one.year)))


def _write(path: Path, text: str) -> None:
    """Beside its place first, then into it: nobody ever reads half a file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".new", delete=False, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
