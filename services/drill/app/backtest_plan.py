"""Replays events of the past through a plan in virtual time, and through another one to compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.drill.domain.events_file import Columns, EventsFileError, ReadEvents, read_events
from services.drill.domain.replayed import Changed, ReplaySum, changes, sum_up
from services.drill.domain.simulation import replay
from services.drill.domain.steps import Step
from services.escalator.domain.time_bases import Rules
from shared.calendars.library import CalendarLibrary
from shared.contracts.commands import CommandKind
from shared.plans.cases import Happening
from shared.plans.compiled import CompiledPlan


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came of it. `other` and `changed` only where a second plan was given; `changed` goes from it to the plan."""

    events: ReadEvents
    start: datetime
    end: datetime
    plan: ReplaySum
    other: ReplaySum | None
    changed: tuple[Changed, ...]

    @property
    def unanswered(self) -> int:
        """Cases of which nothing says that anybody answered: they are paged to the end, more than people ever were."""
        answered = {step.name for step in self.events.steps if step.command is not None}
        return len({step.name for step in self.events.steps} - answered)


@dataclass(frozen=True, slots=True)
class Span:
    """Only events received in [since, until); time runs on for `tail` after the last one.

    `answered_after`: a case of which the file does not say when it was acknowledged is acknowledged so much later.
    """

    since: datetime | None = None
    until: datetime | None = None
    tail: timedelta = timedelta(days=1)
    answered_after: timedelta | None = None


def backtest_plan(
    plan: CompiledPlan,
    other: CompiledPlan | None,
    rows: Sequence[dict[str, str]],
    *,
    columns: Columns,
    span: Span,
    calendars: CalendarLibrary,
) -> Backtest:
    """Raises EventsFileError when nothing can be replayed, NeedsCalendarError for a limit without its calendar."""
    read = _within(read_events(rows, columns, plan), span)
    start, end = read.steps[0].at, read.steps[-1].at + span.tail
    mine = sum_up(replay(Rules(plan, calendars), read.steps, start, end))
    theirs = None
    if other is not None:
        steps = _within(read_events(rows, columns, other), span).steps
        theirs = sum_up(replay(Rules(other, calendars), steps, start, end))
    return Backtest(read, start, end, mine, theirs, changes(theirs, mine) if theirs is not None else ())


def _within(read: ReadEvents, span: Span) -> ReadEvents:
    first: dict[str, datetime] = {}
    for step in read.steps:
        first.setdefault(step.name, step.at)
    kept = tuple(
        step
        for step in read.steps
        if (span.since is None or first[step.name] >= span.since)
        and (span.until is None or first[step.name] < span.until)
    )
    if not kept:
        raise EventsFileError("no event lies in this span of time")
    if span.answered_after is not None:
        said = {step.name for step in kept if step.command is not None}
        acknowledge = Happening(at="0s", command=CommandKind.ACKNOWLEDGE)
        answers = (
            Step(first[name] + span.answered_after, name, command=acknowledge)
            for name in dict.fromkeys(step.name for step in kept)
            if name not in said
        )
        kept = tuple(sorted((*kept, *answers), key=lambda step: step.at))
    return ReadEvents(kept, len({step.name for step in kept}), read.left_out, read.unfit)
