"""How a plan writes who: tiers, bypass, who is informed, activation, approvals, recusal and confidentiality."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.values import ChannelKind, Slug, Text
from shared.plans.words import Identifier, PlanModel, Words
from shared.plans.written import (
    Breach,
    Condition,
    CountOrParameter,
    ElapsedOrParameter,
    LimitOrParameter,
    RolesOrParameter,
)

Levels = Annotated[tuple[Slug, ...], Field(description="Only at these levels; absent: at every level")]
When = Annotated[Condition | None, Field(description="Only where this holds; not known means it does not")]
Channels = Annotated[tuple[ChannelKind, ...], Field(min_length=1, description="In order of preference")]


class TierSpec(PlanModel):
    """Who is paged, one tier after the other, until somebody acknowledges."""

    id: Slug
    zh: Text
    en: Text
    roles: RolesOrParameter
    off_hours: Annotated[
        RolesOrParameter, Field(description="Instead of roles, outside the working hours of the plan's calendar")
    ] = ()
    hours: Annotated[
        Literal["any", "working"], Field(description="working: not paged outside working hours, the ladder waits")
    ] = "any"
    wait: Annotated[ElapsedOrParameter | None, Field(description="Paged this long after the ladder reaches it")] = None
    channels: Channels = (ChannelKind.SMS, ChannelKind.EMAIL)
    all_channels: Annotated[StrictBool, Field(description="By all channels together, not one after the other")] = False
    acknowledge_within: Annotated[
        ElapsedOrParameter, Field(description="Without an acknowledgement the page is repeated or goes up a tier")
    ] = "15m"
    repeat: Annotated[
        CountOrParameter, Field(description="How many more times this tier is paged before the next one")
    ] = 0
    repeat_from: Annotated[
        Slug | None, Field(description="On the last tier: the ladder begins again at this tier, until acknowledged")
    ] = None
    levels: Levels = ()
    when: When = None
    source: Text | None = None
    assumed: StrictBool = False

    @property
    def label(self) -> Words:
        return Words(zh=self.zh, en=self.en)


class Inform(PlanModel):
    """Roles that are told, without having to acknowledge: at a milestone, at some levels, where a condition holds."""

    id: Slug
    words: Annotated[Words | None, Field(description="What they are told besides the case")] = None
    roles: RolesOrParameter
    channels: Channels = (ChannelKind.SMS, ChannelKind.EMAIL)
    all_channels: Annotated[StrictBool, Field(description="By all channels together, such as text and call")] = False
    on: Annotated[Slug, Field(description="Milestone at which they are told")] = "classified"
    levels: Levels = ()
    when: When = None
    source: Text | None = None
    assumed: StrictBool = False


class Bypass(PlanModel):
    """Leave to skip the tiers: anybody may call these roles, or an outside number, at once."""

    id: Slug
    words: Words
    roles: RolesOrParameter = ()
    dial: Annotated[str | None, Field(pattern=r"^[0-9+*# -]{2,20}$", description="A public number, such as 110")] = None
    levels: Levels = ()
    when: When = None
    source: Text | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "Bypass":
        if not self.roles and self.dial is None:
            raise PydanticCustomError("bypass", "a bypass leads to roles or dials a number")
        return self


class Activation(PlanModel):
    """A gate: tiers and clocks start only when a named role has decided. The first that applies to a case counts."""

    id: Slug
    words: Words
    roles: RolesOrParameter
    channels: Channels = (ChannelKind.SMS, ChannelKind.VOICE)
    within: ElapsedOrParameter
    on_silence: Annotated[
        Literal["activate", "next-tier", "record"],
        Field(description="Nobody decides in time: start anyway, page the next tier to decide, or only record it"),
    ] = "next-tier"
    levels: Levels = ()
    when: When = None
    source: Text | None = None
    assumed: StrictBool = False


class Approval(PlanModel):
    """A milestone or an action that counts only once every step has approved, in order."""

    id: Slug
    words: Words
    of: Annotated[Slug | None, Field(description="The milestone that needs it")] = None
    action: Annotated[
        Slug | None, Field(description="Or a name for what is allowed: reply, compensation, disclosure, reward")
    ] = None
    by: Annotated[
        tuple[RolesOrParameter, ...],
        Field(min_length=1, max_length=6, description="Steps in order; in each, one of its roles decides"),
    ]
    within: Annotated[LimitOrParameter | None, Field(description="For each step")] = None
    on_silence: Annotated[
        Literal["next-tier", "notify", "record"], Field(description="A step does not decide in time")
    ] = "notify"
    levels: Levels = ()
    when: When = None
    source: Text | None = None
    assumed: StrictBool = False

    @model_validator(mode="after")
    def _of_one_thing(self) -> "Approval":
        if (self.of is None) == (self.action is None):
            raise PydanticCustomError("approval", "an approval has exactly one of of, action")
        return self


class Recusal(PlanModel):
    """Whoever the fact names keeps out of the case."""

    id: Slug
    words: Words
    who: Annotated[Identifier, Field(description="A text, enum or set fact: a role, a person or a department")]
    covers: Annotated[
        tuple[Literal["pages", "visibility", "handling"], ...], Field(min_length=1, description="From what")
    ] = ("pages", "visibility", "handling")
    instead: Annotated[RolesOrParameter, Field(description="Who takes their place")] = ()
    levels: Levels = ()
    when: When = None
    source: Text | None = None


class Owner(PlanModel):
    """Who answers for a case from its first moment, whoever else works on it."""

    who: Annotated[
        Literal["first-responder", "first-to-acknowledge", "role"],
        Field(description="Whoever took the report, whoever acknowledges first, or one of roles"),
    ]
    roles: Annotated[RolesOrParameter, Field(description="With role: who; else: who when nobody is known")] = ()
    until: Annotated[Slug, Field(description="Milestone at which it ends")] = "closed"
    words: Words | None = None
    source: Text | None = None


class Confidentiality(PlanModel):
    """What is kept back, and from whom it is not."""

    narrative: Literal["withheld", "shown"] = "withheld"
    complainant: Literal["hidden", "shown"] = "hidden"
    visible_to: Annotated[RolesOrParameter, Field(description="Only these see the case; absent: whoever is told")] = ()


__all__ = [
    "Activation",
    "Approval",
    "Breach",
    "Bypass",
    "Channels",
    "Confidentiality",
    "Inform",
    "Levels",
    "Owner",
    "Recusal",
    "TierSpec",
    "When",
]
