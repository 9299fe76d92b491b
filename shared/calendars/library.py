"""All calendars of an installation, from their folders; every problem of every file at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from shared.calendars.business import BusinessCalendar
from shared.calendars.model import CalendarFile, OverlayFile, YearFile, YearStatus
from shared.plans.problems import Problem
from shared.plans.reading import read_model

CALENDAR_FILE: Final = "calendar.yaml"
YEARS: Final = "years"
ORGANISATIONS: Final = "organisations"
M = TypeVar("M", bound=BaseModel)


class CalendarFilesError(ValueError):
    """One or more calendar files are refused. `problems` holds all of them, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnknownCalendarError(KeyError):
    """There is no calendar of this name."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class CalendarFiles:
    """One calendar as written: its own file, its years in order, and what organisations do differently."""

    calendar: CalendarFile
    years: tuple[YearFile, ...]
    overlays: tuple[OverlayFile, ...] = ()

    @property
    def name(self) -> str:
        return self.calendar.calendar

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.calendar.timezone)

    def status(self, year: int) -> YearStatus:
        found = next((one for one in self.years if one.year == year), None)
        return found.status if found is not None else YearStatus.MISSING

    def overdue_year(self, today: date) -> int | None:
        """The year whose official list should be here by `today` and is not; None when all is well.

        That is this year, and from the calendar's day of alarm on the next one.
        """
        month, day = (int(part) for part in self.calendar.alarm.split("-"))
        wanted = [today.year, *([today.year + 1] if (today.month, today.day) >= (month, day) else [])]
        return next((year for year in wanted if self.status(year) is not YearStatus.PUBLISHED), None)


class CalendarLibrary:
    """Immutable. Compiles each calendar once for each zone and each organisation that does anything differently."""

    def __init__(self, files: Iterable[CalendarFiles] = ()) -> None:
        self.files: tuple[CalendarFiles, ...] = tuple(sorted(files, key=lambda one: one.name))
        self._by_name = {one.name: one for one in self.files}
        self._compiled: dict[tuple[str, str, str], BusinessCalendar] = {}

    @classmethod
    def load(cls, root: Path) -> "CalendarLibrary":
        """Every folder of `root` that holds a `calendar.yaml`; a root that is not there holds none.

        Raises CalendarFilesError with the problems of all files: a library is loaded whole or not at all. Each
        calendar is compiled once, so one that could never end a limit is refused here.
        """
        problems: list[Problem] = []
        found: list[CalendarFiles] = []
        folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        for folder in (folder for folder in folders if not folder.name.startswith(".")):
            files = _load_folder(folder, problems)
            if files is not None:
                found.append(files)
        if problems:
            raise CalendarFilesError(problems)
        return cls(found)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.files)

    def file(self, name: str) -> CalendarFiles:
        """The calendar as written. Raises UnknownCalendarError."""
        try:
            return self._by_name[name]
        except KeyError as error:
            known = ", ".join(self.names()) or "none"
            raise UnknownCalendarError(f"there is no calendar '{name}'; there are: {known}") from error

    def get(self, name: str, *, zone: str | None = None, org: str | None = None) -> BusinessCalendar:
        """The calendar as counted in this zone, absent its own, for this organisation. Raises UnknownCalendarError."""
        files = self.file(name)
        overlay = next((one for one in files.overlays if one.organisation == org), None)
        key = (name, zone or files.calendar.timezone, overlay.organisation if overlay is not None else "")
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = BusinessCalendar(files.calendar, files.years, overlay, zone=key[1])
        return compiled

    def differs(self, name: str, org: str) -> bool:
        """Whether this organisation has an overlay of the calendar. Raises UnknownCalendarError."""
        return any(one.organisation == org for one in self.file(name).overlays)


class CalendarFolder:
    """Reads the calendars of a folder again when its files change."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = _stamps(root)

    def __call__(self) -> CalendarLibrary | None:
        """The calendars if a file changed since they were read last. Raises CalendarFilesError while they are bad."""
        stamps = _stamps(self._root)
        if stamps == self._seen:
            return None
        library = CalendarLibrary.load(self._root)
        self._seen = stamps
        return library


def _stamps(root: Path) -> frozenset[tuple[str, int, int]]:
    found = ((path, path.stat()) for path in root.rglob("*.yaml")) if root.is_dir() else ()
    return frozenset((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)


def _load_folder(folder: Path, problems: list[Problem]) -> CalendarFiles | None:
    before = len(problems)
    calendar = _read(CalendarFile, folder / CALENDAR_FILE, problems)
    years = _read_all(YearFile, folder / YEARS, problems)
    overlays = _read_all(OverlayFile, folder / ORGANISATIONS, problems)
    problems.extend(_misplaced(folder, calendar, years, overlays))
    if calendar is None or len(problems) > before:
        return None
    files = CalendarFiles(calendar, tuple(year for _, year in years), tuple(overlay for _, overlay in overlays))
    for one in (None, *files.overlays):
        try:
            BusinessCalendar(files.calendar, files.years, one)
        except ValueError as error:
            field = "" if one is None else one.organisation
            problems.append(Problem(str(folder), 1, 1, str(error), field))
    return files


def _misplaced(
    folder: Path,
    calendar: CalendarFile | None,
    years: Sequence[tuple[Path, YearFile]],
    overlays: Sequence[tuple[Path, OverlayFile]],
) -> Iterator[Problem]:
    """Files whose name or folder says something else than they do."""
    if calendar is not None and calendar.calendar != folder.name:
        message = f"the calendar is named '{calendar.calendar}' but its folder '{folder.name}'"
        yield Problem(str(folder / CALENDAR_FILE), 1, 1, message, "calendar")
    if not years:
        yield Problem(str(folder / YEARS), 1, 1, "the calendar lists no year", "years")
    for path, year in years:
        if path.stem != str(year.year):
            yield Problem(str(path), 1, 1, f"the file of {year.year} must be named {year.year}.yaml", "year")
    for path, overlay in overlays:
        if path.stem != overlay.organisation:
            message = f"the file of '{overlay.organisation}' must be named {overlay.organisation}.yaml"
            yield Problem(str(path), 1, 1, message, "organisation")
        if overlay.calendar != folder.name:
            message = f"this belongs to calendar '{overlay.calendar}' but lies in the folder of '{folder.name}'"
            yield Problem(str(path), 1, 1, message, "calendar")


def _read_all(model: type[M], folder: Path, problems: list[Problem]) -> list[tuple[Path, M]]:
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    read = ((path, _read(model, path, problems)) for path in paths)
    return [(path, found) for path, found in read if found is not None]


def _read(model: type[M], path: Path, problems: list[Problem]) -> M | None:
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        problems.append(Problem(str(path), 1, 1, f"the folder holds no {path.name}", ""))
        return None
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(str(path), 1, 1, f"cannot be read: {error}", ""))
        return None
    found, _, wrong = read_model(model, text, str(path))
    problems.extend(wrong)
    return found
