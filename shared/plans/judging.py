"""Judges tables of bounds by the plan itself: pure, without clocks, tiers or stores."""

from datetime import datetime
from uuid import UUID

from shared.contracts.values import CaseKind, FactValue
from shared.plans.cases import BoundRow, Bounds
from shared.plans.compiled import CompiledPlan, Scope
from shared.plans.limits import parse_elapsed
from shared.plans.windows import CaseView

_NOBODY = UUID(int=0)


def judge_bounds(plan: CompiledPlan, table: Bounds) -> list[str]:
    """One sentence for every row that the plan judges otherwise than the table says; empty when all agree."""
    found: list[str] = []
    for number, row in enumerate(table.rows, start=1):
        problem = _judge_row(plan, table, row)
        if problem is not None:
            found.append(f"{plan.name}, {table.bounds}, row {number}: {problem}")
    return found


def _judge_row(plan: CompiledPlan, table: Bounds, row: BoundRow) -> str | None:
    case = bound_case(table, row)
    problems = plan.type_facts(case.facts)[1]
    counted = {*plan.windows, *plan.baselines}
    undeclared = sorted(set(case.facts) - set(plan.plan.facts)) + sorted(set(row.windows) - counted)
    if problems:
        return problems[0].message
    if undeclared:
        return f"'{undeclared[0]}' is not declared by the plan"
    on_group = bool(row.windows) and not row.facts
    now: datetime = table.start + parse_elapsed(row.after)
    facts: dict[str, FactValue | None] = plan.inputs(case)
    if on_group:
        facts["kind"] = CaseKind.WARNING.value
    evaluation = plan.evaluate(facts, row.windows, now, Scope.TOPIC if on_group else Scope.CASE)
    if (evaluation.level, evaluation.decided_by) == (row.level, row.decided_by):
        return None
    return f"expected {row.level} by {row.decided_by}, found {evaluation.level} by {evaluation.decided_by}"


def bound_case(table: Bounds, row: BoundRow) -> CaseView:
    """The case of one row: what all rows have in common with the row's facts over it."""
    report = table.report
    return CaseView(
        case_id=_NOBODY,
        kind=report.kind,
        org="cases",
        topic=report.topic,
        category=report.category,
        channel=report.channel,
        complainant_ref=report.complainant,
        place=report.place.as_contract(),
        occurred_at=report.occurred_at(table.start),
        received_at=table.start,
        facts={**report.facts, **row.facts},
        source=report.source,
    )
