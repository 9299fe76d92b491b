"""What a rule decides, as values: the case after it, what to publish, what to arm. Nothing has happened yet."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zlib import crc32

from uuid_utils.compat import uuid5

from services.escalator.domain import clocks, recusal, wording
from services.escalator.domain.case import Case
from services.escalator.domain.clocks import Clock, Entry
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import Change, ChangeKind
from shared.contracts.notifications import NotificationRequestedV1, Purpose, Subject, SubjectWords
from shared.contracts.values import Bilingual, ChannelKind, FactValue, Language, trusted
from shared.plans.words import Words

LADDER: Final = "ladder"
WAIT: Final = "wait"
LANES: Final = 32
GATE: Final = "gate"
APPROVAL_PREFIX: Final = "approval:"
DUTY_PREFIX: Final = "duty:"
_CLOCK_PREFIX: Final = "clock:"
DEFAULT_CHANNELS: Final = (ChannelKind.SMS, ChannelKind.EMAIL)
INFORM_CHANNELS: Final = (ChannelKind.EMAIL, ChannelKind.SMS)
"""Those who need not act are told where it disturbs least; a telephone comes next."""
_KEPT_PAGES: Final = 20
_MOST_EXCLUDED: Final = 200


class Ahead(NamedTuple):
    """A threshold after the one that is armed, and when it will pass if nothing moves the clock."""

    threshold: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Timer:
    """The next thing time does to one subject of a case: its ladder, a clock, a gate, a step of an approval, a duty.

    `due_at` is UTC.

    `lane` is where it queues when more is due than can be fired at once. `ahead` are the clock's thresholds after
    this one, the end last; None when they are not known, as for a ladder.
    """

    subject: str
    generation: int
    threshold: str
    due_at: datetime
    lane: int = 0
    ahead: tuple[Ahead, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fire:
    """A threshold that was passed, once and for all. `superseded`: recorded, but a higher one spoke for it."""

    subject: str
    generation: int
    threshold: str
    due_at: datetime
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The case after the rule, and everything that follows from it.

    `timers` is the complete set to be armed, not a difference. `ignored` says why nothing at all was decided.
    """

    case: Case
    changes: tuple[Change, ...] = ()
    requests: tuple[NotificationRequestedV1, ...] = ()
    entries: tuple[Entry, ...] = ()
    fires: tuple[Fire, ...] = ()
    timers: tuple[Timer, ...] = ()
    ignored: str | None = None


def clock_subject(clock_id: str) -> str:
    return f"{_CLOCK_PREFIX}{clock_id}"


def clock_id_of(subject: str) -> str | None:
    """The clock a timer belongs to; None for the ladder's."""
    return subject.removeprefix(_CLOCK_PREFIX) if subject.startswith(_CLOCK_PREFIX) else None


def armed(case: Case, rules: Rules) -> tuple[Timer, ...]:
    """The timers this state wants: at most one for each subject.

    A pure function of state, so a timer that is not among them is void, whatever the table says.
    """
    rules = rules.of(case.org)
    lane = _lane(case, rules)
    clocked = (_clock_timer(clock, rules, lane) for clock in case.clocks if clock.running)
    return (*_people_timers(case, lane), *(timer for timer in clocked if timer is not None))


@dataclass(frozen=True, slots=True)
class Armed:
    """What a case had armed, as far as it takes to see what differs: clocks that did not move are not counted anew."""

    case: Case
    rules: Rules

    def differs(self, case: Case, rules: Rules, wanted: Iterable[Timer]) -> tuple[list[str], list[Timer]]:
        """Subjects of which nothing is wanted any more, and the timers to arm, when the case is now this one."""
        was, now = _lane(self.case, self.rules), _lane(case, rules)
        alike = was == now and self.rules is rules
        unmoved = {clock_subject(clock.id) for clock in self.case.clocks if alike and clock == case.clock(clock.id)}
        running = {clock_subject(clock.id) for clock in self.case.clocks if clock.running}
        people = {timer.subject: timer for timer in _people_timers(self.case, was)}
        after = {timer.subject: timer for timer in wanted}
        gone = [subject for subject in (*people, *sorted(running - unmoved)) if subject not in after]
        new = [one for one in after.values() if one.subject not in unmoved and people.get(one.subject) != one]
        return gone, new


def armed_for(subject: str, case: Case, rules: Rules) -> Timer | None:
    """The one timer of this subject that the state wants."""
    lane = _lane(case, rules)
    if subject == LADDER:
        return _paging_timer(case, lane)
    if subject == WAIT:
        return _waiting_timer(case, lane)
    clock_id = clock_id_of(subject)
    if clock_id is None:
        return next((timer for timer in _asking_timers(case, lane) if timer.subject == subject), None)
    clock = case.clock(clock_id)
    return _clock_timer(clock, rules.of(case.org), lane) if clock is not None and clock.running else None


