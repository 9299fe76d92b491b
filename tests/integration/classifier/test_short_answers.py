"""Most events carry answers only; the plan's words are there once a day for every text that decides."""

from datetime import timedelta

import asyncpg
import pytest

from tests.support.classification import BURSTS, FORECAST, MONDAY, Classifier, create_classifier, create_complaint


async def test_the_first_case_of_a_plan_and_day_brings_its_words_and_the_others_only_answers(
    classifier: Classifier,
) -> None:
    await classifier.classify(*(create_complaint(facts={"customers": 11}) for _ in range(3)))
    await classifier.classify(create_complaint(facts={"customers": 101}))
    classifier.clock.advance(timedelta(days=1))
    await classifier.classify(create_complaint(), create_complaint())
    events = [event.data for event in await classifier.sent() if event.data.kind != "warning"]
    assert [event.answers is None for event in events] == [True, False, False, False, True, False]
    last = events[3]
    assert last.answers is not None
    assert last.answers.results.startswith("++")
    assert last.answers.values["customers"] == 101
    assert [one.id for one in last.criteria] == ["many", "some"]
    assert {one.id for one in events[0].criteria} == {"many", "some", "again"}


async def test_words_that_were_rolled_back_are_told_again(classifier: Classifier) -> None:
    event = create_complaint()
    await classifier.rows("ALTER TABLE outbox RENAME TO outbox_away")
    with pytest.raises(asyncpg.UndefinedTableError, match="outbox"):
        await classifier.classify(event)
    await classifier.rows("ALTER TABLE outbox_away RENAME TO outbox")
    await classifier.classify(event)
    (sent,) = await classifier.sent()
    assert sent.data.answers is None


async def test_every_replica_tells_the_words_it_decides_by(classifier: Classifier) -> None:
    await classifier.classify(create_complaint())
    other = create_classifier(classifier.url, BURSTS, FORECAST)
    try:
        await other.classify(create_complaint(at=MONDAY))
    finally:
        await other.database.close()
    assert [event.data.answers is None for event in await classifier.sent()] == [True, True]
