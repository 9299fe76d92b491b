"""What the classifier says on `cases-classified`, in the words of the contract."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.classifier.domain.cases import CaseState
from services.classifier.domain.runs import Run
from services.classifier.domain.warnings import Open, Verdict, Warned, ended_title, facts_of, place_of, title_of
from shared.contracts.classifications import MAX_PROBLEMS, CaseClassifiedV1, CountedCases, ProposedFact
from shared.contracts.immutable import immutable
from shared.contracts.values import MAX_TEXT, Bilingual, CaseKind, FactValue, Place, trusted
from shared.plans.compiled import CompiledPlan, Evaluation

SOURCE: Final = "/fenghuo/classifier"
_WARNING_SOURCE: Final = "fenghuo-classifier"
_NAME_LENGTH: Final = 120


@immutable
class Cause:
    """The event that led to a classification; without one, time alone did."""

    event_id: str | None = None
    traceparent: str | None = None


def case_classified(
    *,
    state: CaseState,
    plan: CompiledPlan,
    run: Run,
    previous: str | None,
    evaluation: Evaluation,
    facts: dict[str, FactValue],
    proposed: tuple[ProposedFact, ...],
    place: Place,
    problems: tuple[str, ...],
    counted: tuple[CountedCases, ...],
    now: datetime,
    in_full: bool,
) -> CaseClassifiedV1:
    """The case under one plan. A confidential case goes without its title, which may tell who complained.

    `in_full`: with the plan's words for every criterion; else with those that hold and all answers in short.
    """
    confidential = state.confidential or plan.plan.confidential
    return trusted(
        CaseClassifiedV1,
        number=state.number,
        kind=state.kind,
        plan=plan.ref,
        revision=run.revision,
        level=evaluation.level,
        level_rank=evaluation.rank,
        previous_level=previous,
        criteria=evaluation.criteria if in_full else evaluation.held,
        answers=None if in_full else evaluation.in_short(),
        decided_by=evaluation.decided_by,
        title=None if confidential else state.given("title"),
        title_en=None,
        source=state.source,
        channel=state.given("channel"),
        topic=state.given("topic"),
        place=place,
        language=state.given("language") or "zh",
        facts=facts,
        proposed=() if confidential else proposed,
        opened_by=run.opened_by,
        duplicate_of=run.duplicate_of,
        split_from=state.given("split_from"),
        move=run.refused or run.move,
        problems=tuple(problem[:MAX_TEXT] for problem in problems[:MAX_PROBLEMS]),
        occurred_at=state.occurred_at,
        received_at=state.received_at,
        classified_at=now,
        resolved=state.resolved,
        confidential=confidential,
        linked_cases=(),
        linked_count=0,
        counted=counted,
        resolved_because=None,
        drill=state.drill,
    )


def warning_classified(
    *,
    plan: CompiledPlan,
    warned: Warned,
    previous: str | None,
    verdict: Verdict,
    linked: tuple[int, list[UUID]],
    now: datetime,
    counted: tuple[CountedCases, ...] = (),
) -> CaseClassifiedV1:
    """The warning case of a group: its values are the counts, its cases those that were counted.

    `linked`: those of all windows that its held criteria read; `counted`: those of each window and baseline.
    """
    title = title_of(warned.group, verdict)
    return _about_group(
        plan,
        warned,
        linked,
        now,
        level=verdict.level,
        level_rank=verdict.rank,
        previous_level=previous,
        criteria=verdict.criteria,
        decided_by=verdict.decided_by,
        title=title.zh,
        title_en=title.en,
        facts=facts_of(plan, warned.group, verdict),
        counted=counted,
        occurred_at=min(verdict.at, now),
        received_at=now,
    )


def warning_ended(
    *,
    plan: CompiledPlan,
    opened: Open,
    warned: Warned,
    evaluation: Evaluation,
    because: Bilingual,
    linked: tuple[int, list[UUID]],
    now: datetime,
) -> CaseClassifiedV1:
    """A warning case that is over: its level stays what it was, its criteria show the counts of now."""
    title = ended_title(warned.group, because)
    return _about_group(
        plan,
        warned,
        linked,
        now,
        level=warned.level,
        level_rank=warned.rank,
        previous_level=warned.level,
        criteria=evaluation.criteria,
        title=title.zh,
        title_en=title.en,
        occurred_at=opened.opened_at,
        received_at=opened.opened_at,
        resolved=True,
        resolved_because=because,
    )


def _about_group(
    plan: CompiledPlan, warned: Warned, linked: tuple[int, list[UUID]], now: datetime, **said: Any
) -> CaseClassifiedV1:
    """What every word about a warning case has in common, with what this one says."""
    group = dict(warned.group.key)
    total, newest = linked
    return CaseClassifiedV1(
        number=warned.number,
        kind=CaseKind.WARNING,
        plan=plan.ref,
        revision=warned.revision,
        source=_WARNING_SOURCE,
        channel=group["channel"][:_NAME_LENGTH] if group.get("channel") else None,
        topic=group["topic"][:_NAME_LENGTH] if group.get("topic") else None,
        place=place_of(warned.group),
        classified_at=now,
        linked_cases=tuple(newest),
        linked_count=total,
        confidential=plan.plan.confidential,
        drill=warned.group.drill,
        **said,
    )
