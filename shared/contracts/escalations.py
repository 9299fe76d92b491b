"""What became of a case: topics `cases-escalated`, `cases-merged` and `cases-erased`."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.values import (
    Actor,
    Bilingual,
    CaseKind,
    Contract,
    FactValue,
    Instant,
    LevelRank,
    LongText,
    Name,
    Place,
    PlanRef,
    Slug,
    Text,
)


class CaseState(StrEnum):
    CLASSIFIED = "classified"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in-progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    INVALID = "invalid"
    MERGED = "merged"


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"  # stopped in time
    BREACHED = "breached"  # ran out; still counted until stopped
    MISSED = "missed"  # stopped after it ran out
    CANCELLED = "cancelled"


class ClockStatus(Contract):
    """One SLA clock as it stands. `due_at` is absent while paused."""

    id: Slug
    label: Text
    state: ClockState
    started_at: Instant
    due_at: Instant | None
    stopped_at: Instant | None = None
    until: Slug
    provisional: Annotated[bool, Field(description="Its end rests on a year whose official list is not published")] = (
        False
    )


class ChangeKind(StrEnum):
    OPENED = "opened"
    LEVEL_RAISED = "level-raised"
    LEVEL_LOWERED = "level-lowered"
    LEVEL_KEPT = "level-kept"  # the classifier proposed a lower one; a level never falls by itself
    FACTS_ADDED = "facts-added"
    STATE_CHANGED = "state-changed"
    TIER_REACHED = "tier-reached"
    TIER_REPEATED = "tier-repeated"
    CHAIN_ENDED = "chain-ended"
    CLOCK_STARTED = "clock-started"
    CLOCK_WARNED = "clock-warned"
    CLOCK_BREACHED = "clock-breached"
    CLOCK_STOPPED = "clock-stopped"
    CLOCK_CHANGED = "clock-changed"  # extended, restarted, or time excluded from it
    EXTENSION_REQUESTED = "extension-requested"
    EXTENSION_DENIED = "extension-denied"
    COMPLAINANT_TOLD = "complainant-told"
    COMPLAINANT_NOTICE = "complainant-notice"  # work for whoever handles the case: the complainant is to be told this
    ACTIVATION_ASKED = "activation-asked"
    ACTIVATED = "activated"
    DECLINED = "declined"
    ACTIVATION_OVERDUE = "activation-overdue"  # nobody decided in time
    APPROVAL_REQUESTED = "approval-requested"  # of one step
    APPROVED = "approved"
    REFUSED = "refused"
    APPROVAL_OVERDUE = "approval-overdue"
    DUTY_DUE = "duty-due"
    TICKED = "ticked"
    RECORD_INCOMPLETE = "record-incomplete"  # a milestone passed before what should stand before it
    BYPASSED = "bypassed"
    DUPLICATE_PROPOSED = "duplicate-proposed"
    SPLIT = "split"  # part of it goes on as another case, or this one was part of another
    NOTIFICATION_FAILED = "notification-failed"
    PLAN_MOVED = "plan-moved"  # to another version of its plan
    COMMAND_REFUSED = "command-refused"
    COMMENTED = "commented"
    HELD = "held"  # nothing of it is erased for now
    HOLD_RELEASED = "hold-released"
    ERASED = "erased"  # what was told and who told it is gone; number, levels, times and who was told stay


class Change(Contract):
    """One thing that happened to the case, in words a person can check.

    `because` is in the language of the case, `words` says the same in both; events of before have none.
    """

    kind: ChangeKind
    at: Instant
    because: Text
    words: Bilingual | None = None
    details: Annotated[dict[str, FactValue | None], Field(max_length=40)] = Field(default_factory=dict)


class ActivationStatus(Contract):
    """The gate before tiers and clocks. `until`: when it is taken for silence; absent once decided."""

    id: Slug
    label: Text
    state: Literal["waiting", "activated", "declined", "silent"]
    roles: tuple[Slug, ...]
    until: Instant | None = None


class ApprovalStatus(Contract):
    """An approval that was asked for. `roles`: those who decide the present step."""

    id: Slug
    label: Text
    state: Literal["waiting", "approved", "refused"]
    step: Annotated[int, Field(ge=1, description="The step it waits for, or was decided at")]
    steps: Annotated[int, Field(ge=1)]
    roles: tuple[Slug, ...]
    until: Instant | None = None


class ChecklistItem(Contract):
    """Something to be done before a milestone, ticked or not."""

    id: Slug
    label: Text
    before: Slug
    by: tuple[Slug, ...] = ()
    ticked_at: Instant | None = None
    ticked_by: Actor | None = None


class CaseEscalatedV1(Contract):
    """The case after one or more changes: state, level, tier, clocks. The latest `revision` is the truth."""

    TYPE: ClassVar[str] = "fenghuo.case.escalated.v1"

    number: Annotated[str, Field(max_length=40)]
    kind: CaseKind
    plan: PlanRef
    revision: Annotated[int, Field(ge=1, description="Rises with every change of this case under this plan")]
    state: CaseState
    level: Slug | None
    level_label: Text | None = None
    level_rank: LevelRank
    highest_rank: Annotated[int, Field(ge=1, description="How many levels the plan has: colours scale to it")]
    tier: Slug | None = None
    tier_label: Text | None = None
    next_tier: Slug | None = None
    next_tier_at: Instant | None = None
    acknowledged_by: Actor | None = None
    acknowledged_at: Instant | None = None
    handled_by: Annotated[Actor | None, Field(description="Who took it on to work on it, last")] = None
    decided_by: Slug | None = None
    because: Text | None = None
    title: Text | None = None
    topic: Name | None = None
    place: Place = Place()
    opened_at: Instant
    changed_at: Instant
    changes: Annotated[tuple[Change, ...], Field(min_length=1)]
    clocks: tuple[ClockStatus, ...] = ()
    activation: ActivationStatus | None = None
    approvals: tuple[ApprovalStatus, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    drill: bool = False


class CaseMergedV1(Contract):
    """Another case goes on for this one from now on; without `into` this one stands by itself again.

    What was reported of this case counts for the other from then on, as far as the other does not know better.
    """

    TYPE: ClassVar[str] = "fenghuo.case.merged.v1"

    number: Annotated[str, Field(max_length=40)]
    plan: PlanRef
    revision: Annotated[int, Field(ge=1, description="Of this case under this plan; the latest is the truth")]
    into: UUID | None = None
    changed_at: Instant


class ErasedPart(StrEnum):
    PERSONAL_DATA = "personal-data"  # the case stays: number, levels, times, who was told by what
    CASE = "case"  # nothing of it stays


class CaseErasedV1(Contract):
    """So much of a case is gone: every service deletes its own share of it, and deletes again what comes late.

    With an `actor` a person asked for it; without one its time was over.
    """

    TYPE: ClassVar[str] = "fenghuo.case.erased.v1"

    number: Annotated[str, Field(max_length=40)]
    part: ErasedPart
    actor: Actor | None = None
    reason: Annotated[LongText | None, Field(description="As the person gave it")] = None
    last_changed_at: Annotated[Instant, Field(description="When anything happened to the case last, before this")]
    erased_at: Instant
