from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.classifications import CaseClassifiedV1, CriterionResult, Holds
from shared.contracts.values import ChannelKind
from shared.plans.compiled import CompiledPlan, Evaluation, Scope, UnknownLevelError
from shared.plans.limits import LimitBase
from shared.plans.model import Breach
from tests.support.plans import NOW, SOUND, compiled, create_case


@pytest.fixture(scope="module")
def plan() -> CompiledPlan:
    return compiled()


def judge(plan: CompiledPlan, windows: dict[str, int] | None = None, /, **facts: Any) -> Evaluation:
    return plan.evaluate(plan.inputs(create_case(facts)), windows or {}, NOW, Scope.CASE)


def results(evaluation: Evaluation) -> dict[str, Holds]:
    return {result.id: result.result for result in evaluation.criteria}


def test_the_highest_level_that_holds_wins_and_its_first_criterion_decides(plan: CompiledPlan) -> None:
    evaluation = judge(plan, {"by_person": 2}, people=12, hurt=True)
    assert (evaluation.level, evaluation.rank, evaluation.decided_by) == ("grave", 2, "many-people")
    assert judge(plan, people=3).decided_by == "some-people"
    assert judge(plan, people=2).level is None
    assert judge(plan, people=2).rank == 0


def test_every_criterion_is_reported_with_the_values_it_read(plan: CompiledPlan) -> None:
    evaluation = judge(plan, people=3)
    assert results(evaluation) == {
        "many-people": Holds.NOT_HELD,
        "some-people": Holds.HELD,
        "again": Holds.NOT_KNOWN,
        "soon": Holds.NOT_KNOWN,
    }
    some = evaluation.criteria[1]
    assert some.values == {"many": 3, "people": 3}
    assert some.when == "many <= people < 10"
    assert evaluation.criteria[2].values == {"by_person": None, "hurt": None}


def test_results_are_contract_values_like_any_other(plan: CompiledPlan) -> None:
    for result in judge(plan, {"by_person": 2}, people=3, expected_at="2026-03-02T13:00:00+08:00").criteria:
        again = CriterionResult.model_validate_json(result.model_dump_json())
        assert again == result
        assert result.model_copy() == result
        assert hash(type(result)) == hash(CriterionResult)
    assert CaseClassifiedV1.model_fields["criteria"].annotation is not None


def test_a_topic_window_is_judged_on_the_group_and_not_on_the_case(plan: CompiledPlan) -> None:
    assert "many-today" not in results(judge(plan, {"today": 3}))
    group = plan.group_inputs((("topic", "roaming"),))
    evaluation = plan.evaluate(group, {"today": 3}, NOW, Scope.TOPIC)
    assert (evaluation.level, evaluation.decided_by) == ("mild", "many-today")
    assert results(evaluation) == {"many-today": Holds.HELD}
    assert plan.evaluate(group, {"today": 2}, NOW, Scope.TOPIC).level is None


def test_a_window_of_the_group_that_is_not_given_counts_nothing_yet() -> None:
    text = SOUND.replace("windows:\n", "windows:\n  other: {count: incident, per: day, by: [topic]}\n").replace(
        "when: today > 2", "when: today > 2 and other == 0"
    )
    plan = compiled(text)
    assert plan.evaluate(plan.group_inputs(()), {"today": 3}, NOW, Scope.TOPIC).decided_by == "many-today"
    assert plan.evaluate(plan.group_inputs(()), {"today": 3, "other": 1}, NOW, Scope.TOPIC).level is None


def test_groups_of_different_shape_are_judged_apart() -> None:
    text = SOUND.replace(
        "windows:\n", "windows:\n  local: {count: complaint, per: day, by: [topic, place.city]}\n"
    ).replace("clocks:", "  - {id: local-many, level: grave, when: local > 1, label: {zh: 本地, en: Local}}\nclocks:")
    plan = compiled(text)
    inputs = plan.group_inputs((("topic", "roaming"),))
    assert results(plan.evaluate(inputs, {"today": 9}, NOW, Scope.TOPIC)) == {"many-today": Holds.HELD}
    assert results(plan.evaluate(inputs, {"local": 9}, NOW, Scope.TOPIC)) == {"local-many": Holds.HELD}


@pytest.mark.parametrize(
    ("when", "on_group"),
    [
        ("today > 2", True),
        ("today > 2 and topic == 'roaming'", True),
        ("today > many", True),
        ("today > 2 and hurt", False),
        ("today > 2 and known(channel)", False),
        ("today > 2 and local > 1", False),
        ("by_person > 2", False),
        ("quiet > 2", False),
        ("today > 2 and since(received_at) > 1h", False),
    ],
)
def test_only_what_the_group_fixes_is_judged_on_the_group(when: str, *, on_group: bool) -> None:
    windows = (
        "windows:\n  local: {count: complaint, per: day, by: [place.city]}\n"
        "  quiet: {count: complaint, per: day, by: [topic], raises: nothing}\n"
    )
    used = "  - {id: use, level: mild, when: local > 9 or quiet > 9, label: {zh: 用, en: Use}}\n"
    text = SOUND.replace("windows:\n", windows).replace("clocks:\n", used + "clocks:\n")
    plan = compiled(text.replace("when: today > 2,", f"when: today > 2 or {when},"))
    on_case = results(plan.evaluate({}, {}, NOW, Scope.CASE))
    assert ("many-today" not in on_case) is on_group


