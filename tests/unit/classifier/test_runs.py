"""When a classification is worth publishing."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from services.classifier.domain.cases import merge
from services.classifier.domain.mergers import Absorbed, Merger
from services.classifier.domain.runs import Judged, Run, digest_of, judge, opened, run_from_data
from services.classifier.domain.windows import Counted
from shared.plans.compiled import Scope
from shared.plans.inputs import inputs_of
from tests.support.classification import BURSTS, MONDAY, create_complaint, library_of

PLAN = library_of(BURSTS).get("bursts")
CASE = UUID(int=7)
COUNTED = frozenset({Counted("today", (("topic", "x"),), MONDAY, "7")})


def judged(run: Run, **given: Any) -> Judged:
    state = merge(None, create_complaint(CASE, **given).data)
    facts, _ = PLAN.type_facts(state.view(CASE, "demo").facts)
    inputs = inputs_of(state.view(CASE, "demo"), facts)
    evaluation = PLAN.evaluate(inputs, {"repeats": 0}, MONDAY, Scope.CASE)
    return judge(run, evaluation, digest_of(state, facts, ()), COUNTED)


def test_the_first_is_published_even_without_a_level() -> None:
    first = judged(opened(PLAN))
    assert first.publish
    assert (first.run.revision, first.run.level) == (1, None)


def test_a_judgement_keeps_what_it_does_not_decide() -> None:
    decided = {"revision", "level", "held", "digest", "counted", "reconsider_at"}
    kept = {one.name for one in fields(Run)} - decided
    marks: dict[str, Any] = {name: object() for name in kept - {"plan", "sha256", "merger", "absorbed", "carried"}}
    before = replace(opened(PLAN), **marks, merger=Merger(1, None), absorbed={"a": Absorbed({})}, carried={"b": 1})
    after = judged(before, facts={"customers": 11}).run
    assert {name for name in kept if getattr(after, name) is not getattr(before, name)} == set()


def test_nothing_new_is_not_published() -> None:
    first = judged(opened(PLAN), facts={"customers": 11})
    again = judged(first.run, facts={"customers": 11})
    assert not again.publish
    assert again.run == first.run


def test_a_fact_a_topic_or_a_title_is_news_at_the_same_level() -> None:
    first = judged(opened(PLAN), facts={"customers": 11})
    for given in ({"facts": {"customers": 12}}, {"topic": "billing"}, {"title": "t"}, {"city": "成都"}):
        after = judged(first.run, **({"facts": {"customers": 11}} | given))
        assert after.publish, given
        assert after.run.revision == 2


def test_a_fact_the_plan_does_not_know_is_no_news() -> None:
    first = judged(opened(PLAN), facts={"customers": 11})
    assert not judged(first.run, facts={"customers": 11, "weather": "rain"}).publish


def test_a_level_may_fall_here_because_the_escalator_keeps_the_higher() -> None:
    first = judged(opened(PLAN), facts={"customers": 101})
    after = judged(first.run, facts={"customers": 1})
    assert (first.run.level, after.run.level, after.publish) == ("red", None, True)


def test_a_stored_run_is_the_same_run() -> None:
    run = judged(opened(PLAN), facts={"customers": 11}).run
    waiting = Run("p", "0" * 64, reconsider_at=MONDAY + timedelta(microseconds=1))
    assert run_from_data(from_json(to_json(run.as_data()))) == run
    assert run_from_data(from_json(to_json(waiting.as_data()))) == waiting
