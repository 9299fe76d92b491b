"""Cases that were merged: the one that goes on is judged by what is known of all, and nothing is counted twice."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from services.classifier.app.absorb_cases import absorb_cases
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseMergedV1
from shared.kafka.outcome import DONE, DUPLICATE, Outcome, Skip
from tests.support.classification import IDS, MONDAY, Classifier, create_classifier, create_complaint

JOINT = """
plan: joint
version: 1
title: {zh: 合并判级, en: Judged together}
timezone: Asia/Shanghai
applies: {kinds: [complaint]}
levels:
  - {id: yellow, zh: 黄色, en: Yellow}
  - {id: red, zh: 红色, en: Red}
facts:
  line: {enum: [network, billing]}
  customers: {int: {min: 0}}
  injured: {int: {min: 0}}
signals:
  injury:
    zh: [受伤]
    proposes: {injured: 1}
windows:
  today: {count: complaint, per: day, by: [topic]}
  cities: {distinct: place.city, of: complaint, per: day, by: [topic]}
criteria:
  - {id: wide, level: red, when: "line == 'network' and customers > 50000", label: {zh: 面广, en: Wide}}
  - {id: hurt, level: red, when: "line == 'network' and injured >= 1", label: {zh: 伤人, en: Hurt}}
  - {id: many, level: yellow, when: today >= 3, label: {zh: 三件, en: Three}}
  - {id: towns, level: yellow, when: cities >= 3, label: {zh: 三市, en: Three cities}}
tiers:
  - {id: desk, zh: 值班, en: Desk, roles: [desk]}
