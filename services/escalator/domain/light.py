"""Thresholds that only tell and record: fired from what was written beside the case, without the case itself.

A warning, or an end that pages nobody, changes nothing that a later rule would have to weigh. When a hundred thousand
of them fall on one instant, reading, judging and writing back each case would take most of a minute. So every full
decision leaves a `Card`, the case as it was published, and a light firing completes it with the one thing that changed.
`overlay` puts the same into the state when it is read next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from json import dumps
from typing import Final
from uuid import UUID

from services.escalator.domain import deadlines, wording
from services.escalator.domain.case import Case, Ladder
from services.escalator.domain.clocks import BREACH, Entry, EntryKind, fired
from services.escalator.domain.decision import Ahead, Timer, Turn, clock_id_of, subject_of
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import CaseEscalatedV1, ClockState
from shared.contracts.values import CaseKind, Language
from shared.plans.duties import CompiledClock
from shared.plans.model import Breach

_ONLY_TOLD: Final = frozenset({Breach.RECORD, Breach.NOTIFY})
_LATER: Final = {"revision", "changed_at", "changes"}
_SAID: Final = {"because", "because_other", "due_at", "next_tier"}
_MOST_ENDED: Final = 8


@dataclass(frozen=True, slots=True)
class Head:
    """What decides whether and how a threshold of a case can be fired lightly.

    `generations` are those of the clocks that ran: a timer of another one is void, whatever the table says.
    """

    generations: Mapping[str, int]
    step: int
    tier: str
    level: str
    language: Language
    drill: bool

    def dump(self) -> str:
        """As one line."""
        running = ",".join(f"{clock}={generation}" for clock, generation in self.generations.items())
        return f"{self.step} {self.tier or '-'} {self.level or '-'} {self.language} {self.drill:d} {running}"

    @classmethod
    @lru_cache(maxsize=4096)
    def load(cls, text: str) -> "Head":
        """The inverse of `dump`. Raises ValueError for what is no head."""
        step, tier, level, language, drill, running = text.split(" ")
        pairs = (pair.split("=") for pair in running.split(",")) if running else ()
        return cls(
            {clock: int(generation) for clock, generation in pairs},
            int(step),
            "" if tier == "-" else tier,
            "" if level == "-" else level,
            "en" if language == "en" else "zh",
            drill == "1",
        )


@dataclass(frozen=True, slots=True)
class Card:
    """A case as it was last published, in the pieces a light firing puts together. Texts are JSON without its start.

    `published` lacks revision, instant and changes; `subject` lacks what is said and the end of the clock.
    """

    head: Head
    published: str
    subject: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A light firing that the stored state does not have yet."""

    clock: str
    threshold: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LightFire:
    """What to publish, in pieces that alike cases have in common and each completes with what it has of its own.

    The event is `{"revision":` with the case's revision, then `opening`, then the card's `published` in which each
    first text of `ended` has become the second. The request, None when nobody is to be told, is `{"request_id":"` with
    its id, then `request`, the card's `subject` and `}`. `following` is armed instead.
    """

    opening: str
    ended: tuple[tuple[str, str], ...]
    request: str | None
    mark: Mark
    following: Timer | None


def card_of(rules: Rules, published: CaseEscalatedV1, case: Case) -> Card:
    """The card to write with a decision."""
    head = Head(
        {clock.id: clock.generation for clock in case.clocks if clock.running},
        case.steps,
        case.ladder.tier if case.ladder is not None else "",
        case.level or "",
        case.language,
        case.drill,
    )
    return Card(
        head,
        published.model_dump_json(exclude=_LATER)[1:],
        subject_of(rules, case).model_dump_json(exclude=_SAID)[1:],
    )


def told_with(card: Card, published: CaseEscalatedV1) -> bytes:
    """The event that the card was made of, put together from the card: most of it need not be written twice."""
    return f"{published.model_dump_json(include=_LATER)[:-1]},{card.published}".encode()


def fire_lightly(rules: Rules, head: Head, marks: Sequence[Mark], timer: Timer, now: datetime) -> LightFire | None:
    """Fire this timer without its case, or None when only a full decision can tell what follows.

    `marks` are the light firings of the case since its card was written.
    """
    clock = clock_id_of(timer.subject)
    spec = next((spec for spec in rules.plan.clocks if spec.id == clock), None)
    if clock is None or spec is None or not _alone(rules, spec, (head, marks), timer, now):
        return None
    ahead = timer.ahead or ()
    ends = (one.due_at for one in (Ahead(timer.threshold, timer.due_at), *ahead) if one.threshold == BREACH)
    ends_at = next(ends, None)
    ended = _ended(rules, head, timer, marks)
    if ends_at is None or len(ended) > _MOST_ENDED:
        return None  # said again after the end, which the table no longer knows
    told = _told(_Telling(rules, spec), timer.threshold, ends_at, now, (head.tier, head.level, head.language))
    request = None
    if told.request is not None:
        request = f'",{told.request},"step":{head.step},"drill":{_json(head.drill)},"subject":{{{told.subject},'
    following = None
    if ahead:
        following = Timer(timer.subject, timer.generation, *ahead[0], timer.lane, ahead[1:])
    return LightFire(f",{told.escalated},", ended, request, Mark(clock, timer.threshold, now), following)