def _lane(case: Case, rules: Rules) -> int:
    return lane_of(case.org, urgent=rules.plan.rank(case.level) == rules.plan.highest_rank)


def _people_timers(case: Case, lane: int) -> tuple[Timer, ...]:
    found = (_paging_timer(case, lane), _waiting_timer(case, lane), *_asking_timers(case, lane))
    return tuple(timer for timer in found if timer is not None)


def _paging_timer(case: Case, lane: int) -> Timer | None:
    ladder = case.ladder
    if ladder is None or ladder.next_at is None:
        return None
    return Timer(LADDER, ladder.generation, f"{ladder.tier}:{ladder.attempt}", ladder.next_at, lane)


def _waiting_timer(case: Case, lane: int) -> Timer | None:
    return Timer(WAIT, case.pauses, "over", case.pause.until, lane) if case.pause is not None else None


def _asking_timers(case: Case, lane: int) -> Iterator[Timer]:
    """What people were asked to decide, and the rounds of duties: nothing of it outlives the case."""
    gate = case.activation
    if gate is not None and gate.until is not None and case.open:
        yield Timer(GATE, gate.generation, gate.id, gate.until, lane)
    if case.ended:
        return
    for one in case.approvals:
        if one.state == "waiting" and one.until is not None:
            threshold = f"step-{len(one.given) + 1}"
            yield Timer(f"{APPROVAL_PREFIX}{one.id}", one.generation, threshold, one.until, lane)
    for duty in case.duties:
        yield Timer(f"{DUTY_PREFIX}{duty.id}", duty.generation, "round", duty.next_at, lane)


def _clock_timer(clock: Clock, rules: Rules, lane: int) -> Timer | None:
    spec = next((spec for spec in rules.plan.clocks if spec.id == clock.id), None)
    if spec is None:
        return None
    due = clocks.upcoming(clock, spec, rules.base(clock.limit))
    if not due:
        return None
    return Timer(clock_subject(clock.id), clock.generation, *due[0], lane, tuple(Ahead(*one) for one in due[1:]))


