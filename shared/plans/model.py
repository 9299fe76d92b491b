"""The plan language as data: what a `plan.yaml` may say, key by key. The JSON Schema for editors is made from it.

The models hold what is written. What it means (parameters put in, conditions compiled, limits typed) is
`shared.plans.compiled`; whether it is sound is `shared.plans.lint`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, StrictBool, StrictInt, Tag, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.values import CaseKind, Name, Slug, Text
from shared.plans.facts import FactSpec
from shared.plans.input_spec import Baseline, Duplicate, Signal, Waits, WarningEnd, Window
from shared.plans.message_spec import MessageSpec
from shared.plans.people_spec import Activation, Approval, Bypass, Confidentiality, Inform, Owner, Recusal, TierSpec
from shared.plans.time_spec import ClockSpec, Duty
from shared.plans.words import Identifier, PlanModel, Words
from shared.plans.work_spec import CheckItem, Consequence, DrillSpec, NotAutomated, Notice, OpensPlan, RecordEntry
from shared.plans.written import (
    BUILT_IN_MILESTONES,
    MAX_CONDITION,
    Breach,
    Condition,
    ConditionTree,
    ParameterRef,
    ParameterValue,
    RolesOrParameter,
    checked_zone,
)


class Applies(PlanModel):
    """Which events come to this plan when the reporter names none. An absent list means any.

    A value ending in `*` matches by its beginning. `default: true` takes what no plan's `applies` matched.
    """

    kinds: Annotated[tuple[CaseKind, ...], Field(description="Empty: none, for a plan of duties only")]
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


class Criterion(PlanModel):
    """One reason for one level. Any one that holds is enough; the highest level that holds wins."""

    id: Slug
    level: Slug
    when: Condition
    label: Words
    source: Annotated[Text | None, Field(description="Document and place, such as '002-01 table 1'")] = None
    text_source: Annotated[Text | None, Field(description="What exactly is printed there, where it matters")] = None
    assumed: Annotated[StrictBool, Field(description="Rests on an assumption, which a parameter must hold")] = False


class Parameter(PlanModel):
    """A value the document leaves open, or that an installation may set. `assumed`: the document does not state it."""

    value: ParameterValue
    assumed: StrictBool = False
    source: Text | None = None
    note: Annotated[Words | None, Field(description="Why this value; needed where it is assumed")] = None


def _plain_or_detail(value: object) -> str:
    return "detail" if isinstance(value, Mapping | Confidentiality) else "plain"


def _extending(schema: dict[str, Any]) -> None:
    """A plan that extends another, or only serves as a base, need not hold everything itself."""
    required = schema.pop("required")
    schema["required"] = ["plan"]
    schema["anyOf"] = [
        {"required": required},
        {"required": ["extends", "version"]},
        {"required": ["abstract"], "properties": {"abstract": {"const": True}}},
    ]


class Plan(PlanModel):
    """One plan. Immutable once published: its identity is name, version and the hash of its canonical text."""

    model_config = ConfigDict(title="Fenghuo plan", json_schema_extra=_extending)

    extends: Annotated[Slug | None, Field(description="The plan it is made from: put in when the file is read")] = None
    without: Annotated[
        tuple[Annotated[str, Field(max_length=130)], ...],
        Field(max_length=200, description="With extends: what of the base is dropped, such as criteria.people-3"),
    ] = ()
    abstract: Annotated[
        StrictBool, Field(description="Only a base for others: need not be complete, takes no event")
    ] = False

    plan: Annotated[Slug, Field(description="The plan's name, equal to its folder's")]
    version: Annotated[StrictInt, Field(ge=1)]
    title: Words
    sources: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9]{3}-[0-9]{2}$")], ...],
        Field(description="The documents it realises"),
    ] = ()
    timezone: Annotated[str, AfterValidator(checked_zone), Field(description="IANA name, such as Asia/Shanghai")]
    calendar: Annotated[Slug | None, Field(description="Working days and hours")] = None
    business_day_start: Annotated[
        str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="When a `day` of a window begins")
    ] = "00:00"
    applies: Applies
    secrecy: Annotated[
        Annotated[StrictBool, Tag("plain")] | Annotated[Confidentiality, Tag("detail")],
        Discriminator(_plain_or_detail),
        Field(alias="confidential", description="true: publishes no narrative; or what is kept back from whom"),
    ] = False
    levels: Annotated[
        tuple[Level, ...], Field(max_length=12, description="Mildest first; absent for a plan of duties only")
    ] = ()
    expected: Annotated[dict[Slug, Words], Field(description="Per level: what those who are told must do")] = Field(
        default_factory=dict
    )
    milestones: tuple[Milestone, ...] = ()
    parameters: Annotated[dict[Identifier, Parameter], Field(max_length=100)] = Field(default_factory=dict)
    facts: Annotated[dict[Identifier, FactSpec], Field(max_length=200)] = Field(default_factory=dict)
    windows: Annotated[dict[Identifier, Window], Field(max_length=50)] = Field(default_factory=dict)
    criteria: Annotated[tuple[Criterion, ...], Field(max_length=200)] = ()
    clocks: Annotated[tuple[ClockSpec, ...], Field(max_length=100)] = ()
    tiers: Annotated[tuple[TierSpec, ...], Field(max_length=20)] = ()
    notify: Annotated[
        dict[Slug, RolesOrParameter], Field(description="Per level: roles that are informed, not paged")
    ] = Field(default_factory=dict)
    inform: Annotated[tuple[Inform, ...], Field(max_length=100)] = ()
    bypass: Annotated[tuple[Bypass, ...], Field(max_length=20)] = ()
    messages: Annotated[tuple[MessageSpec, ...], Field(max_length=60)] = ()
    baselines: Annotated[dict[Identifier, Baseline], Field(max_length=20)] = Field(default_factory=dict)
    signals: Annotated[dict[Identifier, Signal], Field(max_length=60)] = Field(default_factory=dict)
    duplicates: Annotated[tuple[Duplicate, ...], Field(max_length=20)] = ()
    warnings: WarningEnd | None = None
    waits: Waits | None = None
    opens: Annotated[tuple[OpensPlan, ...], Field(max_length=20)] = ()
    owner: Owner | None = None
    activation: Annotated[tuple[Activation, ...], Field(max_length=20)] = ()
    approvals: Annotated[tuple[Approval, ...], Field(max_length=50)] = ()
    recusal: Annotated[tuple[Recusal, ...], Field(max_length=20)] = ()
    record: Annotated[tuple[RecordEntry, ...], Field(max_length=100)] = ()
    checklist: Annotated[tuple[CheckItem, ...], Field(max_length=200)] = ()
    notices: Annotated[tuple[Notice, ...], Field(max_length=50)] = ()
    duties: Annotated[tuple[Duty, ...], Field(max_length=100)] = ()
    consequences: Annotated[tuple[Consequence, ...], Field(max_length=100)] = ()
    drills: Annotated[tuple[DrillSpec, ...], Field(max_length=20)] = ()
    not_automated: Annotated[tuple[NotAutomated, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _does_something(self) -> "Plan":
        judging = bool(self.levels), bool(self.criteria), bool(self.applies.kinds)
        if any(judging) and not all(judging):
            raise PydanticCustomError("plan", "a plan that takes events needs applies.kinds, levels and criteria")
        if not any(judging) and not (self.duties or self.drills or self.checklist):
            raise PydanticCustomError("plan", "a plan without criteria needs duties, drills or a checklist")
        return self

    @property
    def confidential(self) -> bool:
        """Whether no narrative is published."""
        return self.secrecy if isinstance(self.secrecy, bool) else self.secrecy.narrative == "withheld"

    @property
    def confidentiality(self) -> Confidentiality | None:
        """What is kept back from whom; None where nothing is."""
        if isinstance(self.secrecy, bool):
            return Confidentiality(complainant="shown") if self.secrecy else None
        return self.secrecy


__all__ = [
    "BUILT_IN_MILESTONES",
    "MAX_CONDITION",
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