def _alone(rules: Rules, spec: CompiledClock, known: tuple[Head, Sequence[Mark]], timer: Timer, now: datetime) -> bool:
    """Whether this threshold, and no other, has passed, and whether telling of it is all that follows."""
    head, marks = known
    if timer.ahead is None or head.generations.get(spec.id) != timer.generation:
        return False
    if any(mark.clock == spec.id and mark.threshold == timer.threshold for mark in marks):
        return False
    if timer.ahead and timer.ahead[0].due_at <= now:
        return False
    if timer.threshold == BREACH and spec.breach not in _ONLY_TOLD:
        return False
    if timer.threshold == BREACH and any(notice.on == "breached" for notice in rules.plan.notices):
        return False
    # Who is told may depend on facts, which the card does not have.
    return not rules.plan.recusals and all(tier.when is None for tier in rules.plan.tiers)


def entry_of(mark: Mark) -> Entry:
    """The firing as a line of its clock's log."""
    return Entry(mark.clock, EntryKind.FIRE, mark.at, threshold=mark.threshold)


def overlay(case: Case, marks: Sequence[Mark]) -> Case:
    """The case after light firings that its stored state does not have yet."""
    for mark in marks:
        known = tuple(
            fired(clock, mark.threshold, mark.at) if clock.id == mark.clock else clock for clock in case.clocks
        )
        case = case.evolve(clocks=known, revision=case.revision + 1, changed_at=mark.at)
    return case


@dataclass(frozen=True, slots=True)
class _Told:
    escalated: str
    request: str | None
    subject: str


class _Telling:
    """Rules and one of their clocks as a key: equal when the plan's text and the clock are."""

    __slots__ = ("_key", "rules", "spec")

    def __init__(self, rules: Rules, spec: CompiledClock) -> None:
        self.rules = rules
        self.spec = spec
        self._key = (rules.plan.ref.sha256, rules.org, spec.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Telling) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=4096)
def _told(
    telling: _Telling, threshold: str, ends_at: datetime, now: datetime, voice: tuple[str, str, Language]
) -> _Told:
    """The words, made by the rules that a full decision uses. Alike for every case that is told alike."""
    rules, spec = telling.rules, telling.spec
    tier, level, language = voice
    ladder = Ladder(0, tier, 0, 0, now, None) if tier else None
    anybody = Case(
        org="", case_id=UUID(int=0), number="", kind=CaseKind.COMPLAINT, plan=rules.plan.ref, opened_at=now,
        changed_at=now, classified_revision=0, occurred_at=now, received_at=now, level=level or None, ladder=ladder,
        language=language,
    )  # fmt: skip
    turn = Turn(rules, anybody, now)
    deadlines.announce(turn, spec, threshold, ends_at)
    decision = turn.decide()
    (change,) = decision.changes
    (request,) = decision.requests or (None,)
    instant = change.model_dump_json(include={"at"})[len('{"at":') : -1]
    escalated = f'"changed_at":{instant},"changes":[{change.model_dump_json()}]'
    if request is None:
        return _Told(escalated, None, "")
    asked = request.model_dump_json(exclude={"request_id", "step", "drill", "subject"})[1:-1]
    subject = request.subject.model_dump_json(include=_SAID)[1:-1]
    return _Told(escalated, asked, subject)


def _ended(rules: Rules, head: Head, timer: Timer, marks: Sequence[Mark]) -> tuple[tuple[str, str], ...]:
    """How the clocks that have run out since the card was written are shown in it, and how they are to be shown."""
    ended = {mark.clock for mark in marks if mark.threshold == BREACH}
    if timer.threshold == BREACH and (clock := clock_id_of(timer.subject)) is not None:
        ended.add(clock)
    starts = (
        _start_of(clock.id, wording.words(clock.label, head.language))
        for clock in rules.plan.clocks
        if clock.id in ended
    )
    return tuple((f'{start}"{ClockState.RUNNING}"', f'{start}"{ClockState.BREACHED}"') for start in starts)


@lru_cache(maxsize=1024)
def _start_of(clock: str, label: str) -> str:
    return f'{{"id":{_json(clock)},"label":{_json(label)},"state":'


def _json(value: object) -> str:
    return dumps(value, ensure_ascii=False)
