"""Who is on duty for a role at an instant, and why.

A role draws its people from sources: a person, a team, a rotation or another role. Then, in this order: an override
replaces the role's people while it lasts; outside the role's hours its off-hours sources stand in; whoever is on
leave or recused is replaced by the deputy, and the deputy by the deputy's deputy. An empty answer means nobody.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.notifier.domain.rotation import Rotation, shift_at
from shared.contracts.values import Bilingual, ChannelKind, Language


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One address of a person. `id` is unique within the person and stays when the list is extended."""

    id: str
    channel: ChannelKind
    to: str


@dataclass(frozen=True, slots=True)
class Absence:
    """Leave from `begins_at` until just before `ends_at` (aware)."""

    begins_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told. `language` overrides that of the request."""

    id: str
    label: Bilingual
    contacts: tuple[ContactPoint, ...]
    deputy: str | None = None
    leave: tuple[Absence, ...] = ()
    language: Language | None = None

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


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours by the wall clock of a zone; Monday is 0. `ends` at or before `begins` means the next morning."""

    weekdays: frozenset[int]
    begins: time
    ends: time
    zone: ZoneInfo

    def cover(self, instant: datetime) -> bool:
        """True when the instant lies in the hours."""
        local = instant.astimezone(self.zone)
        clock, day = local.time(), local.weekday()
        if self.begins < self.ends:
            return day in self.weekdays and self.begins <= clock < self.ends
        yesterday = (local.date() - timedelta(days=1)).weekday()
        return (day in self.weekdays and clock >= self.begins) or (yesterday in self.weekdays and clock < self.ends)


@dataclass(frozen=True, slots=True)
class Role:
    """A function that plans name. Without `hours` it is filled around the clock."""

    id: str
    label: Bilingual
    duty: tuple[Source, ...]
    hours: Hours | None = None
    off_hours: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """These people instead of the role's own, from `begins_at` until just before `ends_at` (aware)."""

    role: str
    people: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Roster:
    """One organisation's roster. Every id it names exists: the reader of the file has checked that."""

    organisation: str
    zone: ZoneInfo
    people: Mapping[str, Person]
    teams: Mapping[str, tuple[str, ...]]
    rotations: Mapping[str, Rotation]
    roles: Mapping[str, Role]
    overrides: tuple[Override, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Duty:
    """A person who is on duty, with the reason in both languages."""

    person: Person
    because: Bilingual


def on_duty(
    roster: Roster, role: str, instant: datetime, *, excluded: frozenset[str] = frozenset()
) -> tuple[Duty, ...]:
    """The people on duty for the role at `instant` (aware), each once, in the roster's order.

    `excluded` are recused people, by id: their deputies stand in. Empty for an unknown role and when nobody is left.
    """
    found: dict[str, Duty] = {}
    for person, because in _candidates(roster, role, instant):
        duty = _present(roster, roster.people[person], because, instant, excluded)
        if duty is not None:
            found.setdefault(duty.person.id, duty)
    return tuple(found.values())


def _candidates(roster: Roster, role_id: str, instant: datetime) -> Iterator[tuple[str, Bilingual]]:
    role = roster.roles.get(role_id)
    if role is None:
        return
    overrides = [
        entry for entry in roster.overrides if entry.role == role_id and entry.begins_at <= instant < entry.ends_at
    ]
    if overrides:
        for entry in overrides:
            until = _local(roster, entry.ends_at)
            because = _both(f"临时替班至{until}（{entry.reason}）", f"override until {until} ({entry.reason})")
            yield from ((person, because) for person in entry.people)
        return
    if role.hours is not None and role.off_hours and not role.hours.cover(instant):
        note = _both(f"{role.label.zh}非工作时间由其代班", f"stands in for {role.label.en} outside its hours")
        yield from _from_sources(roster, role, role.off_hours, instant, note)
        return
    yield from _from_sources(roster, role, role.duty, instant, None)


def _from_sources(
    roster: Roster, role: Role, sources: Iterable[Source], instant: datetime, note: Bilingual | None
) -> Iterator[tuple[str, Bilingual]]:
    for source in sources:
        for person, because in _from_source(roster, role, source, instant):
            yield person, _joined(note, because)


def _from_source(roster: Roster, role: Role, source: Source, instant: datetime) -> Iterator[tuple[str, Bilingual]]:
    match source.kind:
        case SourceKind.PERSON:
            yield source.id, _both(f"担任{role.label.zh}", f"holds {role.label.en}")
        case SourceKind.TEAM:
            because = _both(f"{source.id}组成员", f"member of team {source.id}")
            yield from ((person, because) for person in roster.teams[source.id])
        case SourceKind.ROTATION:
            shift = shift_at(roster.rotations[source.id], instant)
            if shift is not None:
                until = _local(roster, shift.ends_at)
                yield shift.person, _both(f"轮值{source.id}，至{until}", f"on rotation {source.id} until {until}")
        case SourceKind.ROLE:
            yield from _candidates(roster, source.id, instant)


def _present(
    roster: Roster, person: Person, because: Bilingual, instant: datetime, excluded: frozenset[str]
) -> Duty | None:
    seen: set[str] = set()
    while True:
        absence = person.absence_at(instant)
        if person.id not in excluded and absence is None:
            return Duty(person, because)
        seen.add(person.id)
        if person.deputy is None or person.deputy in seen:
            return None
        why = (
            _both(f"{person.label.zh}回避，由其代理", f"deputy of {person.label.en}, who is recused")
            if absence is None
            else _both(
                f"{person.label.zh}休假至{_local(roster, absence.ends_at)}，由其代理",
                f"deputy of {person.label.en}, on leave until {_local(roster, absence.ends_at)}",
            )
        )
        because = _joined(because, why)
        person = roster.people[person.deputy]


def _local(roster: Roster, instant: datetime) -> str:
    return f"{instant.astimezone(roster.zone):%Y-%m-%d %H:%M}"


def _both(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh[:200], en=en[:200])


def _joined(first: Bilingual | None, second: Bilingual) -> Bilingual:
    if first is None:
        return second
    return Bilingual(zh=f"{first.zh}；{second.zh}"[:500], en=f"{first.en}; {second.en}"[:500])
