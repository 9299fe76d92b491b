"""One case under one plan, as the escalator alone owns it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Self
from uuid import UUID

from services.escalator.domain.clocks import Clock
from shared.contracts.escalations import CaseState, ClockStatus
from shared.contracts.values import Actor, CaseKind, FactValue, Language, Place, PlanRef

OPEN_STATES: Final = frozenset({CaseState.CLASSIFIED, CaseState.ACKNOWLEDGED, CaseState.IN_PROGRESS, CaseState.WAITING})
DISMISSED_STATES: Final = frozenset({CaseState.WITHDRAWN, CaseState.INVALID, CaseState.MERGED})
"""Ended because there is nothing to handle: what becomes known later pages nobody."""
ENDED_STATES: Final = DISMISSED_STATES | {CaseState.CLOSED}


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who took notice of the case at its present level, and when."""

    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Overruling:
    """A named person lowered the level: what the classifier had proposed until then no longer raises it.

    `rank` and `decided_by` are the highest proposal that was overruled. A higher one, or one for another reason
    made after `at`, counts again.
    """

    at: datetime
    rank: int
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Extension:
    """More time for one clock, asked for and perhaps decided. `by` is what was asked for, as a plan writes it.

    `approved` is None while nobody has decided. `due_at` is the end it gave the clock. `told_at`: when the complainant
    was told of it, as somebody recorded.
    """

    clock: str
    asked_by: Actor
    asked_at: datetime
    reason: str
    by: str
    approved: bool | None = None
    decided_by: Actor | None = None
    decided_at: datetime | None = None
    role: str | None = None
    due_at: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """The gate that stands before tiers and clocks, asked at `asked_at`. `until` None: silence changes nothing more.

    `actor` is None where silence decided. `paging`: the ladder runs all the same, because nobody decided in time.
    """

    id: str
    asked_at: datetime
    until: datetime | None
    generation: int = 1
    decided: Literal["activated", "declined", "silent"] | None = None
    decided_at: datetime | None = None
    actor: Actor | None = None
    paging: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """One step of an approval: given by this person in the name of this role."""

    role: str
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that was asked for. It waits for the step after those `given`, which is silent from `until` on.

    `until` None: the step has no limit, or its silence has been told. `generation` rises with every step and request.
    """

    id: str
    asked_by: Actor
    asked_at: datetime
    state: Literal["waiting", "approved", "refused"] = "waiting"
    generation: int = 1
    until: datetime | None = None
    given: tuple[Consent, ...] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """An item of the checklist is done."""

    item: str
    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the complainant is to be told, since when, and when somebody recorded having done so."""

    id: str
    at: datetime
    due_at: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseDuty:
    """A duty that comes round while the case is between its milestones. `generation` rises with every round."""

    id: str
    generation: int
    next_at: datetime
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known about one recipient of the present page. `person` is None when the role had nobody."""

    role: str
    person: str | None
    reached: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where paging stands. `generation` rises with every move: a timer armed before it is void.

    `attempt` counts the pages of this tier from 0. `next_at` is None when nothing will move by itself. `waiting`: the
    tier was reached but is paged only at `next_at`. `roles` are those that were paged; `rounds` counts how often the
    ladder has begun again.
    """

    generation: int
    tier: str
    attempt: int
    step: int
    paged_at: datetime
    next_at: datetime | None
    ended: bool = False
    reach: tuple[Reach, ...] = ()
    waiting: bool = False
    roles: tuple[str, ...] = ()
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when the case waits for somebody outside, why, and when it goes on by itself."""

    since: datetime
    reason_code: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing of the case is erased while it stands: who wants that, since when and why."""

    actor: Actor
    at: datetime
    reason: str


