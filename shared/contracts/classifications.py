"""What the classifier decided and why: topic `cases-classified`."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.values import (
    Bilingual,
    CaseKind,
    Contract,
    Facts,
    FactValue,
    Instant,
    Language,
    LevelRank,
    Name,
    Place,
    PlanRef,
    Slug,
    Text,
)

MAX_PROBLEMS = 50


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


class CaseClassifiedV1(Contract):
    """The level of one case under one plan, with every criterion.

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
    criteria: tuple[CriterionResult, ...]
    decided_by: Annotated[Slug | None, Field(description="The criterion that set the level")] = None
    title: Text | None = None
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
    resolved: Annotated[bool, Field(description="The source says the trouble is over")] = False
    confidential: bool = False
    drill: bool = False
