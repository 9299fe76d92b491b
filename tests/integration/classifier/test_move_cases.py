"""Open cases are judged by the version of their plan in force, where a person wants it; once, or with a refusal."""

from typing import Any
from uuid import UUID, uuid4

from services.classifier.app.move_cases import move_cases
from services.classifier.app.preview_moves import preview_moves
from services.classifier.app.reconsider_due import reconsider_due
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.values import Actor, ActorKind
from shared.kafka.outcome import DONE, Dead, Outcome, Skip
from shared.plans.library import PlanLibrary
from tests.support.classification import (
    BURSTS,
    FORECAST,
    IDS,
    MONDAY,
    Classifier,
    create_classifier,
    create_complaint,
    library_of,
)

SECOND = BURSTS.replace("version: 1", "version: 2").replace("customers > 100", "customers > 50")
PERSON = Actor(kind=ActorKind.PERSON, ref="duty-manager-a")


def wish(case_id: UUID, *, version: object = 2, plan: str | None = "bursts", **fields: Any) -> Event[CommandIssuedV1]:
    arguments = {"version": version, **fields.pop("arguments", {})}
    data = CommandIssuedV1(
        **{
            "command": CommandKind.MOVE_PLAN,
            "actor": PERSON,
            "issued_at": MONDAY,
            "plan": plan,
            "reason": "revised",
            "arguments": arguments,
            **fields,
        }
    )
    return Event(id=IDS.new(), source="/fenghuo/intake", time=MONDAY, org="demo", case_id=case_id, data=data)


async def moving(classifier: Classifier, *events: Event[Any], found: PlanLibrary | None = None) -> list[Outcome]:
    async def look_again() -> None:
        if found is not None:
            classifier.ports.plans.library = found

    return await move_cases(events, classifier.database, classifier.ports, look_again)


async def a_case(classifier: Classifier, **given: Any) -> UUID:
    event = create_complaint(facts={"customers": 60}, **given)
    await classifier.classify(event)
    return event.case_id


async def last(classifier: Classifier) -> CaseClassifiedV1:
    return (await classifier.cases())[-1]


async def test_the_case_is_judged_by_the_version_that_was_just_published(classifier: Classifier) -> None:
    case_id = await a_case(classifier)
    before = await last(classifier)
    event = wish(case_id)
    assert await moving(classifier, event, found=library_of(SECOND, FORECAST)) == [DONE]
    after = await last(classifier)
    assert (before.plan.version, before.level) == (1, "yellow")
    assert (after.plan.version, after.level, after.revision) == (2, "red", 2)
    assert after.move is not None
    assert after.move.before == before.plan
    assert (after.move.asked, after.move.actor, after.move.reason) == (event.id, PERSON, "revised")


async def test_asking_twice_and_the_same_command_twice_change_nothing(classifier: Classifier) -> None:
    case_id = await a_case(classifier)
    event = wish(case_id)
    await moving(classifier, event, found=library_of(SECOND, FORECAST))
    state, count = await classifier.state(), len(await classifier.published())
    again = await moving(classifier, event, wish(case_id))
    assert all(isinstance(outcome, Skip) for outcome in again)
    assert (await classifier.state(), len(await classifier.published())) == (state, count)


async def test_a_case_moved_before_may_be_told_of_once_more(classifier: Classifier) -> None:
    case_id = await a_case(classifier)
    await moving(classifier, wish(case_id), found=library_of(SECOND, FORECAST))
    first = await last(classifier)
    await moving(classifier, wish(case_id, arguments={"again": True}))
    second = await last(classifier)
    assert second.revision == first.revision + 1
    assert first.move is not None
    assert second.move is not None
    assert second.move.before == first.move.before
    assert second.move.asked != first.move.asked


async def test_later_reports_are_judged_by_the_new_version_and_still_tell_of_the_move(classifier: Classifier) -> None:
    case_id = await a_case(classifier)
    await moving(classifier, wish(case_id), found=library_of(SECOND, FORECAST))
    await classifier.classify(create_complaint(case_id, sequence=2, facts={"customers": 70}))
    later = await last(classifier)
    assert later.plan.version == 2
    assert later.move is not None
    assert later.move.refused is None


async def test_a_case_that_is_not_moved_keeps_its_version_for_ever(classifier: Classifier) -> None:
    case_id = await a_case(classifier)
    classifier.ports.plans.library = library_of(SECOND, FORECAST)
    await classifier.classify(create_complaint(case_id, sequence=2, facts={"customers": 70}))
    assert (await last(classifier)).plan.version == 1


async def test_what_cannot_be_is_refused_by_name_and_the_case_stays_as_it_is(classifier: Classifier) -> None:
    elsewhere = SECOND.replace("categories: [service]", "categories: [billing]")
    cases = {
        "there is no plan 'bursts'": library_of(FORECAST),
        "in force as version 1, not 2": library_of(BURSTS, FORECAST),
        "category service": library_of(elsewhere, FORECAST),
        "its text or parameters differ": library_of(SECOND, FORECAST),
    }
    for word, library in cases.items():
        case_id = await a_case(classifier, reference=word, topic=word)
        arguments = {"sha256": "0" * 64} if "differ" in word else {}
        assert await moving(classifier, wish(case_id, arguments=arguments), found=library) == [DONE]
        told = await last(classifier)
        assert told.plan.version == 1
        assert told.move is not None
        assert told.move.refused is not None
        assert word in told.move.refused.en
        assert "bursts" in told.move.refused.zh
        classifier.ports.plans.library = library_of(BURSTS, FORECAST)
        await classifier.classify(create_complaint(case_id, sequence=2, facts={"customers": 99}))
        assert (await last(classifier)).move is None, "a refusal is told once"