@dataclass(frozen=True)
class Case:
    """State of one (case, plan). `revision` rises with every published change, `classified_revision` with facts.

    `milestones` holds the instants passed, by id; `steps` and `requests` count pages and requests ever made, so that
    neither number is used twice. `level` never falls unless a named person lowers it. `told_once` are entries of
    `inform` with the level they were told at; `duplicate` is the number of the case this one was compared with.
    `past_clocks` are those that the plan's present version does not have, as they stood; `move_refused` is the last
    move to another version that was refused.
    `merged_into` is the case that goes on for it; `adopted` are facts of cases merged into this one that it does not
    know itself, and `facts` has them too. `outcome` is what the complainant is to be told of how it came out.
    `because` is in the case's language, `because_other` the same in the other one; `title_en` is for readers of
    English, where the title is not as somebody gave it. `erased_at`: what was told of it is gone since then.
    """

    org: str
    case_id: UUID
    number: str
    kind: CaseKind
    plan: PlanRef
    opened_at: datetime
    changed_at: datetime
    classified_revision: int
    occurred_at: datetime
    received_at: datetime
    state: CaseState = CaseState.CLASSIFIED
    revision: int = 0
    level: str | None = None
    decided_by: str | None = None
    because: str | None = None
    because_other: str | None = None
    title_en: str | None = None
    raised_at: datetime | None = None
    overruling: Overruling | None = None
    kept_proposal: str | None = None
    acknowledgement: Acknowledgement | None = None
    handler: Actor | None = None
    source_resolved: bool = False
    milestones: Mapping[str, datetime] = field(default_factory=dict)
    inputs: Mapping[str, FactValue | None] = field(default_factory=dict)
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    clocks: tuple[Clock, ...] = ()
    past_clocks: tuple[ClockStatus, ...] = ()
    extensions: tuple[Extension, ...] = ()
    activation: Activation | None = None
    approvals: tuple[Approval, ...] = ()
    ticks: tuple[Tick, ...] = ()
    notices: tuple[Notice, ...] = ()
    duties: tuple[CaseDuty, ...] = ()
    told_once: tuple[str, ...] = ()
    duplicate: str | None = None
    move_refused: UUID | None = None
    merged_into: UUID | None = None
    outcome: str | None = None
    adopted: Mapping[str, FactValue] = field(default_factory=dict)
    pause: Pause | None = None
    pauses: int = 0
    ladder: Ladder | None = None
    steps: int = 0
    requests: int = 0
    paged_roles: tuple[str, ...] = ()
    informed_roles: tuple[str, ...] = ()
    pages: tuple[UUID, ...] = ()
    title: str | None = None
    topic: str | None = None
    place: Place = field(default_factory=Place)
    language: Language = "zh"
    drill: bool = False
    hold: Hold | None = None
    erased_at: datetime | None = None

    def evolve(self, **fields: Any) -> Self:
        """The case with other values in these fields. Raises TypeError for a field it does not have.

        What `dataclasses.replace` does, at a tenth of its cost for this many fields: it is called some ten times in
        every decision.
        """
        known = self.__dict__
        if not fields.keys() <= known.keys():
            raise TypeError(f"a case has no {', '.join(sorted(fields.keys() - known.keys()))}")
        after = object.__new__(type(self))
        after.__dict__.update(known)
        after.__dict__.update(fields)
        return after

    @property
    def open(self) -> bool:
        """Still to be handled by somebody."""
        return self.state in OPEN_STATES

    @property
    def paging(self) -> bool:
        """The ladder is moving: somebody was paged and nobody has answered."""
        return self.ladder is not None and self.ladder.next_at is not None

    @property
    def ended(self) -> bool:
        """Nothing about it waits for anybody any more."""
        return self.state in ENDED_STATES

    @property
    def held(self) -> bool:
        """A gate stands before the tiers and clocks, and nobody has opened it."""
        return self.activation is not None and self.activation.decided != "activated"

    def approval(self, approval_id: str) -> Approval | None:
        return next((known for known in self.approvals if known.id == approval_id), None)

    def clock(self, clock_id: str) -> Clock | None:
        return next((clock for clock in self.clocks if clock.id == clock_id), None)
