"""How the results of the packs' cases look in a terminal and as JSON."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from services.drill.app.find_untested_bounds import BoundsFound
from services.drill.app.run_pack_cases import CaseResult
from services.drill.app.run_pack_cases import Progress as Report


@dataclass(frozen=True, slots=True)
class PackSum:
    """A pack's results added up. `checks` are rows of its tables and scenarios."""

    pack: str
    tables: int
    scenarios: int
    checks: int
    failed: int


def sums(results: Sequence[CaseResult]) -> list[PackSum]:
    """One a pack, in the order of the results."""
    found = []
    for pack, group in groupby(results, key=lambda result: result.pack):
        of_pack = list(group)
        tables = sum(1 for result in of_pack if result.kind == "bounds")
        failed = sum(1 for result in of_pack if not result.passed)
        checks = sum(result.checks for result in of_pack)
        found.append(PackSum(pack, tables, len(of_pack) - tables, checks, failed))
    return found


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Report | None]:
    """A bar on standard error while packs run, gone when they are done; nothing where `quiet` or not a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description:40.40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda pack, done, of: bar.update(task, description=pack, completed=done, total=of)


def print_results(results: Sequence[CaseResult], *, each: bool) -> None:
    """One row a pack, or with `each` one a case; every difference below, and the sum of all at the end."""
    console = Console(highlight=False)
    console.print(_cases(results) if each else _packs(results))
    for result in results:
        for different in result.differences:
            console.print(
                f"[red]✗[/red] {escape(result.pack)}/{escape(result.name)}: {escape(different)}", soft_wrap=True
            )
    packs = sums(results)
    failed = sum(pack.failed for pack in packs)
    checks = sum(pack.checks for pack in packs)
    console.print(
        f"{len(packs)} 预案包 packs, {len(results)} 用例 cases, {checks} 检查 checks: "
        f"{len(results) - failed} 通过 passed, {failed} 失败 failed"
    )


def print_untested(found: BoundsFound) -> None:
    """Every bound that could be moved by a step without any case failing, and the sum."""
    console = Console(highlight=False)
    for one in found.untested:
        console.print(f"[red]✗[/red] {escape(f'{one.pack}: {one.where}: {one.was} → {one.now}')}", soft_wrap=True)
    missed = len(found.untested)
    console.print(f"{found.tried} 处改动 changes: {found.tried - missed} 被发现 noticed, {missed} 未被发现 not noticed")


def results_data(results: Sequence[CaseResult]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "packs": [asdict(pack) for pack in sums(results)],
        "results": [{**asdict(result), "passed": result.passed} for result in results],
    }


def _packs(results: Sequence[CaseResult]) -> Table:
    numbers = ("界限表\nTables", "推演\nScenarios", "检查\nChecks", "失败\nFailed")
    table = Table(Column("预案\nPlan", no_wrap=True), *(Column(name, justify="right") for name in numbers), "")
    for pack in sums(results):
        verdict = "[red]✗[/red]" if pack.failed else "[green]✓[/green]"
        table.add_row(pack.pack, str(pack.tables), str(pack.scenarios), str(pack.checks), str(pack.failed), verdict)
    return table


def _cases(results: Sequence[CaseResult]) -> Table:
    table = Table(*(Column(name, overflow="fold") for name in ("预案 Plan", "用例 Case", "检查 Checks", "结果 Result")))
    for result in results:
        verdict = "[green]✓[/green]" if result.passed else "[red]✗[/red]"
        table.add_row(result.pack, result.name, str(result.checks), verdict)
    return table
