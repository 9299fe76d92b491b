"""A roster as people write it: YAML in, a checked `Roster` out, or every problem with its line and field."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from services.notifier.domain.roster import (
    Absence,
    ContactPoint,
    Hours,
    Override,
    Person,
    Role,
    Roster,
    Source,
    SourceKind,
)
from services.notifier.domain.roster_file import (
    Moment,
    WrittenFile,
    WrittenPerson,
    WrittenRole,
    WrittenRotation,
    WrittenSource,
)
from services.notifier.domain.rotation import Rotation
from shared.contracts.values import ChannelKind

MAX_BYTES: Final = 4_000_000
_MAX_PROBLEMS: Final = 50
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NOT_IN_ADDRESSES: Final = frozenset('<>,;:"()[]\\@')
Path = tuple[str | int, ...]


class RosterError(ValueError):
    """The text is not a roster. `problems` has one sentence each: `file:line: field: what is wrong`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def parse_roster(text: str, *, file: str) -> Roster:
    """The roster in `text`; `file` only names it in messages. Raises RosterError with every problem found."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise RosterError([f"{file}:1: the file is larger than {MAX_BYTES} bytes"])
    tree = _tree(text, file)
    try:
        written = WrittenFile.model_validate(tree)
    except ValidationError as error:
        raise RosterError([_problem(tree, file, tuple(one["loc"]), one["msg"]) for one in _errors(error)]) from error
    checker = _Checker(written, tree, file)
    checker.check()
    if checker.problems:
        raise RosterError(checker.problems[:_MAX_PROBLEMS])
    return checker.roster(hashlib.sha256(text.encode()).hexdigest())


class _Constructor(RoundTripConstructor):
    """Leaves days and times as written: the fields that hold them say what is wrong, with their line."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_scalar)


def _tree(text: str, file: str) -> CommentedMap:
    try:
        yaml = YAML(typ="rt")
        yaml.Constructor = _Constructor
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise RosterError([f"{file}:{line}: not YAML: {error.problem or error.context}"]) from error
    except (YAMLError, ValueError) as error:
        raise RosterError([f"{file}:1: not YAML: {error}"]) from error
    if not isinstance(tree, CommentedMap):
        raise RosterError([f"{file}:1: a roster is a mapping with organisation, timezone, people and roles"])
    return tree


def _errors(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False, include_input=False))[:_MAX_PROBLEMS]


