"""What a group of reports does to the register: new cases, more facts, duplicates, contradictions.

A fold in order of arrival over what the register knows, so that a group gives the same result as its reports one by
one would.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.intake.domain.reports import UNFIT, Refused, Registered, Report
from services.intake.domain.routing import Routing
from shared.contracts.values import CaseKind

Key = tuple[str, str, str]
"""(organisation, source, reference) of a case, or (organisation, source, event id) of an event."""

NOTHING_SAID: Final = Routing()
_SHOWN_DIGITS: Final = 16
_EPISODE_DIGITS: Final = 40


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case as the register holds it. `number` is empty for one that this group opens."""

    case_id: UUID
    kind: CaseKind
    number: str
    last_sequence: int
    last_event_id: str
    last_body_hash: bytes
    routing: Routing = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event as the register holds it."""

    case_id: UUID
    number: str
    sequence: int
    body_hash: bytes
    case_key: Key


@dataclass(frozen=True, slots=True)
class Entry:
    """A new event to be written. `event_id` may differ from the report's for repeatable ones."""

    report: Report
    case_id: UUID
    event_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same event again, known before or earlier in this group."""

    case_key: Key
    case_id: UUID
    number: str
    sequence: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Contradicted:
    """The same event id with another body, or a reference that belongs to the other kind."""

    refusal: Refused
    known: KnownEvent | None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A new event that does not fit the plans of its case; nothing of it is written."""

    refusal: Refused


Decision = Entry | Repeated | Contradicted | Unfit
Check = Callable[[Report, Routing], Mapping[str, str]]
"""What does not fit, by field, for a report of a case about which so much was said before."""


def decide(
    reports: Sequence[Report],
    new_ids: Sequence[UUID],
    cases: Mapping[Key, KnownCase],
    events: Mapping[Key, KnownEvent],
    unfit: Check,
) -> tuple[list[Decision], dict[Key, KnownCase]]:
    """One decision per report, and the cases as they stand afterwards (only those that changed).

    `new_ids` holds one unused id per report.
    """
    changed: dict[Key, KnownCase] = {}
    seen = dict(events)
    decisions: list[Decision] = []
    for report, new_id in zip(reports, new_ids, strict=True):
        case = changed.get(report.case_key) or cases.get(report.case_key)
        before = case.routing if case is not None else NOTHING_SAID
        decision = _fitting(_decide_one(report, new_id, case, seen.get(report.event_key)), before, unfit)
        decisions.append(decision)
        if isinstance(decision, Entry):
            number = case.number if case is not None else ""
            seen[report.org, report.body.source, decision.event_id] = KnownEvent(
                decision.case_id, number, decision.sequence, report.body_hash, report.case_key
            )
            changed[report.case_key] = KnownCase(
                decision.case_id,
                report.kind,
                number,
                decision.sequence,
                decision.event_id,
                report.body_hash,
                before.after(report),
            )
    return decisions, changed


def _decide_one(report: Report, new_id: UUID, case: KnownCase | None, known: KnownEvent | None) -> Decision:
    if case is not None and case.kind is not report.kind:
        reason = f"already the reference of a case of kind {case.kind.value}"
        return Contradicted(Refused("kind-conflict", "The reference is in use", {"reference": reason}), None)
    sequence = case.last_sequence + 1 if case is not None else 1
    case_id = case.case_id if case is not None else new_id
    if report.repeatable:
        if case is not None and case.last_body_hash == report.body_hash:
            return Repeated(report.case_key, case_id, case.number, case.last_sequence, case.last_event_id)
        # The same words in a new episode: told apart by where in the case they stand.
        return Entry(report, case_id, f"{report.event_id[:_EPISODE_DIGITS]}-{sequence}", sequence)
    if known is None:
        return Entry(report, case_id, report.event_id, sequence)
    if known.body_hash == report.body_hash:
        return Repeated(known.case_key, known.case_id, known.number, known.sequence, report.event_id)
    return Contradicted(contradiction(report, known), known)


def _fitting(decision: Decision, before: Routing, unfit: Check) -> Decision:
    """The decision, or why it cannot be: what is registered already is not asked again, plans may have changed."""
    if not isinstance(decision, Entry) or not decision.report.checked or decision.report.parted is not None:
        return decision
    fields = unfit(decision.report, before)
    if not fields:
        return decision
    return Unfit(Refused(UNFIT, "The report does not fit its plans", dict(fields)))


def contradiction(report: Report, known: KnownEvent, differing: Sequence[str] = ()) -> Refused:
    """409 in words: both hashes, and the fields that differ as far as the original can still be read."""
    hashes = f"registered {known.body_hash.hex()[:_SHOWN_DIGITS]}, posted {report.body_hash.hex()[:_SHOWN_DIGITS]}"
    fields = dict.fromkeys(differing, "differs from what was registered under this id")
    return Refused(
        "event-conflict",
        f"Event id '{report.event_id}' of source '{report.body.source}' was registered with another body ({hashes})",
        fields or {"id": "registered with another body"},
    )


def answer(decision: Decision, cases: Mapping[Key, KnownCase]) -> Registered | Refused:
    """The caller's answer; `cases` holds the numbers given to new cases."""
    match decision:
        case Entry():
            number = cases[decision.report.case_key].number
            return Registered(decision.case_id, number, decision.sequence, decision.event_id)
        case Repeated():
            number = decision.number or cases[decision.case_key].number
            return Registered(decision.case_id, number, decision.sequence, decision.event_id, duplicate=True)
        case Contradicted() | Unfit():
            return decision.refusal
