"""Who is on duty for a role at an instant, and why: a chain of steps from the role to the person.

First an override that replaces; then the role's layers, the last one first, each within its hours and only if somebody
of it is there; outside the ground's hours the off-hours people; and if nobody is left, those for that case. A turn of
a rotation may be covered by somebody else. Whoever is on leave or recused is replaced by the first deputy who is
there, and an absent deputy by their deputies. What an override adds comes last. An empty answer means nobody.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from services.notifier.domain.roster import Absence, Cover, Override, Person, Role, Roster, Source, SourceKind
from services.notifier.domain.roster_wall_time import local_day
from services.notifier.domain.rotation import handovers_between, shift_at
from shared.contracts.values import MAX_TEXT, Bilingual

_ONE_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REMEMBERED_DAYS: Final = 20_000


class StepKind(StrEnum):
    """What kind of rule a step of the reason is."""

    OVERRIDE = "override"
    LAYER = "layer"
    OFF_HOURS = "off-hours"
    WHEN_NOBODY = "when-nobody"
    HOLDER = "holder"
    TEAM = "team"
    TURN = "turn"
    COVER = "cover"
    DELEGATED = "role"
    RECUSED = "recused"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the reason, in both languages."""

    kind: StepKind
    zh: str
    en: str


@dataclass(frozen=True)
class Duty:
    """A person who is on duty, with the chain of reasons from the role to the person."""

    person: Person
    chain: tuple[Step, ...]

    @cached_property
    def because(self) -> Bilingual:
        """The chain as one sentence."""
        zh, en = "；".join(step.zh for step in self.chain), "; ".join(step.en for step in self.chain)
        return Bilingual(zh=zh[:MAX_TEXT], en=en[:MAX_TEXT])


Duties = tuple[Duty, ...]


def on_duty(roster: Roster, role: str, instant: datetime, *, excluded: frozenset[str] = frozenset()) -> Duties:
    """The people on duty for the role at `instant` (aware), each once, in the roster's order.

    `excluded` are recused people, by id: their deputies stand in. Empty for an unknown role and when nobody is left.
    Exact at every microsecond: a day is worked out once, from the instants at which anything can change.
    """
    if role not in roster.roles:
        return ()
    if excluded:
        return _Resolver(roster, instant, excluded).of_role(roster.roles[role])
    day = (instant - _EPOCH).days
    known = roster.memory.get((role, day))
    if known is None:
        known = _worked_out(roster, role, day)
    begins, answers = known
    answer: Duties = answers[bisect_right(begins, instant) - 1]
    return answer


def lost_at(roster: Roster, role: str, instant: datetime) -> Duties:
    """Who should be on duty for the role at `instant` and is away, with nobody to stand in for them.

    Only those who were looked for: below a layer with somebody on duty nobody is.
    """
    resolver = _Resolver(roster, instant)
    resolver.of_role(roster.roles[role])
    return _each_once(resolver.lost)


def is_stood_in_for(roster: Roster, person: str, instant: datetime) -> bool:
    """Whether the person, or a deputy of theirs, is there at `instant`."""
    resolver = _Resolver(roster, instant)
    return resolver.stand_in(person) is not None


def changes(roster: Roster, role: str, begins_at: datetime, ends_at: datetime) -> list[datetime]:
    """The instants in [begins_at, ends_at) at which the answer for the role may change, ascending, with the first."""
    found = {begins_at}
    edges = _edges_of(roster, role)
    found.update(edges[bisect_left(edges, begins_at) : bisect_left(edges, ends_at)])
    rotations: set[str] = set()
    for role_id in reached_roles(roster, role):
        entry = roster.roles[role_id]
        for layer in entry.layers:
            if layer.hours is not None:
                first = local_day(begins_at, layer.hours.zone) - _ONE_DAY
                last = local_day(ends_at, layer.hours.zone) + _ONE_DAY
                found.update(moment for span in layer.hours.spans(first, last) for moment in span)
        for source in sources_of(entry):
            if source.kind is SourceKind.ROTATION:
                rotations.add(source.id)
    for rotation in rotations:
        found.update(handovers_between(roster.rotations[rotation], begins_at, ends_at))
    return sorted(moment for moment in found if begins_at <= moment < ends_at)


def _edges_of(roster: Roster, role: str) -> tuple[datetime, ...]:
    """Every instant, ascending, at which an override, a cover or a leave begins or ends that the role depends on."""
    if role not in roster.edges_by_role:
        roster.edges_by_role[role] = tuple(sorted(_depended_on(roster, role)))
    return roster.edges_by_role[role]