def _problem(tree: CommentedMap, file: str, path: Path, what: str) -> str:
    """A sentence with the line of the deepest written part of the path."""
    node: Any = tree
    line = 1
    for step in path:
        if isinstance(node, CommentedMap) and step in node:
            is_block = isinstance(node[step], CommentedMap | CommentedSeq)
            line = (node.lc.key(step) if is_block else node.lc.value(step))[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            break
        node = node[step]
    field = ".".join(str(step) for step in path) or "roster"
    return f"{file}:{line}: {field}: {what}"


class _Checker:
    """References, moments and cycles: what one entry alone cannot tell."""

    def __init__(self, written: WrittenFile, tree: CommentedMap, file: str) -> None:
        self._written = written
        self._tree = tree
        self._file = file
        self._zone = ZoneInfo(written.timezone)
        self._people = {person.id for person in written.people}
        self._ids = {
            SourceKind.PERSON: self._people,
            SourceKind.TEAM: {team.id for team in written.teams},
            SourceKind.ROTATION: {rotation.id for rotation in written.rotations},
            SourceKind.ROLE: {role.id for role in written.roles},
        }
        self.problems: list[str] = []

    def check(self) -> None:
        written = self._written
        self._unique(("people",), [person.id for person in written.people])
        self._unique(("teams",), [team.id for team in written.teams])
        self._unique(("rotations",), [rotation.id for rotation in written.rotations])
        self._unique(("roles",), [role.id for role in written.roles])
        for at, person in enumerate(written.people):
            self._check_person(("people", at), person)
        for at, team in enumerate(written.teams):
            self._known_people(("teams", at, "people"), team.people)
        for at, rotation in enumerate(written.rotations):
            self._known_people(("rotations", at, "people"), rotation.people)
        for at, role in enumerate(written.roles):
            self._check_role(("roles", at), role)
        for at, entry in enumerate(written.overrides):
            path: Path = ("overrides", at)
            if entry.role not in self._ids[SourceKind.ROLE]:
                self._add((*path, "role"), f"there is no role '{entry.role}'")
            self._known_people((*path, "people"), entry.people)
            self._span(path, entry.begins, entry.ends)
        self._no_cycles()

    def roster(self, sha256: str) -> Roster:
        """Only after `check` found nothing."""
        written = self._written
        return Roster(
            organisation=written.organisation,
            zone=self._zone,
            people={person.id: self._person(person) for person in written.people},
            teams={team.id: team.people for team in written.teams},
            rotations={rotation.id: self._rotation(rotation) for rotation in written.rotations},
            roles={role.id: self._role(role) for role in written.roles},
            overrides=tuple(
                Override(entry.role, entry.people, *self._bounds(entry.begins, entry.ends), entry.reason)
                for entry in written.overrides
            ),
            sha256=sha256,
        )

    def _check_person(self, path: Path, person: WrittenPerson) -> None:
        if person.deputy is not None and person.deputy not in self._people:
            self._add((*path, "deputy"), f"there is no person '{person.deputy}'")
        if person.deputy == person.id:
            self._add((*path, "deputy"), "nobody is their own deputy")
        self._unique((*path, "contacts"), [contact.id for contact in _contacts(person)])
        for at, contact in enumerate(person.contacts):
            if contact.channel is ChannelKind.EMAIL and not _is_mail_address(contact.to):
                self._add((*path, "contacts", at, "to"), f"'{contact.to[:80]}' is not an e-mail address")
            if contact.channel is ChannelKind.SMS and not contact.to.removeprefix("+").isdecimal():
                self._add((*path, "contacts", at, "to"), "a phone number has digits only, with + before a country code")
        for at, leave in enumerate(person.leave):
            self._span((*path, "leave", at), leave.begins, leave.ends)

    def _check_role(self, path: Path, role: WrittenRole) -> None:
        for name, sources in (("duty", role.duty), ("off_hours", role.off_hours)):
            for at, source in enumerate(sources):
                named = _named(source)
                if len(named) != 1:
                    self._add((*path, name, at), "give exactly one of person, team, rotation, role")
                for kind, target in named:
                    if target not in self._ids[kind]:
                        self._add((*path, name, at, kind.value), f"there is no {kind.value} '{target}'")
        if role.hours is not None:
            for at, day in enumerate(role.hours.days):
                if day not in _WEEKDAYS:
                    self._add((*path, "hours", "days", at), f"'{day[:20]}' is none of {', '.join(_WEEKDAYS)}")
        if role.off_hours and role.hours is None:
            self._add((*path, "off_hours"), "needs hours")

    def _no_cycles(self) -> None:
        delegates = {
            role.id: [
                target
                for source in (*role.duty, *role.off_hours)
                for kind, target in _named(source)
                if kind is SourceKind.ROLE
            ]
            for role in self._written.roles
        }
        for at, role in enumerate(self._written.roles):
            if role.id in _reachable(delegates, role.id):
                self._add(("roles", at, "duty"), f"role '{role.id}' ends in itself")

    def _known_people(self, path: Path, people: Sequence[str]) -> None:
        for at, person in enumerate(people):
            if person not in self._people:
                self._add((*path, at), f"there is no person '{person}'")

    def _unique(self, path: Path, ids: Sequence[str]) -> None:
        for at, one in enumerate(ids):
            if one in ids[:at]:
                self._add((*path, at, "id"), f"'{one}' is there twice")

    def _span(self, path: Path, begins: Moment, ends: Moment) -> None:
        bounds = []
        for name, moment, is_end in (("from", begins, False), ("to", ends, True)):
            try:
                bounds.append(self._instant(moment, is_end=is_end))
            except ValueError:
                self._add((*path, name), f"'{str(moment)[:40]}' is neither a day nor a time")
        if len(bounds) == len(("from", "to")) and bounds[0] >= bounds[1]:
            self._add((*path, "to"), "lies before from")

    def _bounds(self, begins: Moment, ends: Moment) -> tuple[datetime, datetime]:
        return self._instant(begins, is_end=False), self._instant(ends, is_end=True)

    def _instant(self, moment: Moment, *, is_end: bool) -> datetime:
        """A day means all of it: as an end, until the following midnight."""
        if len(moment) > len("2026-11-22"):
            instant = datetime.fromisoformat(moment)
            return instant if instant.tzinfo is not None else instant.replace(tzinfo=self._zone)
        written = date.fromisoformat(moment)
        day = written + timedelta(days=1) if is_end else written
        return datetime.combine(day, time(), self._zone)

    def _person(self, person: WrittenPerson) -> Person:
        return Person(
            id=person.id,
            label=person.name,
            contacts=_contacts(person),
            deputy=person.deputy,
            leave=tuple(Absence(*self._bounds(leave.begins, leave.ends), leave.reason) for leave in person.leave),
            language=person.language,
        )

    def _rotation(self, rotation: WrittenRotation) -> Rotation:
        return Rotation(
            id=rotation.id,
            every=rotation.every,
            start=rotation.start,
            handover=time.fromisoformat(rotation.handover),
            zone=ZoneInfo(rotation.timezone) if rotation.timezone else self._zone,
            people=rotation.people,
            length=rotation.length,
        )

    def _role(self, role: WrittenRole) -> Role:
        hours = None
        if role.hours is not None:
            hours = Hours(
                weekdays=frozenset(_WEEKDAYS.index(day) for day in role.hours.days),
                begins=time.fromisoformat(role.hours.begins),
                ends=time.fromisoformat(role.hours.ends),
                zone=self._zone,
            )
        return Role(
            id=role.id,
            label=role.name,
            duty=tuple(_sources(role.duty)),
            hours=hours,
            off_hours=tuple(_sources(role.off_hours)),
        )

    def _add(self, path: Path, what: str) -> None:
        self.problems.append(_problem(self._tree, self._file, path, what))


def _contacts(person: WrittenPerson) -> tuple[ContactPoint, ...]:
    counts: dict[ChannelKind, int] = {}
    points = []
    for contact in person.contacts:
        counts[contact.channel] = counts.get(contact.channel, 0) + 1
        points.append(
            ContactPoint(contact.id or f"{contact.channel}-{counts[contact.channel]}", contact.channel, contact.to)
        )
    return tuple(points)


def _is_mail_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return text.isascii() and bool(local and at and domain) and not set(text[: -len(domain) - 1]) & _NOT_IN_ADDRESSES


def _named(source: WrittenSource) -> list[tuple[SourceKind, str]]:
    return [(kind, target) for kind in SourceKind if (target := getattr(source, kind.value)) is not None]


def _sources(sources: Sequence[WrittenSource]) -> Iterator[Source]:
    for source in sources:
        for kind, target in _named(source):
            yield Source(kind, target)


def _reachable(delegates: dict[str, list[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(delegates[start])
    while waiting:
        role = waiting.pop()
        if role not in seen:
            seen.add(role)
            waiting.extend(delegates.get(role, ()))
    return seen
