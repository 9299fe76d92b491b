"""An explanation told in short says the same as the whole one, under every pack of the library."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.classifier.domain.announcements import case_classified
from services.classifier.domain.cases import merge
from services.classifier.domain.runs import judge, opened
from services.console.domain.criteria import all_criteria, criteria_row
from shared.contracts.classifications import CaseClassifiedV1, CriterionResult, in_full
from shared.contracts.values import CaseKind
from shared.plans.compiled import CompiledPlan, Evaluation, Scope
from shared.plans.facts import FactSpec, FactType
from shared.plans.library import PlanLibrary
from tests.support.classification import create_complaint
from tests.support.plans import NOW, create_case

PACKS: Final = Path(__file__).parents[3] / "deploy" / "plans"
PLANS: Final = [plan for plan in PlanLibrary.load(PACKS).plans if plan.plan.criteria]


def values_of(spec: FactSpec) -> st.SearchStrategy[Any]:
    """Values that fit the declaration, and now and then one that does not."""
    fitting: dict[FactType, st.SearchStrategy[Any]] = {
        FactType.BOOL: st.booleans(),
        FactType.INT: st.integers(0, 100_000),
        FactType.NUMBER: st.floats(0, 100_000, allow_nan=False),
        FactType.TEXT: st.text(max_size=8),
        FactType.INSTANT: st.integers(-900, 900).map(lambda hours: (NOW + timedelta(hours=hours)).isoformat()),
        FactType.DURATION: st.sampled_from(["5m", "2h", "36h"]),
    }
    if spec.type is FactType.ENUM:
        return st.sampled_from(spec.members)
    if spec.type is FactType.SET:
        return st.lists(st.sampled_from(spec.members), unique=True)
    return fitting[spec.type]


@st.composite
def judged(draw: st.DrawFn) -> tuple[CompiledPlan, Evaluation]:
    plan = draw(st.sampled_from(PLANS))
    facts = draw(st.fixed_dictionaries({}, optional={name: values_of(spec) for name, spec in plan.plan.facts.items()}))
    counted = [*plan.windows, *plan.baselines]
    counts = draw(st.dictionaries(st.sampled_from(counted), st.integers(0, 600))) if counted else {}
    now: datetime = NOW + timedelta(minutes=draw(st.integers(-600, 600)))
    return plan, plan.evaluate(plan.inputs(create_case(facts)), counts, now, Scope.CASE)


def words_of(plan: CompiledPlan) -> tuple[CriterionResult, ...]:
    """The plan's criteria as any other case brings them."""
    return plan.evaluate({}, {}, NOW, Scope.CASE).criteria


@settings(max_examples=600, deadline=None)
@given(judged())
def test_the_short_form_with_the_plans_words_is_the_whole_explanation(drawn: tuple[CompiledPlan, Evaluation]) -> None:
    plan, evaluation = drawn
    assert in_full(evaluation.held, evaluation.in_short(), words_of(plan)) == evaluation.criteria
    assert evaluation.held == tuple(one for one in evaluation.criteria if one.result == "held")
    assert evaluation.held_ids == tuple(sorted(one.id for one in evaluation.held))


@settings(max_examples=150, deadline=None)
@given(judged())
def test_the_console_shows_a_short_event_as_it_showed_the_whole_one(drawn: tuple[CompiledPlan, Evaluation]) -> None:
    plan, evaluation = drawn
    whole = classified(plan, evaluation)
    short = classified(plan, evaluation, criteria=evaluation.held, answers=evaluation.in_short())
    first = classified(plan, plan.evaluate({}, {}, NOW, Scope.CASE))
    read = CaseClassifiedV1.model_validate_json(short.model_dump_json())
    row = criteria_row(CaseClassifiedV1.model_validate_json(first.model_dump_json()))
    assert row is not None
    shown = all_criteria(read.model_dump(mode="json"), row["criteria"])
    assert shown == whole.model_dump(mode="json")["criteria"]


@settings(max_examples=150, deadline=None)
@given(drawn=judged(), in_full=st.booleans())
def test_what_the_classifier_puts_together_unchecked_passes_the_contract(
    drawn: tuple[CompiledPlan, Evaluation], *, in_full: bool
) -> None:
    plan, evaluation = drawn
    report = create_complaint(at=NOW, title="网速慢", facts={"customers_affected": 3}, city="city-1").data
    made = case_classified(
        state=merge(None, report),
        plan=plan,
        run=judge(opened(plan), evaluation, "digest", frozenset()).run,
        previous=None,
        evaluation=evaluation,
        facts={"customers_affected": 3},
        proposed=(),
        place=report.place,
        problems=("x" * 900,),
        counted=(),
        now=NOW,
        in_full=in_full,
    )
    assert made.model_fields_set == set(CaseClassifiedV1.model_fields)
    assert CaseClassifiedV1.model_validate_json(made.model_dump_json()) == made
    assert CaseClassifiedV1.model_validate(made.model_dump()) == made


def test_what_is_kept_of_a_plans_words_says_nothing_about_the_case_that_brought_them() -> None:
    plan = next(plan for plan in PLANS if plan.name == "telecom-service-quality")
    facts = plan.inputs(create_case({"cities_affected": 7}))
    row = criteria_row(classified(plan, plan.evaluate(facts, {}, NOW, Scope.CASE)))
    assert row is not None
    assert row["sha256"] == plan.ref.sha256
    assert {value for one in row["criteria"] for value in one["values"].values()} == {None}
    assert {one["result"] for one in row["criteria"]} == {"not-known"}


def test_a_warning_case_and_a_short_event_bring_no_words() -> None:
    evaluation = PLANS[0].evaluate({}, {}, NOW, Scope.CASE)
    assert criteria_row(classified(PLANS[0], evaluation, kind=CaseKind.WARNING)) is None
    assert criteria_row(classified(PLANS[0], evaluation, criteria=(), answers=evaluation.in_short())) is None


def test_words_of_another_plan_are_refused() -> None:
    one, other = next(
        (one, other) for one in PLANS for other in PLANS if len(words_of(one)) != len(words_of(other)) and words_of(one)
    )
    with pytest.raises(ValueError, match="zip"):
        in_full((), one.evaluate({}, {}, NOW, Scope.CASE).in_short(), words_of(other))


def classified(plan: CompiledPlan, evaluation: Evaluation, **fields: Any) -> CaseClassifiedV1:
    given: dict[str, Any] = {
        "number": "2026-03-000001",
        "kind": CaseKind.COMPLAINT,
        "plan": plan.ref,
        "revision": 1,
        "level": evaluation.level,
        "level_rank": evaluation.rank,
        "criteria": evaluation.criteria,
        "decided_by": evaluation.decided_by,
        "source": "call-centre",
        "occurred_at": NOW,
        "received_at": NOW,
        "classified_at": NOW,
    }
    return CaseClassifiedV1(**given | fields)