def _depended_on(roster: Roster, role: str) -> set[datetime]:
    roles = reached_roles(roster, role)
    overrides = [one for role_id in roles for one in roster.overrides_of.get(role_id, ())]
    spans: list[Override | Cover | Absence] = [*overrides]
    waiting = [person for one in overrides for person in one.people]
    waiting += (
        one for role_id in roles for source in sources_of(roster.roles[role_id]) for one in _named(roster, source)
    )
    seen: set[str] = set()
    while waiting:
        person = roster.people[waiting.pop()]
        if person.id in seen:
            continue
        seen.add(person.id)
        covers = roster.covers_of.get(person.id, ())
        spans += (*covers, *person.leave)
        waiting += (cover.stand_in for cover in covers)
        if person.leave:
            # Nobody asks for the deputies of somebody who is always there.
            waiting += (*person.deputies, *(leave.deputy for leave in person.leave if leave.deputy is not None))
    return {moment for span in spans for moment in (span.begins_at, span.ends_at)}


def _named(roster: Roster, source: Source) -> Iterator[str]:
    """The people that a source names itself; none for a role, which names its own."""
    match source.kind:
        case SourceKind.PERSON:
            yield source.id
        case SourceKind.TEAM:
            yield from roster.teams[source.id]
        case SourceKind.ROTATION:
            yield from (person for turn in roster.rotations[source.id].turns for person in turn)
        case SourceKind.ROLE:
            return


def sources_of(role: Role) -> Iterator[Source]:
    """Every source a role names, wherever."""
    for layer in role.layers:
        yield from layer.duty
    yield from role.off_hours
    yield from role.when_nobody


def reached_roles(roster: Roster, role: str) -> list[str]:
    """The role and every role it takes people from."""
    found = [role]
    for one in found:
        for source in sources_of(roster.roles[one]):
            if source.kind is SourceKind.ROLE and source.id not in found:
                found.append(source.id)
    return found


def _worked_out(roster: Roster, role: str, day: int) -> tuple[list[datetime], list[Duties]]:
    begins_at = _EPOCH + timedelta(days=day)
    moments = changes(roster, role, begins_at, begins_at + _ONE_DAY)
    answers = [_Resolver(roster, moment).of_role(roster.roles[role]) for moment in moments]
    if len(roster.memory) >= _REMEMBERED_DAYS:
        roster.memory.clear()
    roster.memory[role, day] = moments, answers
    return moments, answers


