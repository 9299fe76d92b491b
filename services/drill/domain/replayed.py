"""What many replayed cases come to, and how two plans differ on them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from services.drill.domain.timeline import Replayed, Told
from shared.contracts.escalations import ClockState
from shared.contracts.notifications import Purpose

_BROKEN = frozenset({ClockState.BREACHED, ClockState.MISSED})


@dataclass(frozen=True, slots=True)
class CaseSum:
    """One case at the end: its highest level and why, how often somebody was paged, which limits ran out."""

    level: str | None
    decided_by: str | None
    pages: int
    tier: str | None
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplaySum:
    """All cases added up. `levels` counts reported cases (None: no level), `warnings` warning cases by level.

    `told` counts messages by role and purpose, `broken` limits that ran out, by clock.
    """

    cases: Mapping[str, CaseSum]
    levels: Mapping[str | None, int]
    warnings: Mapping[str, int]
    told: Mapping[tuple[str, Purpose], int]
    broken: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Changed:
    """A case that comes out differently. None where it is not there or was not opened."""

    name: str
    before: CaseSum
    after: CaseSum


def sum_up(replayed: Replayed) -> ReplaySum:
    """Counts, case by case and altogether."""
    told = Counter((one.role, one.purpose) for one in replayed.timeline if isinstance(one, Told))
    pages = Counter(one.number for one in replayed.timeline if isinstance(one, Told) and one.purpose is Purpose.PAGE)
    cases: dict[str, CaseSum] = {}
    warnings: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for name, ended in replayed.ended.items():
        late = tuple(clock.id for clock in ended.clocks if clock.state in _BROKEN)
        broken.update(late)
        if name not in replayed.levels:
            warnings[ended.case.level or ""] += 1
            continue
        ladder = ended.case.ladder
        tier = ladder.tier if ladder is not None else None
        cases[name] = CaseSum(ended.case.level, ended.case.decided_by, pages[name], tier, late)
    for name in replayed.levels:
        cases.setdefault(name, CaseSum(None, None, 0, None, ()))
    levels = Counter(case.level for case in cases.values())
    return ReplaySum(cases, levels, warnings, told, broken)


def changes(before: ReplaySum, after: ReplaySum) -> tuple[Changed, ...]:
    """Cases whose level, reason, pages or broken limits differ, in the order of the first replay."""
    return tuple(
        Changed(name, case, after.cases[name])
        for name, case in before.cases.items()
        if name in after.cases and after.cases[name] != case
    )
