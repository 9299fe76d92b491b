"""The plan language as data: what a `plan.yaml` may say, key by key. The JSON Schema for editors is made from it.

The models hold what is written. What it means (parameters put in, conditions compiled, limits typed) is
`shared.plans.compiled`; whether it is sound is `shared.plans.lint`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal
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
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.contracts.values import CaseKind, ChannelKind, Name, Slug, Text
from shared.plans.facts import FactSpec
from shared.plans.limits import (
    ELAPSED_PATTERN,
    LIMIT_PATTERN,
    WARNING_PATTERN,
    checked_elapsed,
    checked_limit,
    checked_threshold,
)
from shared.plans.words import Identifier, PlanModel, Words

MAX_CONDITION = 2000
BUILT_IN_MILESTONES = ("occurred", "received", "classified", "acknowledged", "resolved", "closed")
"""In the order in which a case passes them."""


class ParameterRef(PlanModel):
    """A value kept under a name, so that it can be seen, marked as assumed and set per installation."""

    parameter: Identifier


def _plain_or_parameter(value: object) -> str:
    return "parameter" if isinstance(value, Mapping | ParameterRef) else "plain"


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name[:60]}' is not an IANA time zone") from error
    return name


LimitText = Annotated[
    str,
    AfterValidator(checked_limit),
    Field(json_schema_extra={"pattern": LIMIT_PATTERN, "examples": ["15m", "2h", "15wd", "1mo"]}),
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
LimitOrParameter = Annotated[Annotated[LimitText, Tag("plain")] | _Parameter, Discriminator(_plain_or_parameter)]
ElapsedOrParameter = Annotated[Annotated[ElapsedText, Tag("plain")] | _Parameter, Discriminator(_plain_or_parameter)]
CountOrParameter = Annotated[
    Annotated[Annotated[StrictInt, Field(ge=0, le=20)], Tag("plain")] | _Parameter,
    Discriminator(_plain_or_parameter),
]
RolesOrParameter = Annotated[Annotated[tuple[Slug, ...], Tag("plain")] | _Parameter, Discriminator(_plain_or_parameter)]

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


class Applies(PlanModel):
    """Which events come to this plan when the reporter names none. An absent list means any.

    A value ending in `*` matches by its beginning. `default: true` takes what no plan's `applies` matched.
    """

    kinds: Annotated[tuple[CaseKind, ...], Field(min_length=1)]
    topics: tuple[Name, ...] = ()
    categories: tuple[Name, ...] = ()
    not_categories: Annotated[
        tuple[Name, ...], Field(description="Never these, not even by default: other procedures handle them")
    ] = ()
    channels: tuple[Name, ...] = ()
    organisations: tuple[Name, ...] = ()
    default: StrictBool = False


class Level(PlanModel):
    """One level of severity. Their order in the file, mildest first, is the only order."""

    id: Slug
    zh: Text
    en: Text

    @property
    def label(self) -> Words:
        return Words(zh=self.zh, en=self.en)


class Milestone(PlanModel):
    """A stage of the case that a `milestone` command names, so that clocks may start or stop at it."""

    id: Slug
    zh: Text
    en: Text


class Window(PlanModel):
    """Counts cases, or distinct values of them, per period and group. Give `count` or `distinct`, not both.

    Periods begin in the plan's time zone; a `day` begins at `business_day_start`, a `week` on Monday.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["count"]}, {"required": ["distinct"]}]})

    count: Annotated[Literal["complaint", "incident", "any"] | None, Field(description="Counts cases of this kind")] = (
        None
    )
    distinct: Annotated[
        str | None, Field(max_length=80, description="Counts different values of this name, such as place.city")
    ] = None
    of: Annotated[
        Literal["complaint", "incident", "any"], Field(description="With distinct: of cases of this kind")
    ] = "any"
    where: Annotated[ConditionText | None, Field(description="Counts only cases for which this holds")] = None
    per: Annotated[
        str,
        Field(
            pattern=r"^(hour|day|week|month|[0-9]{1,6}[smhdw] sliding)$",
            description="hour, day, week, month, or a sliding length such as '24h sliding'",
        ),
    ]
    by: Annotated[
        tuple[str, ...], Field(max_length=6, description="One count for each different value of these names")
    ] = ()
    at: Annotated[Literal["received", "occurred"], Field(description="Which instant puts a case into a period")] = (
        "received"
    )
    raises: Annotated[
        Literal["warning", "nothing"] | None,
        Field(
            description="Whether a criterion on this window raises a warning case of the group; "
            "absent: warning, unless grouped by complainant"
        ),
    ] = None
    zh: Text | None = None
    en: Text | None = None

    @model_validator(mode="after")
    def _counts_one_thing(self) -> "Window":
        if (self.count is None) == (self.distinct is None):
            raise PydanticCustomError("window", "a window has exactly one of count, distinct")
        if (self.zh is None) != (self.en is None):
            raise PydanticCustomError("window", "a window's label needs both zh and en")
        return self

    @property
    def raises_warning(self) -> bool:
        return self.raises == "warning" if self.raises else "complainant" not in self.by


