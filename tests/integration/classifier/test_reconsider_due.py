"""Levels that climb by themselves: the right instants, once each, by however many sweepers."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from services.classifier.app.audit_reconsiderations import audit_reconsiderations
from services.classifier.app.find_next_reconsideration import find_next_reconsideration
from services.classifier.app.reconsider_due import reconsider_due
from services.classifier.jobs.reconsider import ReconsiderLoop
from shared.contracts.envelope import Event
from shared.contracts.reports import IncidentReportedV1
from tests.support.classification import FORECAST, MONDAY, Classifier, create_classifier, create_incident
from tests.support.messaging import eventually, looping


def forecast(expected_at: datetime, case_id: UUID | None = None, sequence: int = 1) -> Event[IncidentReportedV1]:
    return create_incident(
        case_id, sequence=sequence, category="forecast", facts={"expected_at": expected_at.isoformat()}
    )


async def test_a_level_climbs_at_its_instants_and_then_rests(classifier: Classifier) -> None:
    expected = MONDAY + timedelta(hours=30)
    await classifier.classify(forecast(expected))
    climbed: list[tuple[str | None, str | None, int]] = []
    while (due := await find_next_reconsideration(classifier.database)) is not None:
        classifier.clock.set(due - timedelta(microseconds=1))
        assert await reconsider_due(classifier.database, classifier.ports) == 0
        classifier.clock.set(due)
        assert await reconsider_due(classifier.database, classifier.ports) == 1
        newest = (await classifier.cases())[-1]
        climbed.append((newest.previous_level, newest.level, int((expected - due) / timedelta(hours=1))))
    assert climbed[:3] == [(None, "blue", 24), ("blue", "yellow", 12), ("yellow", "red", 3)]
    assert [case.revision for case in await classifier.cases()] == list(range(1, len(climbed) + 2))


async def test_two_sweepers_fire_each_instant_once(classifier: Classifier, classifier_url: str) -> None:
    for hour in range(40):
        await classifier.classify(forecast(MONDAY + timedelta(hours=25, seconds=hour)))
    classifier.clock.advance(timedelta(hours=2))
    replica = create_classifier(classifier_url, FORECAST, clock=classifier.clock)
    worked = await asyncio.gather(
        *(reconsider_due(one.database, one.ports) for one in (classifier, replica, classifier, replica))
    )
    while count := await reconsider_due(replica.database, replica.ports):
        worked.append(count)
    assert sum(worked) == 40
    cases = await classifier.cases()
    assert sorted(case.revision for case in cases) == [1] * 40 + [2] * 40
    await replica.database.close()


async def test_a_new_fact_moves_the_instant(classifier: Classifier) -> None:
    case_id = uuid4()
    await classifier.classify(forecast(MONDAY + timedelta(hours=30), case_id))
    assert await find_next_reconsideration(classifier.database) == MONDAY + timedelta(hours=6)
    await classifier.classify(forecast(MONDAY + timedelta(hours=40), case_id, 2))
    assert await find_next_reconsideration(classifier.database) == MONDAY + timedelta(hours=16)
    assert classifier.armed == [MONDAY + timedelta(hours=6), MONDAY + timedelta(hours=16)]


async def test_the_loop_wakes_for_an_earlier_instant(classifier: Classifier) -> None:
    loop = ReconsiderLoop(classifier.database)
    classifier.armed.clear()
    ports = type(classifier.ports)(classifier.ports.plans, classifier.ports.ids, loop.armed)
    expected = classifier.clock.now() + timedelta(hours=24, milliseconds=1)
    async with looping(lambda stop: loop.run(stop, ports)):
        await asyncio.sleep(0.1)
        classifier.ports = ports
        await classifier.classify(forecast(expected))
        classifier.clock.advance(timedelta(milliseconds=2))

        async def climbed() -> bool:
            return [case.level for case in await classifier.cases()] == [None, "blue"]

        # Without being woken it would sleep for five seconds.
        await eventually(climbed, seconds=3, what="the level")


async def test_the_auditor_counts_what_nobody_worked_on(classifier: Classifier) -> None:
    await classifier.classify(forecast(MONDAY + timedelta(hours=25)))
    grace = timedelta(minutes=1)
    assert await audit_reconsiderations(classifier.database, grace) == 0
    classifier.clock.advance(timedelta(hours=2))
    assert await audit_reconsiderations(classifier.database, grace) == 1
    await reconsider_due(classifier.database, classifier.ports)
    assert await audit_reconsiderations(classifier.database, grace) == 0
