"""How a plan writes what else is to be done: record, checklist, notices, consequences, drills, and what is not."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.values import Slug, Text
from shared.plans.people_spec import Levels, When
from shared.plans.time_spec import EveryOrParameter
from shared.plans.words import Identifier, PlanModel, Words
from shared.plans.written import ConditionText, LimitOrParameter, RolesOrParameter

RecordField = Literal[
    "number",
    "title",
    "narrative",
    "complainant",
    "contact",
    "place",
    "topic",
    "category",
    "channel",
    "source",
    "occurred_at",
    "received_at",
    "attachments",
]


class RecordEntry(PlanModel):
    """Something that must be written down before a milestone."""

    id: Slug
    words: Words
    field: Annotated[RecordField | None, Field(description="A field of every case")] = None
    fact: Annotated[Identifier | None, Field(description="Or one of the plan's facts")] = None
    form: Annotated[Words | None, Field(description="The form it stands on")] = None
    before: Annotated[Slug, Field(description="Milestone; received: asked for when it is taken down")] = "closed"
    may_stay_blank_until: Annotated[
        Slug | None, Field(description="It belongs on the form, but may be unknown until this milestone")
    ] = None
    levels: Levels = ()
    when: When = None
    source: Text | None = None

    @model_validator(mode="after")
    def _of_one_thing(self) -> "RecordEntry":
        if self.field is not None and self.fact is not None:
            raise PydanticCustomError("record", "an entry is a field or a fact, not both")
        return self


class CheckItem(PlanModel):
    """Something to be done and ticked before a milestone."""

    id: Slug
    words: Words
    kind: Literal["action", "evidence", "signature", "safety", "check", "tell"] = "action"
    by: Annotated[RolesOrParameter, Field(description="Who ticks it; absent: whoever handles the case")] = ()
    before: Annotated[
        Slug, Field(description="Milestone before which it has to be ticked; what is open then is recorded")
    ] = "resolved"
    levels: Levels = ()
    when: When = None
    source: Text | None = None
    assumed: StrictBool = False


class Notice(PlanModel):
    """What the complainant is told, and when."""

    id: Slug
    words: Words
    on: Annotated[
        Slug, Field(description="A milestone, or breached, extended, level-changed, withdrawn, invalidated, merged")
    ]
    within: Annotated[
        LimitOrParameter | None, Field(description="A person tells it, within this; absent: by itself")
    ] = None
    opt_in: Annotated[StrictBool, Field(description="Only to those who asked to be told")] = False
    outcome: Annotated[
        StrictBool, Field(description="What the handler wrote for the complainant (argument outcome) follows the words")
    ] = False
    levels: Levels = ()
    when: When = None
    source: Text | None = None
    assumed: StrictBool = False


class Consequence(PlanModel):
    """A sanction, reward or accountability that follows. It is computed and proposed; a person decides."""

    id: Slug
    words: Words
    kind: Literal["sanction", "reward", "accountability", "compensation"] = "sanction"
    when: Annotated[When, Field(description="May read facts and windows")] = None
    of: Annotated[Identifier | None, Field(description="The fact that names whom it concerns")] = None
    amount: Annotated[ConditionText | None, Field(description="A calculation, such as 0.01 * loss")] = None
    up_to: Annotated[ConditionText | None, Field(description="With amount as the lower end: the upper one")] = None
    unit: Annotated[Text | None, Field(description="Of the amount, such as CNY or %")] = None
    by: Annotated[RolesOrParameter, Field(description="Who decides")] = ()
    needs: Annotated[Slug | None, Field(description="The approval without which it does not take effect")] = None
    levels: Levels = ()
    source: Text | None = None
    assumed: StrictBool = False

    @model_validator(mode="after")
    def _follows_from_something(self) -> "Consequence":
        if self.when is None and not self.levels:
            raise PydanticCustomError("consequence", "a consequence follows at levels, when something holds, or both")
        if self.amount is None and (self.up_to is not None or self.unit is not None):
            raise PydanticCustomError("consequence", "up_to and unit need an amount")
        return self


class DrillSpec(PlanModel):
    """A scenario that is drilled: one of the pack's cases."""

    id: Slug
    words: Words
    case: Annotated[Slug, Field(description="Name of a case under cases/")]
    every: Annotated[EveryOrParameter | None, Field(description="How often it is due; absent: on demand")] = None
    roles: Annotated[RolesOrParameter, Field(description="Who holds it")] = ()
    source: Text | None = None
    assumed: StrictBool = False


class NotAutomated(PlanModel):
    """What the document says and this plan leaves to people, or leaves out, and why."""

    id: Slug
    words: Words
    reason: Annotated[
        Literal["gap", "unlawful", "misprint", "judgement", "outside"],
        Field(
            description="gap: the text is cut or blank; unlawful: left out; misprint: read as the words say; "
            "judgement: a person decides; outside: not the business of a plan"
        ),
    ]
    source: Text | None = None


class OpensPlan(PlanModel):
    """Another plan begins for the same event."""

    id: Slug
    words: Words
    plan: Slug
    when: Annotated[When, Field(description="May read facts and windows")] = None
    carry: Annotated[tuple[Identifier, ...], Field(max_length=50, description="Facts it is given")] = ()
    levels: Levels = ()
    source: Text | None = None

    @model_validator(mode="after")
    def _has_a_reason(self) -> "OpensPlan":
        if self.when is None and not self.levels:
            raise PydanticCustomError("opens", "another plan is opened at levels, when something holds, or both")
        return self
