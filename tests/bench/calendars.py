"""What one calendar operation costs: the compiled calendar beside the day-by-day walk that most systems do."""

import json
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.calendars.business import BusinessCalendar
from shared.calendars.pieces import WORKING_DAY
from shared.plans.time_spec import Basis
from tests.bench.machine import describe
from tests.support.calendars import shipped
from tests.support.line import ROOT

_CASES = 2_000
_ROUNDS = 25
_HOURS = Basis(ends="end-of-hours")


@dataclass(frozen=True)
class Operation:
    """Microseconds of one call: the fastest round, the median one, the slowest."""

    name: str
    fastest: float
    median: float
    slowest: float


def walk(calendar: BusinessCalendar, start: datetime, length: timedelta) -> datetime:
    """The same answer by walking from day to day, as engines without a compiled calendar do."""
    local = calendar.local(start)
    day, left = local.date(), length
    now = local.hour * 60 + local.minute
    while True:
        for opens, closes in calendar.table.day(day).hours:
            begins = max(opens, now)
            if begins < closes:
                span = timedelta(minutes=closes - begins)
                if left <= span:
                    return calendar.begin_of_day(day) + timedelta(minutes=begins) + left
                left -= span
        day, now = day + timedelta(days=1), 0


def measure() -> list[Operation]:
    """Each operation on two thousand random instants of two years, in rounds; the walk is checked against it."""
    calendar = shipped().get("china")
    chance = random.Random(1)  # noqa: S311  # the same instants in every run
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    starts = [begin + timedelta(minutes=chance.randrange(700 * 1440)) for _ in range(_CASES)]
    ends = [start + timedelta(minutes=chance.randrange(40 * 1440)) for start in starts]
    amount = timedelta(hours=120)
    micros = amount // timedelta(microseconds=1)
    for start in starts[:200]:
        if calendar.add_working_time(start, amount).at != walk(calendar, start, amount):
            raise AssertionError(f"the walk and the calendar differ for {start}")
    return [
        _timed("instant after 120 working hours", lambda: [calendar.add_working_micros(one, micros) for one in starts]),
        _timed(
            "working time between two instants",
            lambda: [calendar.working_micros(one, two) for one, two in zip(starts, ends, strict=True)],
        ),
        _timed("end of 15 working days", lambda: [calendar.add_working_days(one, 15, _HOURS) for one in starts]),
        _timed(
            "half of 15 working days",
            lambda: [calendar.add_working_day_units(one, WORKING_DAY * 15 // 2, _HOURS) for one in starts],
        ),
        _timed("next working instant", lambda: [calendar.next_working(one) for one in starts]),
        _timed("is it working time", lambda: [calendar.is_working(one) for one in starts]),
        _timed("120 working hours by walking days", lambda: [walk(calendar, one, amount) for one in starts], rounds=3),
    ]


def _timed(name: str, run: Callable[[], object], rounds: int = _ROUNDS) -> Operation:
    run()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        found.append((time.perf_counter() - began) / _CASES * 1e6)
    return Operation(name, min(found), statistics.median(found), max(found))


def show(out: Console, operations: list[Operation]) -> None:
    table = Table(title="A calendar operation (microseconds)")
    table.add_column("operation")
    for column in ("fastest round", "median", "slowest"):
        table.add_column(column, justify="right")
    for one in operations:
        table.add_row(one.name, f"{one.fastest:.2f}", f"{one.median:.2f}", f"{one.slowest:.2f}")
    out.print(table)


def main() -> None:
    """Print the table and write it to bench/results/."""
    out, machine, found = Console(), describe(), measure()
    show(out, found)
    out.print(", ".join(f"{name}: {value}" for name, value in machine.items()))
    file = Path(ROOT) / "bench" / "results" / f"{datetime.now().astimezone():%Y-%m-%d}-calendars.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "operations_us": [asdict(one) for one in found]}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    out.print(f"written to {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
