"""The same event told twice becomes one case, without anything of it getting lost."""

from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

import pytest

from services.escalator.domain.case import Case
from services.escalator.domain.classification import reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.merging import take_in
from shared.contracts.classifications import DuplicateOf
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from tests.support.escalations import CASE_ID, at, classified, command, opened, rules

KNOWN = rules()
OTHER_ID = UUID("019a0000-0000-7000-8000-000000000009")


def same(then: Literal["merge", "ask"] = "merge") -> DuplicateOf:
    return DuplicateOf(case_id=OTHER_ID, number="2026-11-000009", rule="same-person", then=then)


def other(level: str = "yellow") -> Case:
    return opened(KNOWN, level).case.evolve(case_id=OTHER_ID, number="2026-11-000009")


def again(known_other: Case | None, then: Literal["merge", "ask"] = "merge", **fields: Any) -> Decision:
    """A further classification that names the other case."""
    news = classified(KNOWN.plan.ref, revision=2, duplicate_of=same(then), **fields)
    return reclassify(KNOWN, opened(KNOWN).case, news, at(minutes=1), known_other)


def kinds(decision: Decision) -> list[ChangeKind]:
    return [change.kind for change in decision.changes]


def test_a_case_that_was_paged_is_merged_and_those_paged_stand_down() -> None:
    decision = again(other())
    assert decision.case.state is CaseState.MERGED
    assert decision.timers == ()
    assert [(one.purpose, one.roles) for one in decision.requests] == [(Purpose.STAND_DOWN, ("liaison",))]
    merged = next(change for change in decision.changes if change.details.get("state") == CaseState.MERGED)
    assert (merged.details["into"], merged.details["rule"]) == ("2026-11-000009", "same-person")


@pytest.mark.parametrize("known_other", [None, replace(other(), state=CaseState.CLOSED)])
def test_nothing_is_merged_into_a_case_that_is_unknown_or_over(known_other: Case | None) -> None:
    decision = again(known_other)
    assert decision.case.state is CaseState.CLASSIFIED
    assert kinds(decision) == [ChangeKind.DUPLICATE_PROPOSED]


def test_asking_proposes_it_once() -> None:
    decision = again(other(), "ask")
    assert kinds(decision) == [ChangeKind.DUPLICATE_PROPOSED]
    news = classified(KNOWN.plan.ref, revision=3, duplicate_of=same("ask"), facts={"people": 2})
    third = reclassify(KNOWN, decision.case, news, at(minutes=2), other())
    assert ChangeKind.DUPLICATE_PROPOSED not in kinds(third)


def test_what_somebody_has_in_hand_is_not_taken_from_them() -> None:
    taken = apply_command(KNOWN, opened(KNOWN).case, command(CommandKind.ACKNOWLEDGE, at()), at()).case
    news = classified(KNOWN.plan.ref, revision=2, duplicate_of=same())
    decision = reclassify(KNOWN, taken, news, at(minutes=1), other())
    assert decision.case.state is CaseState.ACKNOWLEDGED
    assert kinds(decision) == [ChangeKind.DUPLICATE_PROPOSED]


def test_a_case_that_a_person_reopened_is_not_merged_again() -> None:
    merged = again(other()).case
    reopened = apply_command(KNOWN, merged, command(CommandKind.REOPEN, at(minutes=2)), at(minutes=2)).case
    news = classified(KNOWN.plan.ref, revision=3, duplicate_of=same(), facts={"people": 3})
    assert reclassify(KNOWN, reopened, news, at(minutes=3), other()).case.state is CaseState.CLASSIFIED


def test_the_case_that_goes_on_learns_the_facts_and_a_graver_level() -> None:
    merged = opened(KNOWN).case
    mild = take_in(KNOWN, other(), merged, at(minutes=1), merged)
    assert kinds(mild) == [ChangeKind.FACTS_ADDED]
    assert mild.changes[0].details["people"] == 1
    assert str(CASE_ID) not in mild.changes[0].because
    grave = take_in(KNOWN, other(), opened(KNOWN, "red").case, at(minutes=1))
    assert grave.case.level == "red"
    assert grave.requests[0].purpose is Purpose.PAGE
    lowered = apply_command(
        KNOWN,
        other("red"),
        command(CommandKind.LOWER_LEVEL, at(), reason="核实", arguments={"level": "yellow"}),
        at(),
    ).case
    assert take_in(KNOWN, lowered, opened(KNOWN, "red").case, at(minutes=1)).case.level == "yellow"
