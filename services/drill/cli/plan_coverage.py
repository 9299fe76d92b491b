"""`plans coverage`: document → pack. Exit code 1 when a document has neither a pack nor a reason."""

from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from services.drill.app.cover_documents import cover_documents
from services.drill.cli.plan_options import PLANS_DIR, AsJson, PlansDir, fail, print_json
from services.drill.domain.coverage_page import coverage_page
from services.drill.domain.documents import Coverage, Covered, Standing
from shared.plans.problems import PlanLibraryError

PAGE: Final = "COVERAGE.md"
_NUMBERS: Final = {
    "criteria": "判据\nCriteria",
    "clocks": "时限\nClocks",
    "tiers": "层级\nTiers",
    "duties": "职责\nDuties",
    "lists": "清单\nLists",
    "cases": "用例\nCases",
    "checks": "检查\nChecks",
    "drills": "演练\nDrills",
}
_NEEDED: Final = frozenset({"criteria", "clocks", "cases"})
_WIDE: Final = 130
"""Columns from which names of documents and every number have room; a narrower terminal gets what matters most."""


def coverage(
    plans_dir: PlansDir = PLANS_DIR,
    *,
    write: Annotated[bool, typer.Option("--write", help="Write COVERAGE.md · 写入 COVERAGE.md")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail when COVERAGE.md is not as written · 核对")] = False,
    as_json: AsJson = False,
) -> None:
    """Which pack realises which written document · 每份文件由哪些预案包实现."""
    try:
        found = cover_documents(plans_dir)
    except PlanLibraryError as error:
        fail(error, as_json=as_json)
    page, text = plans_dir / PAGE, coverage_page(found)
    if write:
        page.write_text(text, encoding="utf-8")
    stale = check and (not page.is_file() or page.read_text(encoding="utf-8") != text)
    if as_json:
        print_json(_data(found))
    else:
        _print(found)
        if stale:
            typer.echo(f"{page} is not as generated: run `fenghuo plans coverage --write`", err=True)
    if found.missing or found.problems or stale:
        raise typer.Exit(1)


def _print(found: Coverage) -> None:
    console = Console()
    narrow = console.width < _WIDE
    shown = [name for name in _NUMBERS if not narrow or name in _NEEDED]
    headers = [Column(_NUMBERS[name], justify="right") for name in shown]
    table = Table("文件 Document", Column("预案包 Pack", overflow="fold"), *headers, title=_sum(found))
    for one in found.documents:
        title = one.document.id if narrow else f"{one.document.id} {escape(one.document.zh)}"
        for index, pack in enumerate(one.packs):
            same = f" (= {one.document.same_as})" if one.standing is Standing.SAME else ""
            numbers = (str(getattr(pack, name)) for name in shown)
            table.add_row(title if index == 0 else "", pack.name + same, *numbers)
        if one.standing is Standing.REASON and one.document.without_pack is not None:
            table.add_row(title, f"[dim]— {escape(one.document.without_pack.zh)}[/dim]")
        if one.standing is Standing.MISSING:
            table.add_row(title, "[red]缺失 missing[/red]")
    console.print(table)
    for problem in found.problems:
        console.print(f"[red]✗[/red] {escape(problem)}", soft_wrap=True)
    if found.missing:
        console.print(f"[red]✗[/red] 既无预案包也无说明 neither a pack nor a reason: {', '.join(found.missing)}")


def _sum(found: Coverage) -> str:
    standing = [one.standing for one in found.documents]
    done = standing.count(Standing.PACK) + standing.count(Standing.SAME)
    reasons = standing.count(Standing.REASON)
    return f"{len(standing)} 份文件 documents · {done} 有预案包 with packs · {reasons} 有说明 with a reason"


def _data(found: Coverage) -> dict[str, Any]:
    return {
        "documents": [_row(one) for one in found.documents],
        "missing": list(found.missing),
        "problems": list(found.problems),
    }


def _row(one: Covered) -> dict[str, Any]:
    return {
        **one.document.model_dump(mode="json", exclude_none=True),
        "standing": one.standing.value,
        "packs": [asdict(pack) for pack in one.packs],
    }
