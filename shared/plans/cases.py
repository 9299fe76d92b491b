"""What a plan is tested on: the model of `cases/*.yaml`. Parsing only; running a case in virtual time is the drill's.

A file holds one case (`case: …`): reports and commands over time with the timeline expected of them; or one table of
bounds (`bounds: …`): rows of facts and counts with the level each must give.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StrictBool, StrictFloat, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ClockState
from shared.contracts.notifications import Purpose
from shared.contracts.values import CaseKind, ChannelKind, FactValue, LongText, Name, Place, Slug, Text
from shared.plans.limits import parse_elapsed
from shared.plans.problems import PlanLibraryError, Problem
from shared.plans.reading import read_model
from shared.plans.words import Identifier, PlanModel, Words
from shared.plans.written import ElapsedText, LimitText
from shared.plans.yaml_text import read_text

MAX_BURST = 20_000

CaseFacts = dict[Identifier, FactValue]
Which = Literal["case", "warning"]


class PlaceSpec(PlanModel):
    province: Name | None = None
    city: Name | None = None
    district: Name | None = None
    site: Name | None = None

    def as_contract(self) -> Place:
        return Place(province=self.province, city=self.city, district=self.district, site=self.site)


class ReportSpec(PlanModel):
    """One report, as a caller would post it. A later report of the same case needs to give only what is new."""

    kind: CaseKind = CaseKind.COMPLAINT
    topic: Name | None = None
    category: Name | None = None
    channel: Name | None = None
    source: Name = "case"
    title: Text | None = None
    narrative: Annotated[LongText | None, Field(description="The text that signals read")] = None
    complainant: Annotated[Name | None, Field(description="Any name: equal names are the same complainant")] = None
    place: PlaceSpec = PlaceSpec()
    facts: CaseFacts = Field(default_factory=dict)
    occurred: Annotated[ElapsedText | None, Field(description="How long before the report it happened")] = None
    resolved: Annotated[StrictBool, Field(description="An incident's source says the trouble is over")] = False

    def occurred_at(self, received_at: datetime) -> datetime:
        return received_at - parse_elapsed(self.occurred) if self.occurred else received_at


class Burst(PlanModel):
    """Many cases like the report: the first at the report's time, each next one `every` later.

    `vary` gives a name (topic, channel, complainant, place.city, … or a fact) values that are used in turn. Without
    `complainant` in the report or under `vary`, every case has another complainant.
    """

    count: Annotated[StrictInt, Field(ge=1, le=MAX_BURST)]
    every: ElapsedText = "1s"
    vary: Annotated[dict[str, Annotated[tuple[FactValue, ...], Field(min_length=1)]], Field(max_length=10)] = Field(
        default_factory=dict
    )


class Happening(PlanModel):
    """Something later: more facts on the case, further cases, or a person's command. Exactly one of the three."""

    at: Annotated[ElapsedText, Field(description="From the start")]
    report: Annotated[
        ReportSpec | None, Field(description="More about the same case; with burst: what they look like")
    ] = None
    burst: Burst | None = None
    command: CommandKind | None = None
    on: Annotated[Which, Field(description="Which case a command is for: the reported one or the warning case")] = (
        "case"
    )
    by: Annotated[Slug | None, Field(description="The role of the person who gives the command")] = None
    milestone: Slug | None = None
    level: Slug | None = None
    reason: Text | None = None
    clock: Annotated[Slug | None, Field(description="The clock an extension command is about")] = None
    extend_by: Annotated[LimitText | None, Field(description="How much more time is asked for or granted")] = None
    approval: Annotated[Slug | None, Field(description="The approval that is given or refused")] = None
    item: Annotated[Slug | None, Field(description="The item of the checklist that is ticked")] = None

    @model_validator(mode="after")
    def _one_thing(self) -> "Happening":
        if (self.command is None) == (self.report is None and self.burst is None):
            raise PydanticCustomError("happening", "what happens is exactly one of report, burst, command")
        if (self.command is CommandKind.MILESTONE) != (self.milestone is not None):
            raise PydanticCustomError("happening", "the command milestone, and only it, names a milestone")
        return self

    @property
    def after(self) -> timedelta:
        return parse_elapsed(self.at)