@lru_cache(maxsize=4096)
def lane_of(org: str, *, urgent: bool) -> int:
    """Where the timers of an organisation queue: those of a plan's highest level before all others.

    Organisations share the lanes of each half by their name, and lanes are served in equal parts: a wave of one
    organisation delays another's only if both fall on the same of LANES / 2 lanes.
    """
    return (0 if urgent else LANES // 2) + crc32(org.encode()) % (LANES // 2)


class Turn:
    """One decision in the making: the case moves, and what follows is collected in order."""

    def __init__(self, rules: Rules, case: Case, now: datetime) -> None:
        self.rules = rules.of(case.org)
        self.case = case
        self.now = now
        self._before = case
        self._changes: list[Change] = []
        self._requests: list[NotificationRequestedV1] = []
        self._entries: list[Entry] = []
        self._fires: list[Fire] = []

    def set(self, **fields: Any) -> None:
        """The case with other values in these fields."""
        self.case = self.case.evolve(**fields)

    def both(self, sentence: str, **values: object) -> Bilingual:
        """The sentence in both languages; instants by the plan's clock, as people read them."""
        return wording.both(sentence, **self._shown(values))

    def _shown(self, values: Mapping[str, object]) -> dict[str, object]:
        zone = self.rules.plan.plan.timezone
        return {
            name: wording.moment(value, zone) if isinstance(value, datetime) else value
            for name, value in values.items()
        }

    def level_words(self, level: str | None) -> Bilingual:
        """A level as people call it, in both languages."""
        return wording.pair(level_label(self.rules, level, "zh"), level_label(self.rules, level, "en"))

    def decided(self, because: Bilingual) -> None:
        """Why the case has its level, from now on."""
        mine, other = (because.en, because.zh) if self.case.language == "en" else (because.zh, because.en)
        self.set(because=mine, because_other=other)

    def level_label(self, level: str | None) -> str:
        """A level as people call it in the case's language."""
        return level_label(self.rules, level, self.case.language)

    def note(self, kind: ChangeKind, because: Words | Bilingual, **details: FactValue | None) -> None:
        """A line of the case's history, in its language and in both."""
        words = because if isinstance(because, Bilingual) else wording.pair(because.zh, because.en)
        said = wording.words(words, self.case.language)
        self._changes.append(Change(kind=kind, at=self.now, because=said, words=words, details=details))

    def log(self, entry: Entry, rules: Rules | None = None) -> Clock:
        """Advance one clock by one entry of its log, counted by these rules if they are others; the clock after it."""
        before = self.case.clock(entry.clock)
        after = clocks.advance(before, entry, rules or self.rules)
        if before is None:
            self.set(clocks=(*self.case.clocks, after))
        else:
            self.set(clocks=tuple(after if clock.id == after.id else clock for clock in self.case.clocks))
        self._entries.append(entry)
        return after

    def fire(self, fire: Fire) -> None:
        self._fires.append(fire)

    def request(
        self,
        purpose: Purpose,
        roles: Iterable[str],
        *,
        channels: tuple[ChannelKind, ...] = DEFAULT_CHANNELS,
        all_channels: bool = False,
        because: Words | Bilingual | None = None,
        due_at: datetime | None = None,
        next_tier: Words | None = None,
        stale_after: datetime | None = None,
    ) -> None:
        """Ask for these roles to be told, but nobody who keeps out of the case. Nothing happens without a role.

        Absent `because`, what decided the level is the reason.

        The request's id follows from the case and its number among the case's requests, so deciding again asks for
        the same thing.
        """
        case = self.case
        cover: recusal.Cover = "pages" if purpose is Purpose.PAGE else "visibility"
        wanted = recusal.without(self.rules, case, roles, cover)
        if not wanted:
            return
        number = case.requests + 1
        request_id = uuid5(case.case_id, f"{case.plan.name}/{number}")
        self._requests.append(
            trusted(
                NotificationRequestedV1,
                request_id=request_id,
                purpose=purpose,
                roles=wanted,
                channels=channels,
                all_channels=all_channels,
                acknowledge=purpose is Purpose.PAGE,
                step=case.steps,
                subject=subject_of(self.rules, case, because=because, due_at=due_at, next_tier=next_tier),
                language=case.language,
                requested_at=self.now,
                stale_after=stale_after,
                excluded=tuple(sorted(recusal.kept_out(self.rules, case, cover)))[:_MOST_EXCLUDED],
                people=(),
                contact=None,
                in_place_of=None,
                templates=self.rules.plan.messages_for(purpose, case.level),
                drill=case.drill,
            )
        )
        pages = (*case.pages, request_id)[-_KEPT_PAGES:] if purpose is Purpose.PAGE else case.pages
        self.set(requests=number, pages=pages)

    def decide(self) -> Decision:
        """Close the turn. The revision rises when there is something to publish."""
        if self._changes:
            self.set(revision=self.case.revision + 1, changed_at=self.now)
        elif self.case == self._before:
            return self.ignore("nothing changed")
        return Decision(
            self.case,
            tuple(self._changes),
            tuple(self._requests),
            tuple(self._entries),
            tuple(self._fires),
            armed(self.case, self.rules),
        )

    def ignore(self, reason: str) -> Decision:
        """Decide nothing, and say why."""
        return Decision(self._before, timers=armed(self._before, self.rules), ignored=reason)


def subject_of(
    rules: Rules,
    case: Case,
    *,
    because: Words | Bilingual | None = None,
    due_at: datetime | None = None,
    next_tier: Words | None = None,
) -> Subject:
    """What a message about the case says, in the case's language and for readers of the other one."""
    plan = rules.plan
    expected = plan.expected(case.level)
    other: Language = "zh" if case.language == "en" else "en"
    reasons = (case.because, case.because_other)
    if because is not None:
        reasons = (wording.words(because, case.language), wording.words(because, other))
    for_others = trusted(
        SubjectWords,
        plan_title=wording.words(plan.title, other),
        level_label=level_label(rules, case.level, other) if case.level else None,
        because=None,
        title=case.title_en if other == "en" else None,
        expected=wording.words(expected, other) if expected else None,
        next_tier=wording.words(next_tier, other) if next_tier else None,
    )
    return trusted(
        Subject,
        number=case.number,
        plan=plan.name,
        plan_title=wording.words(plan.title, case.language),
        level=case.level,
        level_label=level_label(rules, case.level, case.language) if case.level else None,
        level_rank=plan.rank(case.level),
        highest_rank=plan.highest_rank,
        because=reasons[0],
        title=case.title,
        topic=case.topic,
        kind=case.kind,
        place=case.place,
        expected=wording.words(expected, case.language) if expected else None,
        due_at=due_at,
        next_tier=wording.words(next_tier, case.language) if next_tier else None,
        occurred_at=case.occurred_at,
        en=for_others if other == "en" else None,
        zh=for_others if other == "zh" else None,
        because_other=reasons[1],
    )


def level_label(rules: Rules, level: str | None, language: Language) -> str:
    """A level as people call it, `未定级` for none."""
    if level is None:
        return "none" if language == "en" else "未定级"
    found = rules.plan.level(level)
    return found.en if language == "en" else found.zh
