"""The published packs at work: the telecom operator's burst, the forecast that climbs, the head counts."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.classifier.app.find_next_reconsideration import find_next_reconsideration
from services.classifier.app.reconsider_due import reconsider_due
from shared.plans.library import PlanLibrary
from tests.support.classification import IDS, MONDAY, Classifier, create_classifier, create_complaint, create_incident

PACKS = Path(__file__).resolve().parents[3] / "deploy" / "plans"


@pytest.fixture
def line(classifier: Classifier) -> Classifier:
    classifier.ports.plans.library = PlanLibrary.load(PACKS)
    return classifier


async def test_a_burst_on_one_topic_is_yellow_above_100_and_orange_above_300(line: Classifier) -> None:
    async def complain(count: int) -> list[str | None]:
        await line.classify(*(create_complaint(IDS.new(), category="network", topic="5g-drop") for _ in range(count)))
        return [warning.level for warning in await line.warnings()]

    assert await complain(99) == []
    assert await complain(1) == []
    assert await complain(1) == ["yellow"]
    assert await complain(199) == ["yellow"]
    assert await complain(1) == ["yellow", "orange"]
    yellow, orange = await line.warnings()
    assert (yellow.decided_by, yellow.facts["complaints_today"]) == ("yellow-complaints-day", 101)
    assert (orange.decided_by, orange.facts["complaints_today"]) == ("orange-complaints-day", 301)
    assert (yellow.linked_count, len(yellow.linked_cases)) == (101, 50)
    assert yellow.number == orange.number


async def test_a_forecast_climbs_all_four_colours_by_itself(line: Classifier) -> None:
    expected = MONDAY + timedelta(hours=25)
    await line.classify(create_incident(category="crowd-flow", facts={"expected_at": expected.isoformat()}))
    while (due := await find_next_reconsideration(line.database)) is not None and due <= expected:
        line.clock.set(due)
        await reconsider_due(line.database, line.ports)
    cases = await line.cases()
    assert [case.level for case in cases][:5] == [None, "blue", "yellow", "orange", "red"]
    assert [expected - case.classified_at for case in cases[1:5]] == [timedelta(hours=h) for h in (24, 12, 6, 3)]


async def test_two_replicas_see_one_burst(line: Classifier, classifier_url: str) -> None:
    replica = create_classifier(classifier_url)
    replica.ports.plans.library = line.ports.plans.library
    for turn in range(34):
        who = replica if turn % 2 else line
        await who.classify(*(create_complaint(category="billing", topic="double-charge") for _ in range(3)))
    assert [(warning.level, warning.facts["complaints_today"]) for warning in await line.warnings()] == [
        ("yellow", 102)
    ]
    await replica.database.close()