class Climb(PlanModel):
    """The level is reached at this time."""

    at: ElapsedText
    level: Slug


class ClockExpectation(PlanModel):
    """How a clock stands at the end. `due` counts from the start of the case; only what is given is checked."""

    state: ClockState | None = None
    due: ElapsedText | None = None
    due_at: Annotated[AwareDatetime | None, Field(description="The same as an instant, for days and months")] = None
    extended: Annotated[StrictInt | None, Field(ge=0, description="How often it has been extended")] = None


class Told(PlanModel):
    """Somebody is told at this time. Only what is given is compared."""

    at: ElapsedText
    role: Slug
    purpose: Purpose | None = None
    channel: Annotated[ChannelKind | None, Field(description="Among the channels that are asked for")] = None
    on: Which = "case"


class NoticeExpectation(PlanModel):
    """The complainant is told at this time."""

    at: ElapsedText
    notice: Slug


class ApprovalExpectation(PlanModel):
    """How an approval stands at the end: asked for, given by all its steps, or refused."""

    state: Literal["waiting", "approved", "refused"]
    step: Annotated[StrictInt | None, Field(ge=1, description="The step it waits for, from 1")] = None


class DutyExpectation(PlanModel):
    """A duty falls due at this instant."""

    at: AwareDatetime
    duty: Slug


class ConsequenceExpectation(PlanModel):
    """A consequence is proposed, with this amount."""

    id: Slug
    amount: StrictInt | StrictFloat | None = None
    up_to: StrictInt | StrictFloat | None = None


class Expectation(PlanModel):
    """What must be true when the time is up. What is not written is not checked; `level: null` means no level."""

    level: Slug | None = None
    decided_by: Slug | None = None
    warning_level: Slug | None = None
    warning_decided_by: Slug | None = None
    climbs: Annotated[tuple[Climb, ...] | None, Field(description="All rises of the case, in order")] = None
    warning_climbs: Annotated[tuple[Climb, ...] | None, Field(description="All rises of the warning case")] = None
    state: CaseState | None = None
    tier: Annotated[Slug | None, Field(description="The tier that is paged last")] = None
    clocks: dict[Slug, ClockExpectation] = Field(default_factory=dict)
    warning_clocks: dict[Slug, ClockExpectation] = Field(default_factory=dict)
    told: Annotated[tuple[Told, ...], Field(description="Each of these must happen")] = ()
    activated: Annotated[StrictBool | None, Field(description="Whether the gate has been passed")] = None
    opened: Annotated[tuple[Slug, ...] | None, Field(description="All plans that were opened besides")] = None
    proposed: Annotated[CaseFacts | None, Field(description="All facts that the text proposed")] = None
    notices: Annotated[tuple[NoticeExpectation, ...], Field(description="Each of these must happen")] = ()
    approvals: dict[Slug, ApprovalExpectation] = Field(default_factory=dict)
    record_missing: Annotated[tuple[Slug, ...] | None, Field(description="All of the record not yet given")] = None
    checklist_open: Annotated[tuple[Slug, ...] | None, Field(description="All of the checklist not yet ticked")] = None
    bypasses: Annotated[tuple[Slug, ...] | None, Field(description="All ways past the ladder that are open")] = None
    duties: Annotated[tuple[DutyExpectation, ...], Field(description="Each of these falls due in the time")] = ()
    consequences: Annotated[tuple[ConsequenceExpectation, ...] | None, Field(description="All that are proposed")] = (
        None
    )
    warning_ended: Annotated[ElapsedText | None, Field(description="The warning case has ended by itself then")] = None
    nobody_else: Annotated[StrictBool, Field(description="And no other message")] = False

    def checks(self, name: str) -> bool:
        """Whether the file says anything about the name: a level of null is an expectation too."""
        return name in self.model_fields_set


class Case(PlanModel):
    """One case: what happens, and what must come of it."""

    case: Slug
    about: Words
    start: AwareDatetime
    parameters: Annotated[dict[Identifier, Any], Field(description="Parameter values for this case only")] = Field(
        default_factory=dict
    )
    report: ReportSpec
    burst: Annotated[Burst | None, Field(description="Instead of one case, many like the report")] = None
    then: tuple[Happening, ...] = ()
    run_for: Annotated[
        ElapsedText, Field(description="How long time runs before the outcome is judged; never less than `then` needs")
    ] = "0s"
    expect: Expectation

    @property
    def length(self) -> timedelta:
        """From the start to the moment at which the outcome is judged."""
        ends = [parse_elapsed(self.run_for), _burst_length(self.burst)]
        ends.extend(happening.after + _burst_length(happening.burst) for happening in self.then)
        return max(ends)