async def test_a_plan_that_was_asked_for_by_name_covers_whatever_it_was_asked_for(classifier: Classifier) -> None:
    case_id = await a_case(classifier, plans=("bursts",), category="other")
    await moving(classifier, wish(case_id), found=library_of(SECOND, FORECAST))
    assert (await last(classifier)).plan.version == 2


async def test_other_commands_other_cases_and_incomplete_wishes_are_passed_over(classifier: Classifier) -> None:
    case_id = await a_case(classifier)
    count = len(await classifier.published())
    system = Actor(kind=ActorKind.SYSTEM, ref="k")
    outcomes = await moving(
        classifier,
        wish(case_id, command=CommandKind.ACKNOWLEDGE),
        wish(case_id, plan=None),
        wish(case_id, plan="forecast"),
        wish(case_id, version="two"),
        wish(case_id, reason=None),
        wish(case_id, actor=system),
        wish(uuid4()),
        found=library_of(SECOND, FORECAST),
    )
    assert all(isinstance(outcome, Skip) for outcome in outcomes)
    assert len(await classifier.published()) == count


async def test_another_organisation_cannot_move_the_case(classifier: Classifier) -> None:
    case_id = await a_case(classifier)
    event = wish(case_id)
    foreign = Event(event.id, event.source, event.time, "other", case_id, event.data)
    assert isinstance((await moving(classifier, foreign, found=library_of(SECOND, FORECAST)))[0], Skip)


async def test_several_cases_of_one_batch_move_together_and_others_are_untouched(classifier: Classifier) -> None:
    ids = [await a_case(classifier, reference=f"r-{n}") for n in range(3)]
    events = [wish(case_id) for case_id in ids[:2]]
    assert await moving(classifier, *events, found=library_of(SECOND, FORECAST)) == [DONE, DONE]
    rows = await classifier.rows("SELECT case_id, runs FROM cases")
    second = library_of(SECOND).get("bursts").ref.sha256
    assert {row["case_id"] for row in rows if second in row["runs"]} == set(ids[:2])


async def test_counts_are_kept_when_a_case_moves(classifier: Classifier) -> None:
    ids = [await a_case(classifier, reference=f"r-{n}") for n in range(3)]
    before = (await classifier.state())["counters"]
    await moving(classifier, *(wish(case_id) for case_id in ids), found=library_of(SECOND, FORECAST))
    assert (await classifier.state())["counters"] == before


async def test_a_replica_that_starts_afterwards_judges_by_the_moved_version(
    classifier: Classifier, classifier_url: str
) -> None:
    case_id = await a_case(classifier)
    await moving(classifier, wish(case_id), found=library_of(SECOND, FORECAST))
    third = BURSTS.replace("version: 1", "version: 3")
    other = create_classifier(classifier_url, third, FORECAST)
    try:
        await other.classify(create_complaint(case_id, sequence=2, facts={"customers": 70}))
        assert (await last(other)).plan.version == 2
        assert await reconsider_due(other.database, other.ports) == 0
    finally:
        await other.database.close()


async def test_a_case_whose_snapshot_is_gone_is_dead_with_the_reason_and_moved_by_one_that_has_it(
    classifier: Classifier, classifier_url: str
) -> None:
    case_id = await a_case(classifier)
    await classifier.rows("UPDATE plans SET snapshot = '{}' RETURNING 1")
    event, other = wish(case_id), create_classifier(classifier_url, SECOND, FORECAST)
    (outcome,) = await moving(other, event)
    await other.database.close()
    assert isinstance(outcome, Dead)
    assert "bursts" in outcome.reason
    assert (await last(classifier)).move is None
    before = classifier.ports.plans.library.get("bursts").ref
    assert await moving(classifier, event, found=library_of(SECOND, FORECAST)) == [DONE]
    told = (await last(classifier)).move
    assert told is not None
    assert told.before == before


async def test_a_preview_says_what_would_be_said_and_keeps_nothing_of_it(classifier: Classifier) -> None:
    ids = [await a_case(classifier, reference=f"r-{n}") for n in range(3)]
    classifier.ports.plans.library = library_of(SECOND, FORECAST)
    state, count = await classifier.state(), len(await classifier.published())
    said = await preview_moves([wish(case_id) for case_id in ids], classifier.database, classifier.ports)
    assert {case_id: (data.plan.version, data.level) for case_id, data in said.items()} == dict.fromkeys(
        ids, (2, "red")
    )
    assert (await classifier.state(), len(await classifier.published())) == (state, count)
    assert not await classifier.rows("SELECT 1 FROM plans WHERE version = 2")
    await moving(classifier, wish(ids[0]))
    assert (await last(classifier)).level == said[ids[0]].level
    again = await preview_moves([wish(case_id) for case_id in ids], classifier.database, classifier.ports)
    assert set(again) == set(ids[1:]), "what is there already is passed over"
