"""What the classifier decided and why: topic `cases-classified`."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.values import (
    Actor,
    Bilingual,
    CaseKind,
    Contract,
    Facts,
    FactValue,
    Instant,
    Language,
    LevelRank,
    LongText,
    Name,
    Place,
    PlanRef,
    Slug,
    Text,
)

MAX_PROBLEMS = 50
MAX_COUNTED = 20
MAX_COUNTED_SHOWN = 5


class Holds(StrEnum):
    """Three-valued: what is not known never satisfies a criterion and is reported as such."""

    HELD = "held"
    NOT_HELD = "not-held"
    NOT_KNOWN = "not-known"


class CriterionResult(Contract):
    """One criterion of the plan with the values it read: a person can check it by hand."""

    id: Slug
    level: Slug
    result: Holds
    when: Annotated[str, Field(max_length=2000, description="The condition as the plan states it")]
    values: Annotated[dict[str, FactValue | None], Field(description="Every name the condition reads; null: not known")]
    source: Text | None = None
    label: Bilingual | None = None


_SIGNS = {Holds.HELD: "+", Holds.NOT_HELD: "-", Holds.NOT_KNOWN: "?"}
_MEANT = {sign: holds for holds, sign in _SIGNS.items()}


def sign_of(holds: Holds) -> str:
    """How an answer is written in `Answers.results`."""
    return _SIGNS[holds]


class Answers(Contract):
    """The answers to every criterion of a plan, without the words of the plan: those go with its hash."""

    results: Annotated[
        str,
        Field(
            max_length=500,
            pattern=r"^[+?-]*$",
            description="One character a criterion in the plan's order: + held, - not held, ? not known",
        ),
    ]
    values: Annotated[dict[str, FactValue], Field(description="What the criteria read, as far as it is known")]


class ProposedFact(Contract):
    """A fact that nobody gave: words of the text propose it. It counts as known until somebody gives the fact."""

    fact: Name
    value: FactValue
    signal: Name
    word: Annotated[str, Field(max_length=200)]
    where: Literal["title", "narrative"]
    position: Annotated[int, Field(ge=0, description="Characters from the beginning of the text")]
    excerpt: Annotated[str, Field(max_length=400, description="The word with what stands around it")]


class OpenedBy(Contract):
    """The plan that brought this one into the case, and by which of its openings."""

    plan: Slug
    opening: Slug
    because: Bilingual | None = None


class DuplicateOf(Contract):
    """An earlier case that a rule of the plan takes for the same event."""

    case_id: UUID
    number: Annotated[str, Field(max_length=40)]
    rule: Slug
    then: Annotated[Literal["merge", "ask"], Field(description="Merge at once, or propose it to a person")]


class PlanMove(Contract):
    """A named person wants the case under another version of its plan; `refused` says why it stays where it is.

    What was done stays on every later classification, so that whoever missed one can still follow.
    """

    asked: Annotated[UUID, Field(description="The command's event id")]
    actor: Actor
    reason: LongText
    before: PlanRef
    version: Annotated[int, Field(ge=1, description="The version it is to be under")]
    levels: Annotated[
        Literal["keep", "as-judged"], Field(description="as-judged: the person lets the level fall to what it says")
    ] = "keep"
    refused: Bilingual | None = None


class CountedCases(Contract):
    """The cases in one window that was read, as they were when the case was judged. Buckets begin in [start, end).

    With a `baseline` they are those of the earlier whole `periods` of the window whose average was read.
    """

    window: Name
    baseline: Annotated[Name | None, Field(description="What was read is the average of `value` over `periods`")] = None
    periods: Annotated[int | None, Field(ge=1, description="Whole periods of the window from start to end")] = None
    group: Annotated[
        dict[str, str | None], Field(description="What the cases have in common; a complainant is not named: null")
    ]
    start: Instant
    end: Instant
    value: Annotated[int, Field(ge=0, description="What was read: cases, or different values among them")]
    cases: Annotated[int, Field(ge=0, description="How many different cases")]
    earliest: Annotated[tuple[UUID, ...], Field(max_length=MAX_COUNTED_SHOWN)]
    latest: Annotated[
        tuple[UUID, ...], Field(max_length=MAX_COUNTED_SHOWN, description="The latest besides the earliest")
    ] = ()


class CaseClassifiedV1(Contract):
    """The level of one case under one plan, with the answer to every criterion.

    Without `answers`, `criteria` are all of the plan that were judged. With them `criteria` are those that hold, and
    `in_full` gives all: the others' words come from any classification with the same `plan.sha256`, of a complaint or
    incident, without `answers`; the classifier publishes one at least once a day for every plan that decides.

    Published when the case is new to the plan, when its level or facts changed, and when time alone changed it.
    The classifier proposes; `level` here may be lower than what the escalator holds, which never falls by itself.
    """

    TYPE: ClassVar[str] = "fenghuo.case.classified.v1"

    number: Annotated[str, Field(max_length=40)]
    kind: CaseKind
    plan: PlanRef
    revision: Annotated[int, Field(ge=1, description="Rises with every classification of this case under this plan")]
    level: Slug | None
    level_rank: LevelRank
    previous_level: Slug | None = None
    criteria: Annotated[
        tuple[CriterionResult, ...], Field(description="Every criterion judged; with `answers` only those that hold")
    ]
    answers: Annotated[Answers | None, Field(description="Every criterion judged, without the plan's words")] = None
    decided_by: Annotated[Slug | None, Field(description="The criterion that set the level")] = None
    title: Text | None = None
    title_en: Annotated[Text | None, Field(description="Warning case: the title for readers of English")] = None
    source: Name
    channel: Name | None = None
    topic: Name | None = None
    place: Place = Place()
    language: Language = "zh"
    facts: Facts = Field(default_factory=dict)
    problems: Annotated[
        tuple[Text, ...],
        Field(max_length=MAX_PROBLEMS, description="What was reported but could not be used, and why"),
    ] = ()
    occurred_at: Instant
    received_at: Instant
    classified_at: Instant
    linked_cases: Annotated[
        tuple[UUID, ...], Field(max_length=50, description="Warning case: latest cases that made it")
    ] = ()
    linked_count: Annotated[int, Field(ge=0)] = 0
    counted: Annotated[
        tuple[CountedCases, ...],
        Field(
            max_length=MAX_COUNTED,
            description="Cases in each window that was read; warning case: in each that its held criteria read",
        ),
    ] = ()
    proposed: Annotated[
        tuple[ProposedFact, ...], Field(max_length=50, description="Those of the facts that words of the text propose")
    ] = ()
    opened_by: Annotated[OpenedBy | None, Field(description="Another plan of this case asked for this one")] = None
    duplicate_of: DuplicateOf | None = None
    split_from: Annotated[
        str | None, Field(max_length=40, description="Number of the case this one was part of until it was split")
    ] = None
    move: Annotated[PlanMove | None, Field(description="From another version of the plan, by a person")] = None
    resolved: Annotated[bool, Field(description="The source says the trouble is over; a warning case: it ended")] = (
        False
    )
    resolved_because: Annotated[Bilingual | None, Field(description="Why a warning case ended by itself")] = None
    confidential: bool = False
    drill: bool = False


def in_full(
    criteria: Sequence[CriterionResult], answers: Answers | None, words: Sequence[CriterionResult]
) -> tuple[CriterionResult, ...]:
    """Every criterion of a classification, with the values it read.

    `words`: all criteria of the same plan text, from a classification that carries them all; not looked at without
    `answers`. Raises ValueError when they are of another plan: not as many.
    """
    if answers is None:
        return tuple(criteria)
    values = answers.values
    return tuple(
        one.model_copy(update={"result": _MEANT[sign], "values": {name: values.get(name) for name in one.values}})
        for one, sign in zip(words, answers.results, strict=True)
    )