class BoundRow(PlanModel):
    """One side of a bound. With `windows` and without facts it is the group's warning case that is judged."""

    facts: CaseFacts = Field(default_factory=dict)
    windows: dict[Identifier, Annotated[StrictInt | StrictFloat, Field(ge=0)]] = Field(default_factory=dict)
    after: Annotated[ElapsedText, Field(description="Judged this long after the start")] = "0s"
    level: Slug | None
    decided_by: Slug | None = None

    @model_validator(mode="after")
    def _level_is_decided(self) -> "BoundRow":
        if (self.level is None) != (self.decided_by is None):
            raise PydanticCustomError("bound", "a level has a deciding criterion, and no level has none")
        return self


class Bounds(PlanModel):
    """A table of facts and counts, each with the level it must give: cheap, so that every bound has both sides."""

    bounds: Slug
    about: Words
    start: AwareDatetime
    report: Annotated[ReportSpec, Field(description="What all rows have in common")] = ReportSpec()
    rows: Annotated[tuple[BoundRow, ...], Field(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class PackCases:
    """Everything a pack is tested on, in the order of the files."""

    cases: tuple[Case, ...]
    bounds: tuple[Bounds, ...]


def parse_case_file(text: str, path: str) -> Case | Bounds:
    """A case or a table of bounds. Raises PlanLibraryError with every problem and its place."""
    model: type[Case | Bounds] = Bounds if _is_table(text) else Case
    parsed, _, problems = read_model(model, text, path)
    if parsed is None:
        raise PlanLibraryError(problems)
    return parsed


def load_cases(pack: Path) -> PackCases:
    """The cases of a pack's folder. Raises PlanLibraryError with the problems of all files, or when there are none."""
    cases: list[Case] = []
    bounds: list[Bounds] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for path in sorted((pack / "cases").glob("*.yaml")):
        try:
            parsed = parse_case_file(read_text(path), str(path))
        except PlanLibraryError as error:
            problems.extend(error.problems)
            continue
        name = parsed.case if isinstance(parsed, Case) else parsed.bounds
        if name in seen:
            problems.append(Problem(str(path), 1, 1, f"'{name}' is the name of {seen[name]} too", ""))
        seen[name] = path.name
        if isinstance(parsed, Case):
            cases.append(parsed)
        else:
            bounds.append(parsed)
    if not seen and not problems:
        problems.append(Problem(str(pack / "cases"), 1, 1, "the pack has no cases", ""))
    if problems:
        raise PlanLibraryError(problems)
    return PackCases(tuple(cases), tuple(bounds))


def burst_reports(report: ReportSpec, burst: Burst) -> Iterator[tuple[timedelta, ReportSpec]]:
    """The reports of a burst with their time from its beginning."""
    every = parse_elapsed(burst.every)
    for index in range(burst.count):
        varied = {name: values[index % len(values)] for name, values in burst.vary.items()}
        if report.complainant is None:
            varied.setdefault("complainant", f"complainant-{index + 1}")
        yield every * index, _with_values(report, varied)


def _with_values(report: ReportSpec, values: dict[str, FactValue]) -> ReportSpec:
    changed: dict[str, Any] = {}
    facts = dict(report.facts)
    place = report.place.model_dump()
    for name, value in values.items():
        if name.startswith("place."):
            place[name.removeprefix("place.")] = value
        elif name in _REPORT_NAMES:
            changed[name] = value
        else:
            facts[name] = value
    return ReportSpec.model_validate({**report.model_dump(), **changed, "facts": facts, "place": place})


_REPORT_NAMES = frozenset({"topic", "category", "channel", "source", "complainant"})


def _burst_length(burst: Burst | None) -> timedelta:
    return parse_elapsed(burst.every) * (burst.count - 1) if burst else timedelta()


def _is_table(text: str) -> bool:
    return any(line.startswith("bounds:") for line in text.splitlines())
