"""What a scenario makes happen, in the order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.plans import cases as scenario

FIRST: Final = "case-1"
"""The name of the case that the scenario begins with."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something the scenario makes happen. `name` is the case it is about."""

    at: datetime
    name: str
    report: scenario.ReportSpec | None = None
    command: scenario.Happening | None = None


def steps(case: scenario.Case) -> Iterator[Step]:
    """In the order of time; what is written first comes first among equals."""
    found: list[Step] = []
    if case.burst is None:
        found.append(Step(case.start, FIRST, report=case.report))
    else:
        found.extend(_burst("case", case.start, case.report, case.burst))
    for index, happening in enumerate(case.then):
        at = case.start + happening.after
        if happening.burst is not None:
            found.extend(_burst(f"further-{index}", at, happening.report or case.report, happening.burst))
        else:
            name = FIRST
            command = happening if happening.command is not None else None
            found.append(Step(at, name, report=happening.report, command=command))
    return iter(sorted(found, key=lambda step: step.at))


def _burst(name: str, at: datetime, report: scenario.ReportSpec, burst: scenario.Burst) -> Iterator[Step]:
    for number, (after, one) in enumerate(scenario.burst_reports(report, burst), start=1):
        yield Step(at + after, f"{name}-{number}", report=one)
