"""The small pieces of the plan language: lengths of time, roles, parameters put in, conditions as they are written."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.contracts.values import Slug, Text
from shared.plans.limits import (
    ELAPSED_PATTERN,
    LIMIT_PATTERN,
    WARNING_PATTERN,
    checked_elapsed,
    checked_limit,
    checked_threshold,
)
from shared.plans.words import Identifier, PlanModel

MAX_CONDITION = 2000
_NAME = re.compile(r"[a-z][a-z0-9_]*")
BUILT_IN_MILESTONES = ("occurred", "received", "classified", "acknowledged", "resolved", "closed")
"""In the order in which a case passes them."""


class ParameterRef(PlanModel):
    """A value kept under a name, so that it can be seen, marked as assumed and set per installation."""

    parameter: Identifier


def plain_or_parameter(value: object) -> str:
    return "parameter" if isinstance(value, Mapping | ParameterRef) else "plain"


def checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name[:60]}' is not an IANA time zone") from error
    return name


def _hint_at_parameters(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Whoever wrote a bare name most likely meant the parameter of that name."""
    try:
        return check(value)
    except ValidationError as error:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise
        raise ValueError(
            f"{error.errors()[0]['ctx']['error']}; a parameter is written {{parameter: {value}}}"
        ) from None


LimitText = Annotated[
    str,
    AfterValidator(checked_limit),
    Field(
        json_schema_extra={"pattern": LIMIT_PATTERN, "examples": ["15m", "2h", "4wh", "15wd", "2cd", "same-day", "1mo"]}
    ),
]
ElapsedText = Annotated[
    str,
    AfterValidator(checked_elapsed),
    Field(json_schema_extra={"pattern": ELAPSED_PATTERN, "examples": ["20s", "15m"]}),
]
WarningText = Annotated[
    str,
    AfterValidator(checked_threshold),
    Field(json_schema_extra={"pattern": WARNING_PATTERN, "examples": ["50%", "-10m"]}),
]
_Parameter = Annotated[ParameterRef, Tag("parameter")]
LimitOrParameter = Annotated[
    Annotated[LimitText, WrapValidator(_hint_at_parameters), Tag("plain")] | _Parameter,
    Discriminator(plain_or_parameter),
]
ElapsedOrParameter = Annotated[
    Annotated[ElapsedText, WrapValidator(_hint_at_parameters), Tag("plain")] | _Parameter,
    Discriminator(plain_or_parameter),
]
CountOrParameter = Annotated[
    Annotated[Annotated[StrictInt, Field(ge=0, le=20)], Tag("plain")] | _Parameter,
    Discriminator(plain_or_parameter),
]


class FactLimit(PlanModel):
    """A limit that the case brings: a length (time on batteries), or an instant (when the customer wants it)."""

    fact: Annotated[Identifier, Field(description="A duration or instant fact")]
    otherwise: Annotated[LimitOrParameter, Field(description="While the fact is not known")]


def _plain_parameter_or_fact(value: object) -> str:
    if isinstance(value, FactLimit) or (isinstance(value, Mapping) and "fact" in value):
        return "fact"
    return plain_or_parameter(value)


LimitOrFact = Annotated[
    Annotated[LimitText, Tag("plain")] | _Parameter | Annotated[FactLimit, Tag("fact")],
    Discriminator(_plain_parameter_or_fact),
]
RolesOrParameter = Annotated[Annotated[tuple[Slug, ...], Tag("plain")] | _Parameter, Discriminator(plain_or_parameter)]

ConditionText = Annotated[str, Field(min_length=1, max_length=MAX_CONDITION)]


class ConditionTree(PlanModel):
    """The same as a text with `or`, `and`, `not`, for those who prefer lists. Exactly one key."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "maxProperties": 1},
    )

    any: Annotated["tuple[Condition, ...] | None", Field(min_length=1, max_length=50)] = None
    all: Annotated["tuple[Condition, ...] | None", Field(min_length=1, max_length=50)] = None
    negated: Annotated["Condition | None", Field(alias="not")] = None

    @model_validator(mode="after")
    def _exactly_one_key(self) -> "ConditionTree":
        if sum(part is not None for part in (self.any, self.all, self.negated)) != 1:
            raise PydanticCustomError("condition", "a condition list has exactly one of any, all, not")
        return self


def _text_or_tree(value: object) -> str:
    return "tree" if isinstance(value, Mapping | ConditionTree) else "text"


Condition = Annotated[
    Annotated[ConditionText, Tag("text")] | Annotated[ConditionTree, Tag("tree")], Discriminator(_text_or_tree)
]


class Breach(StrEnum):
    """What happens when a limit runs out."""

    NEXT_TIER = "next-tier"  # the next tier is paged
    NOTIFY = "notify"  # the named roles, or the present tier's, are told
    RECORD = "record"  # written into the case's history only
    RAISE_LEVEL = "raise-level"  # the case rises to the level under `raises`


ParameterValue = StrictBool | StrictInt | StrictFloat | Text | tuple[Slug, ...]


ConditionTree.model_rebuild()