class Criterion(PlanModel):
    """One reason for one level. Any one that holds is enough; the highest level that holds wins."""

    id: Slug
    level: Slug
    when: Condition
    label: Words
    source: Annotated[Text | None, Field(description="Document and place, such as '002-01 table 1'")] = None
    text_source: Annotated[Text | None, Field(description="What exactly is printed there, where it matters")] = None
    assumed: Annotated[StrictBool, Field(description="Rests on an assumption, which a parameter must hold")] = False


class Breach(StrEnum):
    """What happens when a clock runs out."""

    NEXT_TIER = "next-tier"  # the next tier is paged
    NOTIFY = "notify"  # the clock's roles, or the present tier's, are told
    RECORD = "record"  # written into the case's history only


class ClockSpec(PlanModel):
    """A limit of time between two milestones. A clock whose stop lies before the case is opened is judged at once."""

    id: Slug
    label: Words
    start: Annotated[Slug, Field(alias="from", description="Milestone that starts it")]
    until: Annotated[Slug, Field(description="Milestone that stops it")]
    limit: LimitOrParameter
    warn: Annotated[tuple[WarningText, ...], Field(max_length=10)] = ()
    breach: Breach = Breach.NOTIFY
    levels: Annotated[tuple[Slug, ...], Field(description="Only at these levels; absent: at every level")] = ()
    when: Annotated[Condition | None, Field(description="Only where this holds; not known means it does not")] = None
    notify_roles: Annotated[
        RolesOrParameter, Field(description="Who is warned and told; absent: the present tier")
    ] = ()
    source: Text | None = None
    assumed: StrictBool = False


class TierSpec(PlanModel):
    """Who is paged, one tier after the other, until somebody acknowledges."""

    id: Slug
    zh: Text
    en: Text
    roles: RolesOrParameter
    channels: Annotated[tuple[ChannelKind, ...], Field(min_length=1, description="In order of preference")] = (
        ChannelKind.SMS,
        ChannelKind.EMAIL,
    )
    all_channels: Annotated[StrictBool, Field(description="By all channels together, not one after the other")] = False
    acknowledge_within: Annotated[
        ElapsedOrParameter, Field(description="Without an acknowledgement the page is repeated or goes up a tier")
    ] = "15m"
    repeat: Annotated[
        CountOrParameter, Field(description="How many more times this tier is paged before the next one")
    ] = 0
    levels: Annotated[tuple[Slug, ...], Field(description="Only at these levels; absent: at every level")] = ()
    source: Text | None = None
    assumed: StrictBool = False

    @property
    def label(self) -> Words:
        return Words(zh=self.zh, en=self.en)


ParameterValue = StrictBool | StrictInt | StrictFloat | Text | tuple[Slug, ...]


class Parameter(PlanModel):
    """A value the document leaves open, or that an installation may set. `assumed`: the document does not state it."""

    value: ParameterValue
    assumed: StrictBool = False
    note: Annotated[Words | None, Field(description="Why this value; needed where it is assumed")] = None


class Plan(PlanModel):
    """One plan. Immutable once published: its identity is name, version and the hash of its canonical text."""

    model_config = ConfigDict(title="Fenghuo plan")

    plan: Annotated[Slug, Field(description="The plan's name, equal to its folder's")]
    version: Annotated[StrictInt, Field(ge=1)]
    title: Words
    sources: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9]{3}-[0-9]{2}$")], ...],
        Field(description="The documents it realises"),
    ] = ()
    timezone: Annotated[str, AfterValidator(_checked_zone), Field(description="IANA name, such as Asia/Shanghai")]
    calendar: Annotated[Slug | None, Field(description="Working days and hours")] = None
    business_day_start: Annotated[
        str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="When a `day` of a window begins")
    ] = "00:00"
    applies: Applies
    confidential: Annotated[StrictBool, Field(description="Publishes no narrative")] = False
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=12, description="Mildest first")]
    expected: Annotated[dict[Slug, Words], Field(description="Per level: what those who are told must do")] = Field(
        default_factory=dict
    )
    milestones: tuple[Milestone, ...] = ()
    parameters: Annotated[dict[Identifier, Parameter], Field(max_length=100)] = Field(default_factory=dict)
    facts: Annotated[dict[Identifier, FactSpec], Field(max_length=200)] = Field(default_factory=dict)
    windows: Annotated[dict[Identifier, Window], Field(max_length=50)] = Field(default_factory=dict)
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=200)]
    clocks: Annotated[tuple[ClockSpec, ...], Field(max_length=100)] = ()
    tiers: Annotated[tuple[TierSpec, ...], Field(max_length=20)] = ()
    notify: Annotated[
        dict[Slug, RolesOrParameter], Field(description="Per level: roles that are informed, not paged")
    ] = Field(default_factory=dict)


ConditionTree.model_rebuild()

__all__ = [
    "BUILT_IN_MILESTONES",
    "Applies",
    "Breach",
    "ClockSpec",
    "Condition",
    "ConditionTree",
    "Criterion",
    "FactSpec",
    "Level",
    "Milestone",
    "Parameter",
    "ParameterRef",
    "ParameterValue",
    "Plan",
    "TierSpec",
    "Window",
    "Words",
]
