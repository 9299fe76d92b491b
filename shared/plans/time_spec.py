"""How a plan writes what runs against time: clocks with extension and overrun, and duties that come round."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, StrictBool, StrictInt, Tag, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.values import Slug, Text
from shared.plans.words import Identifier, PlanModel, Words
from shared.plans.written import (
    Breach,
    Condition,
    ElapsedOrParameter,
    LimitOrFact,
    LimitOrParameter,
    ParameterRef,
    RolesOrParameter,
    WarningText,
    plain_or_parameter,
)

Retarget = Literal["keep-elapsed", "from-start", "fresh", "tighten-only"]
LatePolicy = Literal["judge", "from-now", "record"]


LONGEST_WAIT: Final = timedelta(days=30)
"""A case that waits longer for somebody outside has been forgotten: it goes on, and its clocks with it."""


class Basis(PlanModel):
    """How days and months are counted. Nothing of it matters to a limit on the wall clock."""

    day_zero: Annotated[
        Literal["start", "before"],
        Field(description="start: the day of the start is day 0, the next day is day 1; before: it is day 1 itself"),
    ] = "start"
    ends: Annotated[
        Literal["end-of-day", "same-time", "end-of-hours"],
        Field(description="When the last day is over: at midnight, at the start's time, or when working hours end"),
    ] = "end-of-day"


class Extension(PlanModel):
    """More time, if somebody else agrees before the clock runs out."""

    request_by: Annotated[RolesOrParameter, Field(description="Who may ask; absent: whoever handles the case")] = ()
    approve_by: Annotated[RolesOrParameter, Field(description="Who decides; never the one who asked")] = ()
    with_complainant: Annotated[StrictBool, Field(description="Agreed with the complainant instead of approved")] = (
        False
    )
    by: Annotated[LimitOrParameter | None, Field(description="What is granted when nothing else is asked for")] = None
    to: Annotated[
        LimitOrParameter, Field(description="The whole limit is never longer, counted from the clock's start")
    ]
    count: Annotated[StrictInt, Field(ge=1, le=20, description="How often")] = 1
    tell_complainant: Annotated[StrictBool, Field(description="The complainant hears the new limit and why")] = False
    basis: Annotated[Basis | None, Field(description="How `to` and `by` count days; absent: like the clock")] = None
    source: Text | None = None

    @model_validator(mode="after")
    def _somebody_agrees(self) -> "Extension":
        if not self.with_complainant and not self.approve_by:
            raise PydanticCustomError("extension", "an extension needs approve_by or with_complainant")
        return self


class Overrun(PlanModel):
    """Says again that a clock has run out."""

    every: ElapsedOrParameter
    count: Annotated[StrictInt, Field(ge=1, le=100)] = 3


class ClockSpec(PlanModel):
    """A limit of time between two milestones. A clock whose stop lies before the case is opened is judged at once."""

    id: Slug
    label: Words
    start: Annotated[Slug, Field(alias="from", description="Milestone that starts it")]
    until: Annotated[Slug, Field(description="Milestone that stops it")]
    limit: LimitOrFact
    before: Annotated[
        Identifier | None,
        Field(description="Counts down to this instant fact: due `limit` before it; it runs once the fact is known"),
    ] = None
    basis: Basis = Basis()
    warn: Annotated[tuple[WarningText, ...], Field(max_length=10)] = ()
    breach: Breach = Breach.NOTIFY
    raises: Annotated[Slug | None, Field(description="With breach raise-level: the level the case rises to")] = None
    overrun: Overrun | None = None
    extension: Extension | None = None
    retarget: Annotated[
        Retarget, Field(description="When level or facts change the limit: what becomes of the time that is spent")
    ] = "keep-elapsed"
    late: Annotated[
        LatePolicy, Field(description="When the start is learned late: judged by its instant, from now, or recorded")
    ] = "judge"
    levels: Annotated[tuple[Slug, ...], Field(description="Only at these levels; absent: at every level")] = ()
    when: Annotated[Condition | None, Field(description="Only where this holds; not known means it does not")] = None
    notify_roles: Annotated[
        RolesOrParameter, Field(description="Who is warned and told; absent: the present tier")
    ] = ()
    source: Text | None = None
    assumed: StrictBool = False

    @model_validator(mode="after")
    def _raises_a_level(self) -> "ClockSpec":
        if (self.breach is Breach.RAISE_LEVEL) != (self.raises is not None):
            raise PydanticCustomError("clock", "breach raise-level, and only it, names a level under raises")
        return self


Every = Literal["once", "day", "working-day", "week", "month", "quarter", "half-year", "year"]
EveryOrParameter = Annotated[
    Annotated[Every, Tag("plain")] | Annotated[ParameterRef, Tag("parameter")], Discriminator(plain_or_parameter)
]
DutyKind = Literal["report", "visit", "drill", "training", "review", "check", "statistics", "meeting", "other"]
_DAY_PATTERN = (
    r"^(mon|tue|wed|thu|fri|sat|sun|end|[1-9]|[12][0-9]|3[01]|[01][0-9]-[0-3][0-9]|[0-9]{4}-[01][0-9]-[0-3][0-9])$"
)
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Duty(PlanModel):
    """Work that comes round by itself: a report, a visit, a drill. In the plan's zone and calendar.

    Without `from` it concerns the organisation; with `from` and `until` it comes round for each case between the two.
    """

    id: Slug
    words: Words
    kind: DutyKind = "other"
    every: Annotated[
        EveryOrParameter, Field(description="once, day, working-day, week, month, quarter, half-year or year")
    ]
    on: Annotated[
        tuple[Annotated[str, Field(pattern=_DAY_PATTERN)], ...],
        Field(
            max_length=12,
            description="Weekdays (mon), a day of the period's first month ('15'), 'end' of the period, "
            "month and day of a year ('11-01'), or the date of something done once ('2026-11-01')",
        ),
    ] = ()
    at: Annotated[tuple[TimeOfDay, ...], Field(min_length=1, max_length=24, description="Times of the day")] = (
        "09:00",
    )
    if_day_off: Annotated[
        Literal["keep", "next", "previous"], Field(description="When it falls on a day off: which working day instead")
    ] = "keep"
    roles: RolesOrParameter
    within: Annotated[LimitOrParameter | None, Field(description="How long it may take once it is due")] = None
    start: Annotated[Slug | None, Field(alias="from", description="For each case: from this milestone")] = None
    until: Annotated[Slug | None, Field(description="For each case: until this milestone")] = None
    levels: tuple[Slug, ...] = ()
    when: Condition | None = None
    source: Text | None = None
    assumed: StrictBool = False

    @model_validator(mode="after")
    def _for_each_case_or_not(self) -> "Duty":
        if (self.start is None) != (self.until is None):
            raise PydanticCustomError("duty", "a duty for each case needs both from and until")
        if self.start is None and (self.levels or self.when is not None):
            raise PydanticCustomError("duty", "levels and when are for duties of a case, which have from and until")
        return self
