"""What the case that goes on takes over from one that was merged into it: facts, a graver level, nearer ends."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.escalator.domain import clocks, deadlines, waiting, wording
from services.escalator.domain.case import Case
from services.escalator.domain.classification import raise_level, reconsider
from services.escalator.domain.clocks import Clock, Entry, EntryKind
from services.escalator.domain.decision import Decision, Turn
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.values import FactValue
from shared.plans.compiled import UnknownLevelError
from shared.plans.duties import CompiledClock

_MOST: Final = 30


def take_in(rules: Rules, case: Case, merged: Case, now: datetime, before: Case | None = None) -> Decision:
    """The case after another was merged into it, or after more became known of one that was merged before.

    `before` is the other case as it was until it was merged, None for later news of it. Facts this case does not know
    are its own from now on, a graver level counts, and of two clocks of one id the one that ends first goes on, with
    what it had spent, its extensions and the thresholds it had fired. Where this case has passed the milestone a
    clock runs until, it has been passed for both.
    """
    turn = Turn(rules, case, now)
    news = {
        name: value
        for name, value in merged.facts.items()
        if case.facts.get(name) != value and (name not in case.facts or name in case.adopted)
    }
    if before is None and not news and not _graver(turn, merged):
        return turn.ignore("nothing new of a case that was merged")
    _adopt_facts(turn, merged, news if before is None else merged.facts, news)
    if _graver(turn, merged) and merged.level is not None:
        because = turn.both("duplicate_worse", number=merged.number, level=turn.level_words(merged.level))
        raise_level(turn, merged.level, at=now, because=because, decided_by=merged.decided_by)
    if not turn.case.ended:
        deadlines.refresh(turn)
        reconsider(turn, case)
        if before is not None:
            _adopt_clocks(turn, before)
    return turn.decide()


def _adopt_facts(turn: Turn, merged: Case, told: Mapping[str, FactValue], news: Mapping[str, FactValue]) -> None:
    case = turn.case
    facts = wording.facts(told, turn.rules.plan.plan)
    turn.note(
        ChangeKind.FACTS_ADDED,
        turn.both("duplicate_taken", number=merged.number, facts=facts),
        **{**dict(list(told.items())[:_MOST]), "merged": merged.number},
    )
    turn.set(
        adopted={**case.adopted, **news},
        facts={**case.facts, **news},
        inputs={**case.inputs, **{name: merged.inputs[name] for name in news if name in merged.inputs}},
    )
    if case.state is CaseState.WAITING:
        waiting.over(turn, "merged_news")


def _graver(turn: Turn, merged: Case) -> bool:
    """A level above this case's that no person has overruled; one this version of the plan lacks is none."""
    case = turn.case
    try:
        rank = turn.rules.plan.rank(merged.level)
    except UnknownLevelError:
        return False
    overruled = case.overruling is not None and rank <= case.overruling.rank
    return rank > turn.rules.plan.rank(case.level) and not overruled


def _adopt_clocks(turn: Turn, before: Case) -> None:
    for spec in turn.rules.plan.clocks_for(turn.case.level, turn.case.inputs):
        other = before.clock(spec.id)
        if other is not None and other.live and spec.until not in turn.case.milestones:
            _adopt_clock(turn, spec, other, before)


def _adopt_clock(turn: Turn, spec: CompiledClock, other: Clock, before: Case) -> None:
    """The other case's clock in place of this one's, if it would run out first."""
    mine = turn.case.clock(spec.id)
    base = turn.rules.base(other.limit)
    ran = other.ran if other.running_since is None else (*other.ran, (other.running_since, turn.now))
    entry = Entry(
        spec.id,
        EntryKind.ADOPT,
        turn.now,
        limit=other.limit,
        amount=other.target,
        origin=other.started_at,
        kept=other.passed,
        reason=before.number,
        ran=ran,
    )
    if mine is None:
        turn.log(Entry(spec.id, EntryKind.START, other.started_at, limit=other.limit))
    else:
        theirs = clocks.advance(mine, entry, turn.rules)
        due, sooner = _due(turn, mine), clocks.due_at(theirs, base)
        if due is not None and (sooner is None or sooner >= due):
            return
        behind = {mark.key for mark in clocks.passed_marks(theirs, clocks.marks(theirs, spec, base), turn.now, base)}
        kept = dict.fromkeys((*other.passed, *(key for key in mine.passed if key in behind)))
        entry = replace(entry, kept=tuple(kept))
    after = turn.log(entry)
    turn.set(
        extensions=(
            *(one for one in turn.case.extensions if one.clock != spec.id),
            *(one for one in before.extensions if one.clock == spec.id),
        )
    )
    due = clocks.due_at(after, base)
    turn.note(
        ChangeKind.CLOCK_CHANGED,
        turn.both("clock_adopted", clock=spec.label, number=before.number, due=due or ""),
        clock=spec.id,
        due_at=due.isoformat() if due is not None else None,
        merged=before.number,
    )


def _due(turn: Turn, clock: Clock) -> datetime | None:
    """When it runs out; None for one that does not count here any more."""
    return clocks.due_at(clock, turn.rules.base(clock.limit)) if clock.live else None
