"""Words that propose facts, plans that open plans, usual numbers, one event reported twice, warnings that end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.classifier.app.end_warnings import end_warnings
from tests.support.classification import (
    MONDAY,
    Classifier,
    create_classifier,
    create_complaint,
    one_by_one,
)

MALL = """
plan: mall
version: 1
title: {zh: 商场, en: Mall}
timezone: Asia/Shanghai
applies: {kinds: [complaint], categories: [service]}
levels:
  - {id: minor, zh: 一般, en: Minor}
  - {id: major, zh: 重大, en: Major}
facts:
  injured: bool
  media: {enum: [none, city, province]}
  people: {int: {min: 0}}
windows:
  today: {count: complaint, per: day, by: [topic]}
baselines:
  usual: {of: today, over: 5, at_least: 3, zh: 平日, en: Usual}
signals:
  injury: {proposes: {injured: true}, zh: [受伤], en: [injured], words: {zh: 提到受伤, en: Mentions an injury}}
  press: {proposes: {media: city}, zh: [记者], words: {zh: 提到记者, en: Mentions a journalist}}
duplicates:
  - {id: same-person, same: [complainant, topic], within: 24h, then: merge}
warnings: {ends_after: 2h}
opens:
  - id: media-track
    plan: media
    when: media in ['city', 'province']
    carry: [media]
    words: {zh: 转入媒体应对, en: The media plan begins}
criteria:
  - {id: injury, level: major, when: injured, label: {zh: 有人受伤, en: Injury}}
  - {id: some, level: minor, when: people >= 1, label: {zh: 有人投诉, en: A complaint}}
  - {id: flood, level: major, when: today > 3 * usual, label: {zh: 超过平日三倍, en: Over three times the usual}}
tiers:
  - {id: desk, zh: 值班, en: Desk, roles: [desk]}
"""

MEDIA = """
plan: media
version: 1
title: {zh: 媒体应对, en: Media attention}
timezone: Asia/Shanghai
applies: {kinds: [complaint], categories: [press-only]}
levels:
  - {id: watch, zh: 关注, en: Watch}
facts:
  media: {enum: [none, city, province]}
criteria:
  - {id: any, level: watch, when: "media in ['city', 'province']", label: {zh: 媒体关注, en: Media attention}}
tiers:
  - {id: press, zh: 新闻, en: Press, roles: [press-office]}