@dataclass(frozen=True, slots=True)
class _Resolver:
    """The rules at one instant. `lost`: whose turn it would have been, away and without a deputy who is there."""

    roster: Roster
    instant: datetime
    excluded: frozenset[str] = frozenset()
    lost: list[Duty] = field(default_factory=list)
    known: dict[str, Duties] = field(default_factory=dict)

    def of_role(self, role: Role) -> Duties:
        # Once each: roles that take people from the same roles would double the work with every step down.
        if role.id not in self.known:
            self.known[role.id] = self._worked_out(role)
        return self.known[role.id]

    def _worked_out(self, role: Role) -> Duties:
        overrides = [one for one in self.roster.overrides_of.get(role.id, ()) if self._runs(one)]
        duties = self._overridden([one for one in overrides if not one.adds])
        duties = duties or self._layered(role) or self._from(role.when_nobody, self._when_nobody(role))
        return _each_once((*duties, *self._overridden([one for one in overrides if one.adds])))

    def stand_in(self, person: str) -> Duty | None:
        """The person, or the first deputy who is there."""
        return next(self._present(person, ()), None)

    def _runs(self, one: Override | Absence) -> bool:
        return one.begins_at <= self.instant < one.ends_at

    def _overridden(self, overrides: Iterable[Override]) -> Duties:
        return _each_once(
            duty for one in overrides for person in one.people for duty in self._present(person, self._override(one))
        )

    def _layered(self, role: Role) -> Duties:
        ground = role.layers[0]
        for layer in reversed(role.layers):
            if layer.hours is not None and not layer.hours.cover(self.instant):
                continue
            steps = () if layer is ground else (Step(StepKind.LAYER, f"排班层{layer.id}", f"layer {layer.id}"),)
            duties = self._from(layer.duty, steps, role)
            if duties:
                return duties
        if ground.hours is not None and not ground.hours.cover(self.instant):
            zh, en = f"{role.label.zh}非工作时间由其代班", f"stands in for {role.label.en} outside its hours"
            return self._from(role.off_hours, (Step(StepKind.OFF_HOURS, zh, en),), role)
        return ()

    def _when_nobody(self, role: Role) -> tuple[Step, ...]:
        zh, en = f"{role.label.zh}无人当值，由其兜底", f"last resort: nobody is left for {role.label.en}"
        return (Step(StepKind.WHEN_NOBODY, zh, en),)

    def _from(self, sources: Iterable[Source], steps: tuple[Step, ...], role: Role | None = None) -> Duties:
        return _each_once(duty for source in sources for duty in self._from_source(source, steps, role))

    def _from_source(self, source: Source, steps: tuple[Step, ...], role: Role | None) -> Iterator[Duty]:
        match source.kind:
            case SourceKind.PERSON:
                own = steps
                if role is not None:
                    own = (*steps, Step(StepKind.HOLDER, f"担任{role.label.zh}", f"holds {role.label.en}"))
                yield from self._present(source.id, own)
            case SourceKind.TEAM:
                own = (*steps, Step(StepKind.TEAM, f"{source.id}组成员", f"member of team {source.id}"))
                for person in self.roster.teams[source.id]:
                    yield from self._present(person, own)
            case SourceKind.ROTATION:
                shift = shift_at(self.roster.rotations[source.id], self.instant)
                if shift is not None:
                    until = self._local(shift.ends_at)
                    zh, en = f"轮值{source.id}，至{until}", f"on rotation {source.id} until {until}"
                    for person in shift.people:
                        yield from self._turn(source.id, person, (*steps, Step(StepKind.TURN, zh, en)))
            case SourceKind.ROLE:
                target = self.roster.roles[source.id]
                own = (*steps, Step(StepKind.DELEGATED, f"由{target.label.zh}承担", f"filled by {target.label.en}"))
                for duty in self.of_role(target):
                    yield Duty(duty.person, (*own, *duty.chain))

    def _turn(self, rotation: str, person: str, steps: tuple[Step, ...]) -> Iterator[Duty]:
        for cover in self.roster.covers_of.get(person, ()):
            if cover.rotation in {None, rotation} and cover.begins_at <= self.instant < cover.ends_at:
                absent, until = self.roster.people[person].label, self._local(cover.ends_at)
                zh = f"与{absent.zh}换班至{until}（{cover.reason}{_by(cover.by, '，', '经办')}）"
                en = f"takes the turn of {absent.en} until {until} ({cover.reason}{_by(cover.by, ', by ')})"
                yield from self._present(cover.stand_in, (*steps, Step(StepKind.COVER, zh, en)))
                return
        yield from self._present(person, steps)

    def _present(self, person_id: str, steps: tuple[Step, ...]) -> Iterator[Duty]:
        """The person, or the first deputy who is there; nothing when nobody of them is."""
        asked: set[str] = set()
        waiting = [(person_id, steps)]
        while waiting:
            one, chain = waiting.pop()
            if one in asked:
                continue
            asked.add(one)
            person = self.roster.people[one]
            absence = person.absence_at(self.instant)
            if absence is None and one not in self.excluded:
                yield Duty(person, chain)
                return
            why = (*chain, self._away(person, absence))
            own = (absence.deputy,) if absence is not None and absence.deputy is not None else ()
            # The last one waiting is asked next: the first deputy, and theirs before the second.
            waiting += [(deputy, why) for deputy in reversed(dict.fromkeys((*own, *person.deputies)))]
        self.lost.append(Duty(self.roster.people[person_id], steps))

    def _away(self, person: Person, absence: Absence | None) -> Step:
        if absence is None or person.id in self.excluded:
            zh, en = f"{person.label.zh}回避，由其代理", f"deputy of {person.label.en}, who is recused"
            return Step(StepKind.RECUSED, zh, en)
        until = self._local(absence.ends_at)
        zh = f"{person.label.zh}休假至{until}，由其代理"
        return Step(StepKind.LEAVE, zh, f"deputy of {person.label.en}, on leave until {until}")

    def _override(self, one: Override) -> tuple[Step, ...]:
        until = self._local(one.ends_at)
        zh, en = ("加派", "added") if one.adds else ("临时替班", "override")
        return (
            Step(
                StepKind.OVERRIDE,
                f"{zh}至{until}（{one.reason}{_by(one.by, '，', '经办')}）",
                f"{en} until {until} ({one.reason}{_by(one.by, ', by ')})",
            ),
        )

    def _local(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.roster.zone):%Y-%m-%d %H:%M}"


def _by(author: str | None, before: str, after: str = "") -> str:
    return f"{before}{author}{after}" if author else ""


def _each_once(duties: Iterable[Duty]) -> Duties:
    found: dict[str, Duty] = {}
    for duty in duties:
        found.setdefault(duty.person.id, duty)
    return tuple(found.values())
