"""A roster as values: people, how to reach them, turns, roles, and what changes them for a while.

How these make an answer is told in `roster_duty`; how they are written in `roster_file`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from services.notifier.domain.roster_wall_time import local_day, takes_place
from services.notifier.domain.rotation import Rotation
from shared.contracts.values import Bilingual, ChannelKind, Language

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One address of a person. `id` is unique within the person and stays when the list is extended.

    An unverified one is used after the verified ones of its channel: nobody has proved yet that it reaches the person.
    `vouched`: the roster itself says that it does.
    """

    id: str
    channel: ChannelKind
    to: str
    verified: bool = True
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Absence:
    """Leave from `begins_at` until just before `ends_at` (aware). Its own deputy comes before the person's."""

    begins_at: datetime
    ends_at: datetime
    reason: str
    deputy: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told, or a duty room with an address of its own. `language` overrides the request's."""

    id: str
    label: Bilingual
    contacts: tuple[ContactPoint, ...]
    deputies: tuple[str, ...] = ()
    leave: tuple[Absence, ...] = ()
    language: Language | None = None
    is_room: bool = False

    def absence_at(self, instant: datetime) -> Absence | None:
        """The leave that covers the instant, if any."""
        return next((leave for leave in self.leave if leave.begins_at <= instant < leave.ends_at), None)


class SourceKind(StrEnum):
    PERSON = "person"
    TEAM = "team"
    ROTATION = "rotation"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a role takes its people from."""

    kind: SourceKind
    id: str


class WorkingDays(Protocol):
    """A calendar of working days, make-up days and holidays."""

    def is_working(self, day: date) -> bool: ...


class DayKind(StrEnum):
    ANY = "any"
    WORKING = "working"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the days that fit; `ends` at or before `begins` means the next morning. Monday is 0."""

    weekdays: frozenset[int]
    days: DayKind
    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class Hours:
    """Windows by the wall clock of a zone; a working day is one of `calendar`."""

    windows: tuple[Window, ...]
    zone: ZoneInfo
    calendar: WorkingDays

    def cover(self, instant: datetime) -> bool:
        """True when the instant lies in one of the windows."""
        today = local_day(instant, self.zone)
        return any(begins <= instant < ends for begins, ends in self.spans(today - _ONE_DAY, today + _ONE_DAY))

    def spans(self, first: date, last: date) -> list[tuple[datetime, datetime]]:
        """The windows that begin on the days from `first` to `last`, as instants."""
        found = []
        day = first
        while day <= last:
            for window in self.windows:
                if day.weekday() in window.weekdays and self._fits(window.days, day):
                    ends_on = day if window.begins < window.ends else day + _ONE_DAY
                    found.append(
                        (takes_place(day, window.begins, self.zone), takes_place(ends_on, window.ends, self.zone))
                    )
            day += _ONE_DAY
        return found

    def _fits(self, kind: DayKind, day: date) -> bool:
        return kind is DayKind.ANY or self.calendar.is_working(day) == (kind is DayKind.WORKING)


@dataclass(frozen=True, slots=True)
class Layer:
    """People of a role, always or within hours. A later layer of a role goes before an earlier one."""

    id: str
    duty: tuple[Source, ...]
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """A function that plans name. `layers` has at least one, the first is the ground.

    `off_hours` stand in while the ground's hours do not run; `when_nobody` whenever nobody else is left. A role that
    `may_be_empty` is not reported when it is. `handover_notice`: how long before a change of people both are told.
    """

    id: str
    label: Bilingual
    layers: tuple[Layer, ...]
    off_hours: tuple[Source, ...] = ()
    when_nobody: tuple[Source, ...] = ()
    may_be_empty: bool = False
    handover_notice: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """These people instead of (or with `adds` beside) the role's own, until just before `ends_at` (aware)."""

    role: str
    people: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime
    reason: str
    adds: bool = False
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """`stand_in` takes the turns of `absent`, in one rotation or (None) in all, until just before `ends_at`.

    A swap is two of these.
    """

    rotation: str | None
    absent: str
    stand_in: str
    begins_at: datetime
    ends_at: datetime
    reason: str
    by: str | None = None


@dataclass(frozen=True)
class Roster:
    """One organisation's roster. Every id it names exists: the reader of the file has checked that.

    `owner` is the role that is told of gaps. Without `pages_unverified` an address that nobody verified is not used at
    all. `memory` and `edges_by_role` keep what was worked out; they never change an answer.
    """

    organisation: str
    zone: ZoneInfo
    people: Mapping[str, Person]
    teams: Mapping[str, tuple[str, ...]]
    rotations: Mapping[str, Rotation]
    roles: Mapping[str, Role]
    overrides: tuple[Override, ...]
    sha256: str
    covers: tuple[Cover, ...] = ()
    owner: str | None = None
    pages_unverified: bool = True
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    edges_by_role: dict[str, tuple[datetime, ...]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def overrides_of(self) -> Mapping[str, tuple[Override, ...]]:
        """The overrides of each role that has any."""
        found: dict[str, list[Override]] = defaultdict(list)
        for entry in self.overrides:
            found[entry.role].append(entry)
        return {role: tuple(entries) for role, entries in found.items()}

    @cached_property
    def covers_of(self) -> Mapping[str, tuple[Cover, ...]]:
        """The covers by who is absent."""
        found: dict[str, list[Cover]] = defaultdict(list)
        for entry in self.covers:
            found[entry.absent].append(entry)
        return {person: tuple(entries) for person, entries in found.items()}

    @cached_property
    def has_leave(self) -> bool:
        """Whether anybody has leave entered, ever."""
        return any(person.leave for person in self.people.values())