"""


@pytest.fixture
async def mall(classifier_url: str) -> AsyncIterator[Classifier]:
    made = create_classifier(classifier_url, MALL, MEDIA)
    yield made
    await made.database.close()


async def test_words_of_the_text_propose_a_fact_with_their_evidence(mall: Classifier) -> None:
    await mall.classify(create_complaint(narrative="电梯急停，两位顾客受伤，已送医。"))
    [case] = await mall.cases()
    assert (case.level, case.decided_by, case.facts["injured"]) == ("major", "injury", True)
    [proposed] = case.proposed
    assert (proposed.fact, proposed.value, proposed.signal, proposed.word) == ("injured", True, "injury", "受伤")
    assert "顾客受伤" in proposed.excerpt


@pytest.mark.parametrize("text", ["无人受伤", "无人员受伤", "幸好没有人受伤", "nobody was injured"])
async def test_a_negated_word_proposes_nothing(mall: Classifier, text: str) -> None:
    await mall.classify(create_complaint(narrative=text))
    [case] = await mall.cases()
    assert (case.level, case.proposed) == (None, ())


async def test_a_given_fact_is_never_replaced_by_a_proposal(mall: Classifier) -> None:
    await mall.classify(create_complaint(narrative="顾客受伤", facts={"injured": False}))
    [case] = await mall.cases()
    assert (case.facts["injured"], case.proposed, case.level) == (False, (), None)


async def test_texts_of_all_reports_count_in_whatever_order_they_come(mall: Classifier, classifier_url: str) -> None:
    case_id = uuid4()
    first = create_complaint(case_id, narrative="顾客受伤", complainant_ref="a" * 32)
    second = create_complaint(case_id, sequence=2, narrative="请尽快处理", at=MONDAY + timedelta(minutes=5))
    await one_by_one(mall, [second, first])
    assert (await mall.cases())[-1].decided_by == "injury"


async def test_a_plan_opens_another_one_with_the_facts_it_carries(mall: Classifier) -> None:
    await mall.classify(create_complaint(narrative="记者已到现场", facts={"people": 1}))
    first, second = await mall.cases()
    assert (first.plan.name, first.level) == ("mall", "minor")
    assert (second.plan.name, second.level, second.facts) == ("media", "watch", {"media": "city"})
    assert second.opened_by is not None
    assert (second.opened_by.plan, second.opened_by.opening) == ("mall", "media-track")
    assert second.opened_by.because is not None
    assert second.opened_by.because.zh == "转入媒体应对"


async def test_an_opened_plan_stays_and_goes_on_with_the_case(mall: Classifier) -> None:
    case_id = uuid4()
    await mall.classify(create_complaint(case_id, facts={"media": "city"}))
    await mall.classify(create_complaint(case_id, sequence=2, facts={"media": "province"}))
    await mall.classify(create_complaint(case_id, sequence=3, facts={"media": "none"}))
    media = [case for case in await mall.cases() if case.plan.name == "media"]
    assert [(case.revision, case.facts["media"], case.level) for case in media] == [
        (1, "city", "watch"),
        (2, "province", "watch"),
        (3, "none", None),
    ]


async def test_the_usual_number_is_the_average_of_whole_days_since_counting_began(mall: Classifier) -> None:
    days = [MONDAY + timedelta(days=day) for day in range(5)]
    for day, count in zip(days, (1, 2, 3, 4, 0), strict=True):
        mall.clock.set(day)
        for number in range(count):
            await mall.classify(create_complaint(at=day, complainant_ref=f"{day.day:x}{number:x}".rjust(32, "0")))
    # Tuesday to Thursday are whole: 2, 3 and 4. Monday is not, counting began in its middle.
    friday = days[4]
    for number in range(10):
        await mall.classify(create_complaint(at=friday, complainant_ref=f"f{number:x}".rjust(32, "0")))
    [warning] = await mall.warnings()
    assert (warning.level, warning.decided_by) == ("major", "flood")
    [flood] = [result for result in warning.criteria if result.id == "flood"]
    assert flood.values == {"today": 10, "usual": 3.0}
    today, usual = warning.counted
    assert (today.window, today.baseline, today.value, today.cases) == ("today", None, 10, 10)
    # three a day on the days before, however many of them there were
    assert (usual.window, usual.baseline, usual.end) == ("today", "usual", today.start)
    assert usual.periods is not None
    assert (usual.value, usual.start) == (3 * usual.periods, today.start - usual.periods * timedelta(days=1))
    assert usual.group == {"topic": today.group["topic"]}
    before, now = ({*one.earliest, *one.latest} for one in (usual, today))
    assert before
    assert now
    assert not before & now


async def test_before_enough_whole_days_the_usual_number_is_not_known(mall: Classifier) -> None:
    for number in range(12):
        await mall.classify(create_complaint(complainant_ref=f"{number:x}".rjust(32, "0")))
    assert await mall.warnings() == []


async def test_the_same_person_on_the_same_matter_is_one_event(mall: Classifier) -> None:
    ref = "b" * 32
    one, two, other = uuid4(), uuid4(), uuid4()
    await mall.classify(create_complaint(one, number="2026-03-000001", complainant_ref=ref))
    later = MONDAY + timedelta(hours=24)
    await mall.classify(create_complaint(two, number="2026-03-000002", complainant_ref=ref, at=later))
    too_late = later + timedelta(hours=24, seconds=1)
    await mall.classify(create_complaint(other, number="2026-03-000003", complainant_ref=ref, at=too_late))
    found = [case.duplicate_of for case in await mall.cases()]
    assert found[0] is None
    assert found[1] is not None
    assert (found[1].case_id, found[1].number, found[1].rule, found[1].then) == (
        one,
        "2026-03-000001",
        "same-person",
        "merge",
    )
    assert found[2] is None


async def test_of_two_that_come_in_the_wrong_order_exactly_one_is_the_duplicate(mall: Classifier) -> None:
    ref = "c" * 32
    early, late = uuid4(), uuid4()
    await mall.classify(create_complaint(late, complainant_ref=ref, at=MONDAY + timedelta(hours=1)))
    await mall.classify(create_complaint(early, complainant_ref=ref))
    await mall.classify(create_complaint(late, sequence=2, complainant_ref=ref, facts={"people": 1}))
    pointing = {event.case_id for event in await mall.published() if event.data.duplicate_of is not None}
    assert pointing == {early}


async def test_of_several_in_one_batch_the_later_ones_find_the_first(mall: Classifier) -> None:
    ref, cases = "d" * 32, [uuid4() for _ in range(3)]
    reports = [
        create_complaint(case, number=f"2026-03-00000{place}", complainant_ref=ref, at=MONDAY + timedelta(hours=place))
        for place, case in enumerate(cases)
    ]
    await mall.classify(*reversed(reports))
    found = {event.case_id: event.data.duplicate_of for event in await mall.published()}
    assert found[cases[0]] is None
    assert {one.case_id for case in cases[1:] if (one := found[case]) is not None} == {cases[0]}


async def test_unknown_complainants_are_never_one_event(mall: Classifier) -> None:
    await mall.classify(create_complaint(), create_complaint())
    assert all(case.duplicate_of is None for case in await mall.cases())


async def _warned(mall: Classifier) -> Any:
    for day in range(5):
        mall.clock.set(MONDAY + timedelta(days=day))
        await mall.classify(create_complaint(at=mall.clock.now(), topic="other"))
    at = mall.clock.now()
    await mall.classify(*[create_complaint(at=at, topic="slow-data") for _ in range(4)])
    return (await mall.warnings())[-1]


async def test_a_quiet_warning_ends_once_and_says_why(mall: Classifier) -> None:
    warning = await _warned(mall)
    assert warning.level == "major"
    began = mall.clock.now()
    mall.clock.set(began + timedelta(hours=2) - timedelta(seconds=1))
    assert await end_warnings(mall.database, mall.ports) == 0
    mall.clock.set(began + timedelta(hours=2))
    assert await end_warnings(mall.database, mall.ports) == 1
    assert await end_warnings(mall.database, mall.ports) == 0
    ended = (await mall.warnings())[-1]
    assert (ended.number, ended.level, ended.resolved, ended.revision) == (warning.number, "major", True, 2)
    assert ended.resolved_because is not None
    assert ended.resolved_because.zh == "2小时内没有新的事件"
    assert ended.linked_count == warning.linked_count


async def test_a_further_case_puts_the_end_off(mall: Classifier) -> None:
    await _warned(mall)
    mall.clock.set(mall.clock.now() + timedelta(hours=1))
    await mall.classify(create_complaint(at=mall.clock.now(), topic="slow-data"))
    mall.clock.set(mall.clock.now() + timedelta(hours=1, minutes=30))
    assert await end_warnings(mall.database, mall.ports) == 0


async def test_what_a_person_took_apart_is_not_put_together_again_by_a_rule(mall: Classifier) -> None:
    ref = "d" * 32
    whole, part = create_complaint(uuid4(), complainant_ref=ref), uuid4()
    await mall.classify(whole)
    await mall.classify(
        create_complaint(part, number="2026-03-000002", complainant_ref=ref, split_from="2026-03-000001")
    )
    parted = (await mall.cases())[-1]
    assert (parted.duplicate_of, parted.split_from) == (None, "2026-03-000001")
