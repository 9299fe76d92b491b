"""Every criterion of a classification: most events carry the answers only, the plan's words come once a day."""

from collections.abc import Sequence
from typing import Any

from shared.contracts.classifications import Answers, CaseClassifiedV1, CriterionResult, Holds, in_full
from shared.contracts.values import CaseKind

Row = dict[str, Any]


def criteria_row(found: CaseClassifiedV1) -> Row | None:
    """The words of the plan that decided, without anything about this case; None for an event that lacks them.

    A warning case is judged by other criteria of its plan than the cases are, so it tells nothing about those.
    """
    if found.answers is not None or found.kind is CaseKind.WARNING:
        return None
    return {"sha256": found.plan.sha256, "criteria": words_in(found.criteria)}


def words_in(criteria: Sequence[CriterionResult]) -> list[Row]:
    """The same words from criteria at hand."""
    return [_words(one) for one in criteria]


def all_criteria(body: Row, words: Sequence[Row] | None) -> list[Row]:
    """What `CriterionResult` says of every criterion judged; those that hold when the words are not known (yet)."""
    answers = body.get("answers")
    criteria: list[Row] = body["criteria"]
    if answers is None or words is None:
        return criteria
    told = [CriterionResult.model_validate(one) for one in words]
    given = [CriterionResult.model_validate(one) for one in criteria]
    return [one.model_dump(mode="json") for one in in_full(given, Answers.model_validate(answers), told)]


def _words(one: CriterionResult) -> Row:
    blank = one.model_copy(update={"result": Holds.NOT_KNOWN, "values": dict.fromkeys(one.values)})
    return blank.model_dump(mode="json")
