"""Checked entries become values: moments become instants, swaps two covers, hours windows."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.domain.roster import (
    Absence,
    ContactPoint,
    Cover,
    Hours,
    Layer,
    Override,
    Person,
    Role,
    Roster,
    Source,
    SourceKind,
    Window,
    WorkingDays,
)
from services.notifier.domain.roster_file import (
    WEEKDAYS,
    Moment,
    WrittenFile,
    WrittenHours,
    WrittenPerson,
    WrittenRole,
    WrittenRotation,
    WrittenSource,
    WrittenSwap,
)
from services.notifier.domain.roster_wall_time import takes_place
from services.notifier.domain.rotation import Rotation
from services.notifier.domain.verification import fingerprint_of
from shared.contracts.values import ChannelKind

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_GROUND: Final = "ground"


def build_roster(
    written: WrittenFile, calendar: WorkingDays, sha256: str, *, proven: Collection[str] = frozenset()
) -> Roster:
    """The roster of entries that `problems_of` found nothing wrong with.

    `proven` are the fingerprints of addresses whose people answered a code.
    """
    return _Builder(ZoneInfo(written.timezone), calendar, proven).roster(written, sha256)


def instant_of(moment: Moment, zone: ZoneInfo, *, is_end: bool) -> datetime:
    """A day means all of it: as an end, until the following midnight. Raises ValueError for what is no moment."""
    if len(moment) > len("2026-11-22"):
        instant = datetime.fromisoformat(moment)
        return instant if instant.tzinfo is not None else takes_place(instant.date(), instant.time(), zone)
    day = date.fromisoformat(moment)
    return takes_place(day + timedelta(days=1) if is_end else day, time(), zone)


def contacts_of(person: WrittenPerson, proven: Collection[str] = frozenset()) -> tuple[ContactPoint, ...]:
    """Contact points, numbered by channel where they have no id of their own."""
    counts: dict[ChannelKind, int] = {}
    points = []
    for one in person.contacts:
        counts[one.channel] = counts.get(one.channel, 0) + 1
        number = f"{one.channel}-{counts[one.channel]}"
        verified = one.verified or fingerprint_of(person.id, one.channel, one.to) in proven
        points.append(ContactPoint(one.id or number, one.channel, one.to, verified, vouched=one.verified))
    return tuple(points)


def named_source(source: WrittenSource) -> list[tuple[SourceKind, str]]:
    """What the entry names; exactly one thing in a sound entry."""
    return [(kind, target) for kind in SourceKind if (target := getattr(source, kind.value)) is not None]


class _Builder:
    def __init__(self, zone: ZoneInfo, calendar: WorkingDays, proven: Collection[str]) -> None:
        self._proven = proven
        self._zone = zone
        self._calendar = calendar

    def roster(self, written: WrittenFile, sha256: str) -> Roster:
        return Roster(
            organisation=written.organisation,
            zone=self._zone,
            people={person.id: self._person(person) for person in written.people},
            teams={team.id: team.people for team in written.teams},
            rotations={rotation.id: self._rotation(rotation) for rotation in written.rotations},
            roles={role.id: self._role(role) for role in written.roles},
            overrides=tuple(
                Override(one.role, one.people, *self._span(one.begins, one.ends), one.reason, one.adds, one.by)
                for one in written.overrides
            ),
            sha256=sha256,
            covers=tuple(cover for swap in written.swaps for cover in self._covers(swap)),
            owner=written.owner,
            pages_unverified=written.page_unverified,
        )

    def _span(self, begins: Moment, ends: Moment) -> tuple[datetime, datetime]:
        return instant_of(begins, self._zone, is_end=False), instant_of(ends, self._zone, is_end=True)

    def _covers(self, swap: WrittenSwap) -> Iterator[Cover]:
        one, other = swap.between
        there = self._span(swap.begins, swap.ends)
        back = self._span(swap.back.begins, swap.back.ends) if swap.back is not None else there
        yield Cover(swap.rotation, one, other, *there, swap.reason, swap.by)
        yield Cover(swap.rotation, other, one, *back, swap.reason, swap.by)

    def _person(self, person: WrittenPerson) -> Person:
        return Person(
            id=person.id,
            label=person.name,
            contacts=contacts_of(person, self._proven),
            deputies=person.deputy,
            leave=tuple(
                Absence(*self._span(leave.begins, leave.ends), leave.reason, leave.deputy, leave.by)
                for leave in person.leave
            ),
            language=person.language,
            is_room=person.room,
        )

    def _rotation(self, rotation: WrittenRotation) -> Rotation:
        return Rotation(
            id=rotation.id,
            every=rotation.every,
            start=rotation.start,
            handovers=tuple(time.fromisoformat(one) for one in rotation.handover),
            zone=ZoneInfo(rotation.timezone) if rotation.timezone else self._zone,
            turns=rotation.people,
            length=rotation.length,
        )

    def _role(self, role: WrittenRole) -> Role:
        return Role(
            id=role.id,
            label=role.name,
            layers=(
                Layer(_GROUND, _sources(role.duty), self._hours(role.hours)),
                *(Layer(one.id, _sources(one.duty), self._hours(one.hours)) for one in role.layers),
            ),
            off_hours=_sources(role.off_hours),
            when_nobody=_sources(role.when_nobody),
            may_be_empty=role.may_be_empty,
            handover_notice=_length(role.handover_notice) if role.handover_notice is not None else None,
        )

    def _hours(self, written: Sequence[WrittenHours] | None) -> Hours | None:
        return None if written is None else hours_of(written, self._zone, self._calendar)


def _sources(sources: Sequence[WrittenSource]) -> tuple[Source, ...]:
    return tuple(Source(kind, target) for source in sources for kind, target in named_source(source))


def _length(text: str) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def hours_of(written: Sequence[WrittenHours], zone: ZoneInfo, calendar: WorkingDays) -> Hours:
    """Hours as a file writes them. Every day named is one of WEEKDAYS."""
    windows = tuple(
        Window(
            weekdays=frozenset(WEEKDAYS.index(day) for day in one.days),
            days=one.on,
            begins=time.fromisoformat(one.begins),
            ends=time.fromisoformat(one.ends),
        )
        for one in written
    )
    return Hours(windows, zone, calendar)
