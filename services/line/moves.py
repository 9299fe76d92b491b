"""Moves open cases to the version of their plan in force: shown first, then asked of the line, one command a case.

What is shown is what the classifier and the escalator would decide, by their own rules on their own records; nothing
of it is kept. What is asked goes through the same door as any other command.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from services.classifier.app.judge_cases import Ports
from services.classifier.app.preview_moves import preview_moves as preview_judgements
from services.classifier.store.plans import Plans as JudgingPlans
from services.escalator.app.find_movable_cases import find_movable_cases
from services.escalator.app.look_up_texts import look_up_texts
from services.escalator.app.preview_moves import MovePreview, preview_moves
from services.escalator.domain.case import Case
from services.escalator.store.plans import Plans as FollowingPlans
from shared.calendars.library import CalendarLibrary
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.values import Actor, ActorKind, PlanRef
from shared.db.engine import Database
from shared.plans.library import PlanLibrary
from shared.runtime.clock import Clock, SystemClock, monotonic
from shared.runtime.ids import TimeOrderedIds

_LOOK_EVERY_S: Final = 0.3
_IDS: Final = TimeOrderedIds()
_SOURCE: Final = "/fenghuo/cli"
Levels = Literal["keep", "as-judged"]
Send = Callable[[UUID, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: these cases (none named: all open ones) of an organisation under the plan in force."""

    plan: str
    levels: Levels = "keep"
    org: str | None = None
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """The plan in force and what would become of each case. `behind`: the classifier has moved the case before.

    `refused_before` is the last move that each case has refused so far, by its command; None where it never did.
    """

    plan: PlanRef
    cases: tuple[MovePreview, ...]
    behind: frozenset[UUID]
    refused_before: Mapping[UUID, UUID | None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the records are, and the plans and calendars the line works with."""

    classifier_url: str
    escalator_url: str
    plans_dir: Path
    calendars_dir: Path
    overrides: Mapping[str, Mapping[str, Any]]


async def show_moves(places: Places, wish: Wish) -> Shown:
    """Every case with what would change. Changes nothing.

    Raises PlanLibraryError for bad plans, UnknownPlanError for a plan that is not there, CalendarFilesError.
    """
    library = await asyncio.to_thread(PlanLibrary.load, places.plans_dir, places.overrides)
    calendars = await asyncio.to_thread(CalendarLibrary.load, places.calendars_dir)
    plan = library.get(wish.plan).ref
    escalator = Database.connect(places.escalator_url, application="fenghuo-cli", pool_size=2)
    classifier = Database.connect(places.classifier_url, application="fenghuo-cli", pool_size=2)
    try:
        cases = await find_movable_cases(escalator, plan, org=wish.org, numbers=wish.numbers)
        judged, behind = await _judged(classifier, library, cases, plan, wish.levels)
        found = await preview_moves(escalator, FollowingPlans(library, calendars), cases, judged, plan)
    finally:
        await asyncio.gather(escalator.close(), classifier.close())
    return Shown(plan, tuple(found), behind, {case.case_id: case.move_refused for case in cases})


def ask_for(shown: Shown, levels: Levels, reason: str, person: str, send: Send) -> list[MovePreview]:
    """One command for each case that would move; all of these. `send` posts it; what it raises ends the asking."""
    wanted = [one for one in shown.cases if one.refused is None]
    for one in wanted:
        arguments: dict[str, Any] = {"version": shown.plan.version, "sha256": shown.plan.sha256, "levels": levels}
        if one.case_id in shown.behind:
            arguments["again"] = True
        body = {
            "command": CommandKind.MOVE_PLAN.value,
            "plan": shown.plan.name,
            "reason": reason,
            "person": person,
            "arguments": arguments,
        }
        send(one.case_id, body)
    return wanted


async def follow_moves(
    places: Places, shown: Shown, asked: Collection[UUID], *, within: timedelta
) -> tuple[set[UUID], set[UUID]]:
    """The cases that have moved and those that refused by the time all have answered or the time is over."""
    escalator = Database.connect(places.escalator_url, application="fenghuo-cli", pool_size=2)
    moved: set[UUID] = set()
    refused: set[UUID] = set()
    ends = monotonic() + within.total_seconds()
    try:
        while True:
            texts = await look_up_texts(escalator, shown.plan.name, asked)
            moved = {case_id for case_id, (sha256, _) in texts.items() if sha256 == shown.plan.sha256}
            refused = {
                case_id
                for case_id, (_, last) in texts.items()
                if case_id not in moved and last != shown.refused_before.get(case_id)
            }
            if len(moved) + len(refused) >= len(asked) or monotonic() > ends:
                return moved, refused
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        await escalator.close()


async def _judged(
    classifier: Database, library: PlanLibrary, cases: Sequence[Case], plan: PlanRef, levels: Levels
) -> tuple[dict[UUID, CaseClassifiedV1], frozenset[UUID]]:
    """What the classifier would say of each case, and for which of them it has said so before."""
    ports = Ports(JudgingPlans(library), _IDS, lambda _: None)
    clock = SystemClock()
    judged = await preview_judgements([_command(case, plan, levels, clock) for case in cases], classifier, ports)
    rest = [case for case in cases if case.case_id not in judged]
    again = await preview_judgements(
        [_command(case, plan, levels, clock, again=True) for case in rest], classifier, ports
    )
    return judged | again, frozenset(again)


def _command(case: Case, plan: PlanRef, levels: Levels, clock: Clock, *, again: bool = False) -> Event[CommandIssuedV1]:
    now = clock.now()
    data = CommandIssuedV1(
        command=CommandKind.MOVE_PLAN,
        actor=Actor(kind=ActorKind.PERSON, ref="preview"),
        issued_at=now,
        plan=plan.name,
        reason="preview",
        arguments={"version": plan.version, "sha256": plan.sha256, "levels": levels, "again": again},
    )
    return Event(id=_IDS.new(), source=_SOURCE, time=now, org=case.org, case_id=case.case_id, data=data)