"""
_REVISIONS = count(2)


@pytest.fixture
async def joint(classifier_url: str) -> AsyncIterator[Classifier]:
    made = create_classifier(classifier_url, JOINT)
    yield made
    await made.database.close()


async def opened(joint: Classifier, place: int, **given: Any) -> UUID:
    case_id = IDS.new()
    event = create_complaint(case_id, number=f"2026-03-00000{place}", at=MONDAY + timedelta(minutes=place), **given)
    assert await joint.classify(event) == [DONE]
    return case_id


async def more(joint: Classifier, case_id: UUID, sequence: int, **given: Any) -> None:
    report = create_complaint(case_id, number="2026-03-000001", sequence=sequence, **given)
    assert await joint.classify(report) == [DONE]


def merger(joint: Classifier, case_id: UUID, into: UUID | None, *, revision: int = 0, org: str = "demo") -> Event[Any]:
    current = joint.ports.plans.current("joint")
    assert current is not None
    data = CaseMergedV1(
        number="2026-03-000002",
        plan=current.ref,
        revision=revision or next(_REVISIONS),
        into=into,
        changed_at=MONDAY,
    )
    return Event(id=IDS.new(), source="/fenghuo/escalator", time=MONDAY, org=org, case_id=case_id, data=data)


async def merge(joint: Classifier, case_id: UUID, into: UUID | None, **given: Any) -> Outcome:
    (outcome,) = await absorb_cases([merger(joint, case_id, into, **given)], joint.database, joint.ports)
    return outcome


async def latest(joint: Classifier, case_id: UUID) -> CaseClassifiedV1:
    return [one.data for one in await joint.published() if one.case_id == case_id][-1]


async def members(joint: Classifier, window: str) -> set[UUID]:
    rows = await joint.rows(
        "SELECT m.case_id FROM window_members m JOIN window_counters c USING (series_id, bucket_start) "
        "WHERE c.window_id = :window",
        window=window,
    )
    return {row["case_id"] for row in rows}


async def counted(joint: Classifier, window: str) -> int:
    rows = await joint.rows("SELECT count FROM window_counters WHERE window_id = :window", window=window)
    return sum(row["count"] for row in rows)


async def test_the_case_that_goes_on_is_judged_by_the_facts_of_both(joint: Classifier) -> None:
    goes_on = await opened(joint, 1, facts={"line": "network"})
    gone = await opened(joint, 2, facts={"customers": 60_000})
    assert {one.level for one in await joint.cases()} == {None}
    assert await merge(joint, gone, goes_on) == DONE
    last = await latest(joint, goes_on)
    assert (last.level, last.decided_by, last.revision) == ("red", "wide", 2)
    assert last.facts == {"line": "network", "customers": 60_000}
    assert (await latest(joint, gone)).revision == 1


async def test_what_the_case_itself_was_told_counts_before_what_was_told_of_the_other(joint: Classifier) -> None:
    goes_on = await opened(joint, 1, facts={"line": "network", "customers": 10})
    gone = await opened(joint, 2, facts={"line": "billing", "customers": 60_000})
    await merge(joint, gone, goes_on)
    assert (await latest(joint, goes_on)).facts == {"line": "network", "customers": 10}
    # It is told that it does not know: part of it went to another case. Then the other's word is not its own.
    await more(joint, goes_on, 2, moved_facts=("customers",))
    assert (await latest(joint, goes_on)).facts == {"line": "network"}


async def test_words_of_the_other_text_propose_only_what_nobody_said(joint: Classifier) -> None:
    goes_on = await opened(joint, 1, facts={"line": "network"})
    gone = await opened(joint, 2, narrative="有一人受伤")
    await merge(joint, gone, goes_on)
    assert (await latest(joint, goes_on)).decided_by == "hurt"
    await more(joint, goes_on, 2, facts={"injured": 0})
    last = await latest(joint, goes_on)
    assert (last.level, last.facts["injured"]) == (None, 0)


async def test_news_of_a_merged_case_is_news_of_the_one_that_goes_on_for_it(joint: Classifier) -> None:
    goes_on = await opened(joint, 1, facts={"line": "network"})
    gone = await opened(joint, 2)
    await merge(joint, gone, goes_on)
    assert (await latest(joint, goes_on)).revision == 1
    await more(joint, gone, 2, facts={"customers": 70_000})
    last = await latest(joint, goes_on)
    assert (last.level, last.facts["customers"]) == ("red", 70_000)
    await more(joint, gone, 3, facts={"customers": 80_000})
    assert (await latest(joint, goes_on)).facts["customers"] == 80_000


async def test_facts_travel_along_a_chain_of_mergers(joint: Classifier) -> None:
    first, second, third = [await opened(joint, place) for place in (1, 2, 3)]
    await more(joint, first, 2, facts={"customers": 90_000})
    await more(joint, third, 2, facts={"line": "network"})
    events = [merger(joint, first, second), merger(joint, second, third)]
    assert await absorb_cases(events, joint.database, joint.ports) == [DONE, DONE]
    assert (await latest(joint, third)).level == "red"
    await more(joint, first, 3, facts={"injured": 4})
    assert (await latest(joint, third)).facts == {"line": "network", "customers": 90_000, "injured": 4}


async def test_a_merged_case_is_counted_once_and_its_town_stays(joint: Classifier) -> None:
    goes_on = await opened(joint, 1, city="成都")
    gone = await opened(joint, 2, city="绵阳")
    assert (await counted(joint, "today"), await counted(joint, "cities")) == (2, 2)
    await merge(joint, gone, goes_on)
    assert (await counted(joint, "today"), await counted(joint, "cities")) == (1, 2)
    assert await members(joint, "today") == {goes_on}
    third = await opened(joint, 3, city="德阳")
    assert [warning.decided_by for warning in await joint.warnings()] == ["towns"]
    await more(joint, gone, 2, facts={"customers": 1})
    assert await members(joint, "today") == {goes_on, third}


async def test_a_case_that_is_reopened_is_judged_and_counted_by_itself_again(joint: Classifier) -> None:
    goes_on = await opened(joint, 1, facts={"line": "network"})
    gone = await opened(joint, 2, facts={"customers": 60_000})
    before = await joint.state()
    await merge(joint, gone, goes_on)
    await merge(joint, gone, None)
    assert await members(joint, "today") == {goes_on, gone}
    assert (await latest(joint, goes_on)).facts == {"line": "network"}
    after = await joint.state()
    for case in after["cases"]:
        for run in case["runs"]:
            run.pop("merger", None)
    assert after == before


async def test_an_older_word_about_a_merger_changes_nothing(joint: Classifier) -> None:
    goes_on, other = await opened(joint, 1, facts={"line": "network"}), await opened(joint, 3)
    gone = await opened(joint, 2, facts={"customers": 60_000})
    newer, older = merger(joint, gone, goes_on, revision=900), merger(joint, gone, other, revision=899)
    assert await absorb_cases([newer, newer], joint.database, joint.ports) == [DONE, DUPLICATE]
    state = await joint.state()
    assert await absorb_cases([older, newer], joint.database, joint.ports) == [DONE, DUPLICATE]
    assert await joint.state() == state


async def test_another_organisations_case_takes_nothing_over(joint: Classifier) -> None:
    mine = await opened(joint, 1, facts={"customers": 60_000})
    theirs = await opened(joint, 2, facts={"line": "network"}, org="other")
    assert await merge(joint, mine, theirs) == DONE
    assert (await latest(joint, theirs)).facts == {"line": "network"}
    assert isinstance(await merge(joint, mine, theirs, org="other"), Skip)


async def test_a_case_merged_into_one_that_is_not_here_still_counts_no_more(joint: Classifier) -> None:
    gone = await opened(joint, 1)
    assert await merge(joint, gone, IDS.new()) == DONE
    assert await members(joint, "today") == set()
