"""What must never be, and what a case's timers have to be: the auditor compares the table with this."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.escalator.domain.case import Case
from services.escalator.domain.decision import Timer, armed
from services.escalator.domain.time_bases import Rules


class FaultKind(StrEnum):
    """Each of these is a deadline about to be missed, or one nobody was told of."""

    OVERDUE = "overdue"  # armed, due for longer than the grace, and not fired
    UNARMED = "unarmed"  # the case waits for this instant and nothing in the table will wake it
    MISARMED = "misarmed"  # what is armed is not what the case waits for
    UNPUBLISHED = "unpublished"  # fired, and no event in the outbox tells of it


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing found. `since`: when it was due, or fired. `healed`: it was put right at once."""

    kind: FaultKind
    org: str
    case_id: UUID
    plan: str
    subject: str
    since: datetime | None
    healed: bool = False


@dataclass(frozen=True, slots=True)
class Repair:
    """What makes the table say what the case wants."""

    arm: tuple[Timer, ...] = ()
    disarm: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def repair(rules: Rules, case: Case, table: Mapping[str, Timer]) -> Repair:
    """Compare what is armed with what the case as it stands waits for; both read under the case's lock.

    The case decides: a timer it does not want would be void when it fires, so it is taken away; one that is missing
    is armed for the instant it was always meant for, even if that has passed.
    """
    wanted = {timer.subject: timer for timer in armed(case, rules)}
    missing = [timer for timer in wanted.values() if timer.subject not in table]
    other = [timer for timer in wanted.values() if timer.subject in table and not _same(timer, table[timer.subject])]
    surplus = [timer for subject, timer in table.items() if subject not in wanted]
    return Repair(
        (*missing, *other),
        tuple(timer.subject for timer in surplus),
        (
            *_faults(FaultKind.UNARMED, case, missing),
            *_faults(FaultKind.MISARMED, case, other),
            *_faults(FaultKind.MISARMED, case, surplus),
        ),
    )


def _same(one: Timer, other: Timer) -> bool:
    return (one.generation, one.threshold, one.due_at) == (other.generation, other.threshold, other.due_at)


def _faults(kind: FaultKind, case: Case, timers: Iterable[Timer]) -> Iterable[Fault]:
    for timer in timers:
        yield Fault(kind, case.org, case.case_id, case.plan.name, timer.subject, timer.due_at, healed=True)
