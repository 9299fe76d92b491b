"""What a rule decides, as values: the case after it, what to publish, what to arm. Nothing has happened yet."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid5

from services.escalator.domain import clocks, wording
from services.escalator.domain.case import Case
from services.escalator.domain.clocks import Clock, Entry
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import Change, ChangeKind
from shared.contracts.notifications import NotificationRequestedV1, Purpose, Subject
from shared.contracts.values import MAX_TEXT, ChannelKind, FactValue

LADDER: Final = "ladder"
_CLOCK_PREFIX: Final = "clock:"
DEFAULT_CHANNELS: Final = (ChannelKind.SMS, ChannelKind.EMAIL)
INFORM_CHANNELS: Final = (ChannelKind.EMAIL, ChannelKind.SMS)
"""Those who need not act are told where it disturbs least; a telephone comes next."""
_KEPT_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Timer:
    """The next thing time does to one subject of a case: its ladder, or one of its clocks. `due_at` is UTC."""

    subject: str
    generation: int
    threshold: str
    due_at: datetime


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
    """The timers this state wants: at most one for the ladder and one for each running clock.

    A pure function of state, so a timer that is not among them is void, whatever the table says.
    """
    found: list[Timer] = []
    ladder = case.ladder
    if ladder is not None and ladder.next_at is not None:
        found.append(Timer(LADDER, ladder.generation, f"{ladder.tier}:{ladder.attempt}", ladder.next_at))
    specs = {spec.id: spec for spec in rules.plan.clocks}
    for clock in case.clocks:
        spec = specs.get(clock.id)
        if spec is None or not clock.running:
            continue
        base = rules.base(clock.limit)
        marks = clocks.open_marks(clock, spec, base)
        due = clocks.instant_of(clock, marks[0].amount, base) if marks else None
        if due is not None:
            found.append(Timer(clock_subject(clock.id), clock.generation, marks[0].key, due))
    return tuple(found)


class Turn:
    """One decision in the making: the case moves, and what follows is collected in order."""

    def __init__(self, rules: Rules, case: Case, now: datetime) -> None:
        self.rules = rules
        self.case = case
        self.now = now
        self._before = case
        self._changes: list[Change] = []
        self._requests: list[NotificationRequestedV1] = []
        self._entries: list[Entry] = []
        self._fires: list[Fire] = []

    def set(self, **fields: Any) -> None:
        """The case with other values in these fields."""
        self.case = replace(self.case, **fields)

    def say(self, sentence: str, **values: object) -> str:
        return wording.say(self.case.language, sentence, **values)

    def level_label(self, level: str | None) -> str:
        """A level as people call it, `未定级` for none."""
        if level is None:
            return "none" if self.case.language == "en" else "未定级"
        return wording.words(self.rules.plan.level(level).label, self.case.language)

    def note(self, kind: ChangeKind, because: str, **details: FactValue | None) -> None:
        """A line of the case's history."""
        self._changes.append(Change(kind=kind, at=self.now, because=because[:MAX_TEXT], details=details))

    def log(self, entry: Entry) -> Clock:
        """Advance one clock by one entry of its log; the clock after it."""
        before = self.case.clock(entry.clock)
        after = clocks.advance(before, entry, self.rules)
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
        because: str | None = None,
        due_at: datetime | None = None,
        next_tier: str | None = None,
        stale_after: datetime | None = None,
    ) -> None:
        """Ask for these roles to be told. Nothing happens without a role.

        The request's id follows from the case and its number among the case's requests, so deciding again asks for
        the same thing.
        """
        wanted = tuple(dict.fromkeys(roles))
        if not wanted:
            return
        case = self.case
        number = case.requests + 1
        request_id = uuid5(case.case_id, f"{case.plan.name}/{number}")
        self._requests.append(
            NotificationRequestedV1(
                request_id=request_id,
                purpose=purpose,
                roles=wanted,
                channels=channels,
                all_channels=all_channels,
                acknowledge=purpose is Purpose.PAGE,
                step=case.steps,
                subject=self._subject(because or case.because, due_at, next_tier),
                language=case.language,
                requested_at=self.now,
                stale_after=stale_after,
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

    def _subject(self, because: str | None, due_at: datetime | None, next_tier: str | None) -> Subject:
        case, plan = self.case, self.rules.plan
        expected = plan.expected(case.level)
        return Subject(
            number=case.number,
            plan=plan.name,
            plan_title=wording.words(plan.title, case.language),
            level=case.level,
            level_label=self.level_label(case.level) if case.level else None,
            level_rank=plan.rank(case.level),
            highest_rank=plan.highest_rank,
            because=because,
            title=case.title,
            topic=case.topic,
            place=case.place,
            expected=wording.words(expected, case.language) if expected else None,
            due_at=due_at,
            next_tier=next_tier,
            occurred_at=case.occurred_at,
        )
