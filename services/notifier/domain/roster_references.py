"""What one entry of a roster alone cannot tell: references, moments and cycles."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.domain.roster import SourceKind
from services.notifier.domain.roster_building import contacts_of, instant_of, named_source
from services.notifier.domain.roster_file import (
    WEEKDAYS,
    Moment,
    WrittenFile,
    WrittenPerson,
    WrittenRole,
    WrittenRotation,
    WrittenSource,
    WrittenSwap,
)
from services.notifier.domain.roster_problems import Path
from services.notifier.domain.rotation import Period
from shared.contracts.values import Bilingual, ChannelKind

# Every step down is worked out within the one above it.
_DEEPEST: Final = 20
_NOT_IN_ADDRESSES: Final = frozenset('<>,;:"()[]\\@')


def problems_of(written: WrittenFile) -> list[tuple[Path, str]]:
    """Every problem with the path of its field; empty for a sound roster."""
    checker = _References(written)
    checker.check()
    return checker.found


class _References:
    def __init__(self, written: WrittenFile) -> None:
        self._written = written
        self._zone = ZoneInfo(written.timezone)
        self._ids = {
            SourceKind.PERSON: {person.id for person in written.people},
            SourceKind.TEAM: {team.id for team in written.teams},
            SourceKind.ROTATION: {rotation.id for rotation in written.rotations},
            SourceKind.ROLE: {role.id for role in written.roles},
        }
        self.found: list[tuple[Path, str]] = []

    def check(self) -> None:
        written = self._written
        self._unique(("people",), [person.id for person in written.people])
        self._unique(("teams",), [team.id for team in written.teams])
        self._unique(("rotations",), [rotation.id for rotation in written.rotations])
        self._unique(("roles",), [role.id for role in written.roles])
        if written.owner is not None:
            self._known(("owner",), SourceKind.ROLE, written.owner)
        for at, person in enumerate(written.people):
            self._person(("people", at), person)
        for at, team in enumerate(written.teams):
            self._known_people(("teams", at, "people"), team.people)
        for at, rotation in enumerate(written.rotations):
            self._rotation(("rotations", at), rotation)
        for at, role in enumerate(written.roles):
            self._role(("roles", at), role)
        for at, entry in enumerate(written.overrides):
            path: Path = ("overrides", at)
            self._known((*path, "role"), SourceKind.ROLE, entry.role)
            self._known_people((*path, "people"), entry.people)
            self._span(path, entry.begins, entry.ends)
        for at, swap in enumerate(written.swaps):
            self._swap(("swaps", at), swap)
        self._no_cycles()

    def _person(self, path: Path, person: WrittenPerson) -> None:
        self._named(path, person.name)
        self._known_people((*path, "deputy"), person.deputy)
        if person.id in person.deputy:
            self._add((*path, "deputy"), "nobody is their own deputy")
        if person.room and person.leave:
            self._add((*path, "leave"), "a duty room does not go on leave")
        self._unique((*path, "contacts"), [contact.id for contact in contacts_of(person)])
        for at, contact in enumerate(person.contacts):
            if contact.channel is ChannelKind.EMAIL and not _is_mail_address(contact.to):
                self._add((*path, "contacts", at, "to"), f"'{contact.to[:80]}' is not an e-mail address")
            if contact.channel is ChannelKind.SMS and not contact.to.removeprefix("+").isdecimal():
                self._add((*path, "contacts", at, "to"), "a phone number has digits only, with + before a country code")
        for at, leave in enumerate(person.leave):
            self._span((*path, "leave", at), leave.begins, leave.ends)
            if leave.deputy is not None:
                self._known((*path, "leave", at, "deputy"), SourceKind.PERSON, leave.deputy)
                if leave.deputy == person.id:
                    self._add((*path, "leave", at, "deputy"), "nobody is their own deputy")

    def _rotation(self, path: Path, rotation: WrittenRotation) -> None:
        for at, turn in enumerate(rotation.people):
            self._known_people((*path, "people", at), turn)
        if list(rotation.handover) != sorted(set(rotation.handover)):
            self._add((*path, "handover"), "hand-over times ascend, each once")
        if len(rotation.handover) > 1 and (rotation.every is not Period.DAY or rotation.length != 1):
            self._add((*path, "handover"), "several a day need every: day and length: 1")

    def _role(self, path: Path, role: WrittenRole) -> None:
        self._named(path, role.name)
        self._unique((*path, "layers"), [layer.id for layer in role.layers])
        self._sources((*path, "duty"), role.duty)
        self._sources((*path, "off_hours"), role.off_hours)
        self._sources((*path, "when_nobody"), role.when_nobody)
        written_hours = [((*path, "hours"), role.hours)]
        for at, layer in enumerate(role.layers):
            self._sources((*path, "layers", at, "duty"), layer.duty)
            written_hours.append(((*path, "layers", at, "hours"), layer.hours))
        for place, hours in written_hours:
            for at, one in enumerate(hours or ()):
                for number, day in enumerate(one.days):
                    if day not in WEEKDAYS:
                        self._add((*place, at, "days", number), f"'{day[:20]}' is none of {', '.join(WEEKDAYS)}")
        if role.off_hours and role.hours is None:
            self._add((*path, "off_hours"), "needs hours")

    def _sources(self, path: Path, sources: Sequence[WrittenSource]) -> None:
        for at, source in enumerate(sources):
            named = named_source(source)
            if len(named) != 1:
                self._add((*path, at), "give exactly one of person, team, rotation, role")
            for kind, target in named:
                self._known((*path, at, kind.value), kind, target)

    def _swap(self, path: Path, swap: WrittenSwap) -> None:
        self._known_people((*path, "between"), swap.between)
        if swap.between[0] == swap.between[1]:
            self._add((*path, "between"), "a swap is between two people")
        if swap.rotation is not None:
            self._known((*path, "rotation"), SourceKind.ROTATION, swap.rotation)
        self._span(path, swap.begins, swap.ends)
        if swap.back is not None:
            self._span((*path, "back"), swap.back.begins, swap.back.ends)

    def _no_cycles(self) -> None:
        delegates = {
            role.id: [
                target
                for sources in (
                    role.duty,
                    role.off_hours,
                    role.when_nobody,
                    *(layer.duty for layer in role.layers),
                )
                for source in sources
                for kind, target in named_source(source)
                if kind is SourceKind.ROLE
            ]
            for role in self._written.roles
        }
        depths: dict[str, int] = {}
        for at, role in enumerate(self._written.roles):
            if role.id in _reachable(delegates, role.id):
                self._add(("roles", at, "duty"), f"role '{role.id}' ends in itself")
            elif _depth(delegates, role.id, depths) > _DEEPEST:
                self._add(("roles", at, "duty"), f"takes people from roles of roles more than {_DEEPEST} deep")

    def _named(self, path: Path, name: Bilingual) -> None:
        for language, text in (("zh", name.zh), ("en", name.en)):
            if not text.strip():
                self._add((*path, "name", language), "messages call people and roles by it: it cannot be empty")

    def _known(self, path: Path, kind: SourceKind, target: str) -> None:
        if target not in self._ids[kind]:
            self._add(path, f"there is no {kind.value} '{target}'")

    def _known_people(self, path: Path, people: Sequence[str]) -> None:
        for at, person in enumerate(people):
            self._known((*path, at), SourceKind.PERSON, person)

    def _unique(self, path: Path, ids: Sequence[str]) -> None:
        for at, one in enumerate(ids):
            if one in ids[:at]:
                self._add((*path, at, "id"), f"'{one}' is there twice")

    def _span(self, path: Path, begins: Moment, ends: Moment) -> None:
        bounds: list[datetime] = []
        for name, moment, is_end in (("from", begins, False), ("to", ends, True)):
            try:
                bounds.append(instant_of(moment, self._zone, is_end=is_end))
            except (ValueError, OverflowError):
                self._add((*path, name), f"'{str(moment)[:40]}' is neither a day nor a time")
        if len(bounds) == len(("from", "to")) and bounds[0] >= bounds[1]:
            self._add((*path, "to"), "lies before from")

    def _add(self, path: Path, what: str) -> None:
        self.found.append((path, what))


def _is_mail_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return text.isascii() and bool(local and at and domain) and not set(text[: -len(domain) - 1]) & _NOT_IN_ADDRESSES


def _depth(delegates: dict[str, list[str]], start: str, known: dict[str, int]) -> int:
    """How many roles the longest way down from this one passes; whoever ends in itself counts as none."""
    path = [start]
    while path:
        role = path[-1]
        waiting = [one for one in delegates.get(role, ()) if one not in known and one not in path]
        if waiting:
            path.append(waiting[0])
            continue
        known[role] = 1 + max((known.get(one, 0) for one in delegates.get(role, ())), default=0)
        path.pop()
    return known[start]


def _reachable(delegates: dict[str, list[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(delegates[start])
    while waiting:
        role = waiting.pop()
        if role not in seen:
            seen.add(role)
            waiting.extend(delegates.get(role, ()))
    return seen