def test_the_same_forecast_says_when_it_must_be_looked_at_again(plan: CompiledPlan) -> None:
    evaluation = judge(plan, expected_at=(NOW + timedelta(hours=5)).isoformat())
    assert evaluation.level is None
    assert evaluation.reconsider_at == NOW + timedelta(hours=2)
    inputs = plan.inputs(create_case({"expected_at": (NOW + timedelta(hours=5)).isoformat()}))
    later = plan.evaluate(inputs, {}, NOW + timedelta(hours=2), Scope.CASE)
    assert (later.level, later.reconsider_at) == ("mild", None)
    assert later.criteria[-1].values["now"] == (NOW + timedelta(hours=2)).isoformat()


def test_deciding_without_explanation_gives_the_same_answer(plan: CompiledPlan) -> None:
    for people in (None, 2, 3, 9, 10):
        facts = plan.inputs(create_case({} if people is None else {"people": people}))
        full = plan.evaluate(facts, {}, NOW, Scope.CASE)
        assert plan.decide(facts, {}, NOW, Scope.CASE) == (full.rank, full.decided_by, full.reconsider_at)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("people", "9", "fact 'people' must be a whole number, not '9'"),
        ("people", 9.0, "must be a whole number"),
        ("people", True, "must be a whole number"),
        ("people", -1, "must be at least 0"),
        ("media", "moon", "must be one of city, province"),
        ("hurt", 1, "must be true or false"),
        ("expected_at", "tomorrow", "must be an instant"),
        ("expected_at", "2026-03-02T09:00:00", "must be an instant"),
        ("expected_at", "9999-12-31T23:59:59-12:00", "must be an instant"),
    ],
)
def test_a_fact_of_the_wrong_type_is_named_and_never_satisfies(
    plan: CompiledPlan, name: str, value: Any, words: str
) -> None:
    typed, problems = plan.type_facts({name: value, "unheard_of": 3})
    assert typed == {}
    assert [problem.name for problem in problems] == [name]
    assert words in problems[0].message
    assert plan.evaluate({name: value}, {}, NOW, Scope.CASE).level is None


def test_undeclared_facts_are_no_problem(plan: CompiledPlan) -> None:
    assert plan.type_facts({"people": 3, "unheard_of": ["x"]}) == ({"people": 3}, [])


def test_ranks_follow_the_order_of_the_file(plan: CompiledPlan) -> None:
    assert [plan.rank(level) for level in (None, "mild", "grave")] == [0, 1, 2]
    assert plan.highest_rank == 2
    assert plan.level("grave").label.en == "Grave"
    with pytest.raises(UnknownLevelError, match="no level 'red'"):
        plan.rank("red")


def test_clocks_apply_by_level_and_condition(plan: CompiledPlan) -> None:
    def names(level: str | None, **facts: Any) -> list[str]:
        return [clock.id for clock in plan.clocks_for(level, facts)]

    assert names("mild", media="province") == ["answer"]
    assert names("grave", media="province") == ["answer", "press"]
    assert names("grave", media="city") == ["answer"]
    assert names("grave") == ["answer"]
    assert names(None, media="province") == []
    answer, press = plan.clocks
    assert answer.limit.elapsed == timedelta(hours=2)
    assert [threshold.offset(answer.limit.elapsed) for threshold in answer.warn] == [
        timedelta(hours=1),
        timedelta(hours=1, minutes=50),
    ]
    assert (press.limit.base, press.limit.amount, press.breach) == (LimitBase.WORKING_DAYS, 15, Breach.NOTIFY)
    with pytest.raises(ValueError, match="no fixed length"):
        _ = press.limit.elapsed


def test_the_ladder_depends_on_the_level(plan: CompiledPlan) -> None:
    assert [tier.id for tier in plan.tiers_for("mild")] == ["first"]
    assert [tier.id for tier in plan.tiers_for("grave")] == ["first", "second"]
    assert plan.tiers_for(None) == ()
    first = plan.tiers[0]
    assert (first.roles, first.acknowledge_within, first.repeat) == (("clerk",), timedelta(minutes=15), 1)
    assert first.channels == (ChannelKind.SMS, ChannelKind.EMAIL)
    assert plan.informed("grave") == ("director",)
    assert plan.informed("mild") == plan.informed(None) == ()


def test_a_list_form_reads_like_the_text() -> None:
    listed = SOUND.replace("when: people >= 10", "when: {any: [people >= 10, {all: [hurt, {not: people < 5}]}]}")
    plan = compiled(listed)
    assert plan.plan.criteria[0].when != "people >= 10"
    assert judge(plan, people=7, hurt=True).decided_by == "many-people"
    assert judge(plan, people=4, hurt=True).decided_by == "some-people"
    assert judge(plan, people=4).criteria[0].when == "(people >= 10) or ((hurt) and (not (people < 5)))"
