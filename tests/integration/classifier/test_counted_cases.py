"""What is said about the cases in the windows that a case's criteria read."""

from datetime import timedelta
from uuid import uuid4

from tests.support.classification import MONDAY, Classifier, create_classifier, create_complaint

PERSON = "a" * 32
CITIES = """
plan: cities
version: 1
title: {zh: 地市, en: Cities}
timezone: Asia/Shanghai
applies: {kinds: [complaint], categories: [service]}
levels:
  - {id: yellow, zh: 黄色, en: Yellow}
facts:
  product: text
windows:
  cities: {distinct: place.city, of: complaint, per: day, by: [complainant, product]}
criteria:
  - {id: spread, level: yellow, when: cities >= 2, label: {zh: 两个城市, en: Two cities}}
tiers:
  - {id: desk, zh: 值班, en: Desk, roles: [desk]}
"""

TWO_WINDOWS = """
plan: two-windows
version: 1
title: {zh: 两个窗口, en: Two windows}
timezone: Asia/Shanghai
applies: {kinds: [complaint], categories: [service]}
levels:
  - {id: yellow, zh: 黄色, en: Yellow}
  - {id: orange, zh: 橙色, en: Orange}
facts:
  escalated: bool
windows:
  today: {count: complaint, per: day, by: [topic]}
  escalated_today: {count: complaint, where: escalated, per: day, by: [topic]}
criteria:
  - {id: many, level: yellow, when: today >= 6, label: {zh: 一天六件, en: Six in a day}}
  - {id: escalated, level: orange, when: escalated_today >= 2, label: {zh: 一天两件升级, en: Two escalated in a day}}
tiers:
  - {id: desk, zh: 值班, en: Desk, roles: [desk]}
"""


async def test_a_case_names_the_cases_of_the_window_it_was_judged_by_with_bounds_and_group(
    classifier: Classifier,
) -> None:
    ids = [uuid4() for _ in range(3)]
    for case_id in ids:
        await classifier.classify(create_complaint(case_id, complainant_ref=PERSON))
    *_, last = await classifier.cases()
    (repeats,) = [one for one in last.counted if one.window == "repeats"]
    assert (last.decided_by, repeats.value, repeats.cases) == ("again", 3, 3)
    assert sorted(repeats.earliest) == sorted(ids)
    assert repeats.latest == ()
    # The month of Monday, 2 March 2026 in Shanghai; who complained is not told.
    assert (repeats.start.isoformat(), repeats.end.isoformat()) == (
        "2026-02-28T16:00:00+00:00",
        "2026-03-31T16:00:00+00:00",
    )
    assert repeats.group == {"complainant": None}


async def test_of_many_cases_the_first_and_the_last_are_named(classifier: Classifier) -> None:
    ids = sorted((uuid4() for _ in range(12)), key=str)
    await classifier.classify(*(create_complaint(case_id, complainant_ref=PERSON) for case_id in ids))
    *_, last = await classifier.cases()
    (repeats,) = [one for one in last.counted if one.window == "repeats"]
    assert (repeats.value, repeats.cases) == (12, 12)
    assert [*repeats.earliest, *repeats.latest] == [*ids[:5], *ids[-5:]]


async def test_a_warning_names_the_cases_of_each_window_apart(classifier_url: str) -> None:
    made = create_classifier(classifier_url, TWO_WINDOWS)
    plain, escalated = [uuid4() for _ in range(4)], [uuid4() for _ in range(2)]
    await made.classify(*(create_complaint(case_id) for case_id in plain))
    await made.classify(*(create_complaint(case_id, facts={"escalated": True}) for case_id in escalated))
    warning = (await made.warnings())[-1]
    assert (warning.level, warning.linked_count) == ("orange", 6)
    counted = {one.window: one for one in warning.counted}
    assert list(counted) == ["today", "escalated_today"]
    assert (counted["today"].value, counted["escalated_today"].value) == (6, 2)
    assert {*counted["today"].earliest, *counted["today"].latest} == {*plain, *escalated}
    assert {*counted["escalated_today"].earliest, *counted["escalated_today"].latest} == set(escalated)
    await made.database.close()


async def test_windows_of_criteria_that_do_not_hold_are_not_named(classifier_url: str) -> None:
    made = create_classifier(classifier_url, TWO_WINDOWS)
    await made.classify(*(create_complaint(facts={"escalated": number < 1}) for number in range(6)))
    [warning] = await made.warnings()
    assert (warning.level, [one.window for one in warning.counted]) == ("yellow", ["today"])
    await made.database.close()


async def test_of_values_it_is_told_how_many_cases_had_them(classifier_url: str) -> None:
    made = create_classifier(classifier_url, CITIES)
    cities = ("成都", "成都", "绵阳")
    for city in cities:
        await made.classify(create_complaint(city=city, complainant_ref=PERSON, facts={"product": "card"}))
    *_, last = await made.cases()
    (one,) = last.counted
    assert (last.level, one.value, one.cases, one.group["product"]) == ("yellow", 2, 3, "card")
    assert len({*one.earliest, *one.latest}) == 3
    await made.database.close()


async def test_what_was_counted_stays_told_when_the_counts_are_forgotten(classifier: Classifier) -> None:
    first = uuid4()
    await classifier.classify(create_complaint(first, complainant_ref=PERSON))
    await classifier.rows("WITH gone AS (DELETE FROM window_members) DELETE FROM window_counters RETURNING 1")
    await classifier.classify(create_complaint(complainant_ref=PERSON, at=MONDAY + timedelta(minutes=5)))
    before, after = await classifier.cases()
    (told,), (later,) = ([one for one in case.counted if one.window == "repeats"] for case in (before, after))
    assert (told.earliest, told.value, later.value) == ((first,), 1, 1)
    assert first not in later.earliest
