"""How a plan writes what it knows: windows, baselines, signals in the text, duplicates, the end of warnings."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.values import FactValue, Slug, Text
from shared.plans.words import Identifier, PlanModel, Words
from shared.plans.written import Condition, ConditionText, ElapsedOrParameter


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


class Baseline(PlanModel):
    """The usual value of a window: the average of the same group's earlier periods, to be compared with the present."""

    of: Annotated[Identifier, Field(description="A window of hours, days, weeks or months")]
    over: Annotated[StrictInt, Field(ge=1, le=400, description="So many whole periods before the present one")]
    at_least: Annotated[StrictInt, Field(ge=1, le=400, description="Fewer known periods: not known")] = 1
    zh: Text | None = None
    en: Text | None = None

    @model_validator(mode="after")
    def _can_be_known(self) -> "Baseline":
        if self.at_least > self.over:
            raise PydanticCustomError("baseline", "at_least is more than over")
        if (self.zh is None) != (self.en is None):
            raise PydanticCustomError("baseline", "a baseline's label needs both zh and en")
        return self


Phrase = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
Phrases = Annotated[tuple[Phrase, ...], Field(max_length=300)]


class Negations(PlanModel):
    """Words that undo a match close before or after them, besides the usual ones of the language."""

    zh: Phrases = ()
    en: Phrases = ()


class Signal(PlanModel):
    """Words in the text that propose facts. A proposal never replaces a given fact and always shows its evidence."""

    proposes: Annotated[
        dict[Identifier, FactValue], Field(min_length=1, max_length=10, description="Declared facts and their values")
    ]
    zh: Annotated[Phrases, Field(description="Chinese words, found anywhere")] = ()
    en: Annotated[Phrases, Field(description="English words, found as whole words; a final * finds any ending")] = ()
    negations: Negations = Negations()
    inside: Annotated[
        tuple[Literal["title", "narrative"], ...], Field(alias="in", min_length=1, description="Which texts are read")
    ] = ("title", "narrative")
    words: Annotated[Words | None, Field(description="What the signal is called")] = None
    source: Text | None = None
    assumed: Annotated[StrictBool, Field(description="The list is ours: the document names none")] = False

    @model_validator(mode="after")
    def _has_words(self) -> "Signal":
        if not self.zh and not self.en:
            raise PydanticCustomError("signal", "a signal needs words under zh or en")
        return self


class Duplicate(PlanModel):
    """When two cases are one event."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    same: Annotated[
        tuple[str, ...], Field(min_length=1, max_length=8, description="Names that must be known and equal in both")
    ]
    within: Annotated[ElapsedOrParameter, Field(description="Received at most this far apart")]
    then: Annotated[Literal["merge", "ask"], Field(description="Merged at once, or proposed to a person")] = "ask"
    when: Condition | None = None
    source: Text | None = None


class WarningEnd(PlanModel):
    """When a group's warning case ends by itself. It never falls to a lower level."""

    ends_after: Annotated[ElapsedOrParameter | None, Field(description="So long without a further case")] = None
    ends_when: Annotated[ConditionText | None, Field(description="A condition on the group's windows")] = None

    @model_validator(mode="after")
    def _says_something(self) -> "WarningEnd":
        if self.ends_after is None and self.ends_when is None:
            raise PydanticCustomError("warnings", "warnings need ends_after, ends_when or both")
        return self


class Waits(PlanModel):
    """How often and how long a case may wait for somebody outside. Every clock of it stands still meanwhile."""

    count: Annotated[StrictInt | None, Field(ge=0, le=100, description="So often; absent: as often as need be")] = None
    longest: Annotated[ElapsedOrParameter | None, Field(description="Each goes on by itself then; at most 30d")] = None
    reasons: Annotated[
        tuple[Slug, ...], Field(max_length=40, description="Codes, one of them; empty: any or none")
    ] = ()
    source: Text | None = None
    assumed: Annotated[StrictBool, Field(description="The document does not say so")] = False

    @model_validator(mode="after")
    def _says_something(self) -> "Waits":
        if self.count is None and self.longest is None and not self.reasons:
            raise PydanticCustomError("waits", "waits need count, longest or reasons")
        return self
