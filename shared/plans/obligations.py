"""What a plan asks for besides clocks and tiers, with parameters put in and conditions compiled. Read-only."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shared.contracts.values import ChannelKind
from shared.plans.expressions import Read, Test
from shared.plans.input_spec import Baseline, Duplicate
from shared.plans.limits import Limit
from shared.plans.time_spec import DutyKind, Every
from shared.plans.words import Words
from shared.plans.work_spec import CheckItem, Consequence, RecordEntry


@dataclass(frozen=True, slots=True)
class Entry:
    """What every entry has: where it applies. `levels` empty: at every level; `when` None: always."""

    id: str
    words: Words | None
    levels: frozenset[str]
    when: Test | None
    source: str | None


@dataclass(frozen=True, slots=True)
class CompiledInform(Entry):
    """Roles that are told at the milestone `on`, by the first channel that works or by all of them."""

    roles: tuple[str, ...]
    channels: tuple[ChannelKind, ...]
    all_channels: bool
    on: str


@dataclass(frozen=True, slots=True)
class CompiledBypass(Entry):
    """Leave to skip the ladder: page `roles` at once, or show the number `dial` to be called."""

    roles: tuple[str, ...]
    dial: str | None


@dataclass(frozen=True, slots=True)
class CompiledActivation(Entry):
    """Tiers and clocks wait until one of `roles` decides; after `within` without a decision `on_silence` happens."""

    roles: tuple[str, ...]
    channels: tuple[ChannelKind, ...]
    within: timedelta
    on_silence: Literal["activate", "next-tier", "record"]


@dataclass(frozen=True, slots=True)
class CompiledApproval(Entry):
    """The milestone `of`, or the action, counts when each step of `by` has approved in order, one role of each.

    `within` is the limit of each step, None for none.
    """

    of: str | None
    action: str | None
    by: tuple[tuple[str, ...], ...]
    within: Limit | None
    on_silence: Literal["next-tier", "notify", "record"]


@dataclass(frozen=True, slots=True)
class CompiledRecusal(Entry):
    """Whoever the fact `who` names (a role, a person, a department) is kept out of what `covers` lists."""

    who: str
    covers: frozenset[str]
    instead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledRecord(Entry):
    """A field or fact to be written down before the milestone `before`; `spec` holds the form and the blank rule."""

    field: str | None
    fact: str | None
    before: str
    may_stay_blank_until: str | None
    spec: RecordEntry


@dataclass(frozen=True, slots=True)
class CompiledCheck(Entry):
    """An item to be ticked by one of `by` (empty: whoever handles the case) before the milestone `before`."""

    by: tuple[str, ...]
    before: str
    spec: CheckItem


@dataclass(frozen=True, slots=True)
class CompiledNotice(Entry):
    """What the complainant is told at the moment `on`. `within` None: sent by itself; else a person has to tell it."""

    on: str
    within: Limit | None
    opt_in: bool
    outcome: bool = False


@dataclass(frozen=True, slots=True)
class CompiledDuty(Entry):
    """Work that comes round. `start` None: the organisation's; else each case's, between `start` and `until`.

    `on` and `at` are as written: days of the period and times of the day in the plan's zone.
    """

    kind: DutyKind
    every: Every
    on: tuple[str, ...]
    at: tuple[str, ...]
    if_day_off: Literal["keep", "next", "previous"]
    roles: tuple[str, ...]
    within: Limit | None
    start: str | None
    until: str | None


@dataclass(frozen=True, slots=True)
class CompiledConsequence(Entry):
    """A sanction, reward or accountability. It is proposed, never executed."""

    of: str | None
    amount: Read | None
    up_to: Read | None
    by: tuple[str, ...]
    needs: str | None
    spec: Consequence


@dataclass(frozen=True, slots=True)
class ProposedConsequence:
    """A consequence that holds for a case. Amounts are None where there are none, or where they are not known."""

    consequence: CompiledConsequence
    amount: float | None
    up_to: float | None


@dataclass(frozen=True, slots=True)
class CompiledOpening(Entry):
    """Another plan that begins for the same event, with the facts it is given."""

    plan: str
    carry: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledDrill(Entry):
    """A case of the pack that is drilled; `every` None: on demand."""

    case: str
    every: Every | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledBaseline:
    """The average of the window `of` over so many whole earlier periods of the same group.

    Periods without any case count 0 once the group or the installation has been counted that long; with fewer than
    `at_least` known periods the baseline is not known.
    """

    id: str
    of: str
    over: int
    at_least: int
    spec: Baseline


@dataclass(frozen=True, slots=True)
class CompiledDuplicate:
    """Two cases are one event when all names of `same` are known and equal and they came at most `within` apart."""

    id: str
    same: tuple[str, ...]
    within: timedelta
    then: Literal["merge", "ask"]
    when: Test | None
    spec: Duplicate


@dataclass(frozen=True, slots=True)
class CompiledWarningEnd:
    """When a group's warning case ends by itself: `ends_after` without a further case, or once `ends_when` holds."""

    ends_after: timedelta | None
    ends_when: Test | None


@dataclass(frozen=True, slots=True)
class CompiledWaits:
    """What a case may wait for somebody outside: `count` times, each at most `longest`, for one of `reasons`.

    `count` and `longest` None: no bound of the plan's. `reasons` empty: for any, or without saying.
    """

    count: int | None
    longest: timedelta | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Obligations:
    """Everything of the plan that is neither criterion, window, clock nor tier, in the order of the file."""

    informs: tuple[CompiledInform, ...]
    bypasses: tuple[CompiledBypass, ...]
    activations: tuple[CompiledActivation, ...]
    approvals: tuple[CompiledApproval, ...]
    recusals: tuple[CompiledRecusal, ...]
    record: tuple[CompiledRecord, ...]
    checklist: tuple[CompiledCheck, ...]
    notices: tuple[CompiledNotice, ...]
    duties: tuple[CompiledDuty, ...]
    consequences: tuple[CompiledConsequence, ...]
    openings: tuple[CompiledOpening, ...]
    drills: tuple[CompiledDrill, ...]
    duplicates: tuple[CompiledDuplicate, ...]
    warning_end: CompiledWarningEnd | None
    waits: CompiledWaits
