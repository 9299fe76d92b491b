"""How plans, results and timelines look in a terminal and as JSON."""

from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from services.drill.domain.comparison import after
from services.drill.domain.timeline import Happened, Outcome, Told
from shared.contracts.values import Language
from shared.plans.compiled import CompiledPlan
from shared.plans.description import describe
from shared.plans.description_words import Said

_STYLES: Final = ("dim", "blue", "yellow", "dark_orange3", "bold red")


def print_plan(plan: CompiledPlan, language: Language) -> None:
    """Everything the plan says, table by table."""
    said = describe(plan)
    console = Console(highlight=False)
    console.print(f"[bold]{escape(_pick(said.title, language))}[/bold]  {said.name} v{said.version}")
    console.print(f"sha256 {said.sha256}", style="dim", soft_wrap=True)
    for name, text in said.head:
        console.print(f"[dim]{_pick(name, language)}[/dim]  {escape(_pick(text, language))}")
    for section in said.sections:
        table = Table(
            *(Column(_pick(column, language), overflow="fold") for column in section.columns),
            title=_pick(section.title, language),
            title_justify="left",
            title_style="bold",
        )
        for row in section.rows:
            table.add_row(*(_shown(cell, language, len(said.levels)) for cell in row))
        console.print(table)


def _shown(cell: Said, language: Language, highest: int) -> str:
    text = escape(_pick(cell, language))
    if cell.rank is None:
        return text
    return f"[{_STYLES[-(-4 * cell.rank // highest)]}]{text}[/]"


def _pick(said: Said, language: Language) -> str:
    return said.en if language == "en" else said.zh


def print_outcome(outcome: Outcome, different: tuple[str, ...]) -> None:
    """The timeline, the clocks at the end, and what was not as expected."""
    console = Console()
    table = _table("时间 At", "事件 What", "谁 Who", "渠道 Channels", "原因 Because")
    for entry in outcome.timeline:
        at = f"+{after(entry.at - outcome.start)}"
        if isinstance(entry, Told):
            people = f" ({', '.join(entry.people)})" if entry.people else ""
            row = (f"→ {entry.purpose}", entry.role + people, " → ".join(entry.channels), entry.because or "")
        else:
            row = (entry.kind.value, entry.number, "", entry.because)
        table.add_row(at, *(escape(text) for text in row))
    console.print(table)
    clocks = _table("时限 Clock", "状态 State", "到期 Due")
    for ended in (outcome.case, outcome.warning):
        for clock in ended.clocks if ended else ():
            due = f"+{after(clock.due_at - outcome.start)}" if clock.due_at else "—"
            clocks.add_row(clock.label, clock.state, due)
    if clocks.row_count:
        console.print(clocks)
    for text in different:
        console.print(f"[red]✗[/red] {escape(text)}", soft_wrap=True)


def outcome_data(outcome: Outcome, different: tuple[str, ...]) -> dict[str, Any]:
    """The same as `print_outcome`, for machines."""
    ends = {"case": outcome.case, "warning": outcome.warning}
    return {
        "start": outcome.start.isoformat(),
        "end": outcome.end.isoformat(),
        "timeline": [_entry(outcome, entry) for entry in outcome.timeline],
        **{
            name: {
                "number": ended.case.number,
                "state": ended.case.state,
                "level": ended.case.level,
                "decided_by": ended.case.decided_by,
                "because": ended.case.because,
                "clocks": [clock.model_dump(mode="json") for clock in ended.clocks],
            }
            for name, ended in ends.items()
            if ended is not None
        },
        "differences": list(different),
    }


def _table(*headers: str) -> Table:
    """Long texts are folded, never cut: a condition that ends in dots is no condition."""
    return Table(*(Column(header, overflow="fold") for header in headers))


def _entry(outcome: Outcome, entry: Told | Happened) -> dict[str, Any]:
    data: dict[str, Any] = {
        "at": entry.at.isoformat(),
        "after": after(entry.at - outcome.start),
        "on": entry.on,
        "number": entry.number,
        "level": entry.level,
        "because": entry.because,
    }
    if isinstance(entry, Told):
        told = {"purpose": entry.purpose, "role": entry.role, "people": entry.people, "channels": entry.channels}
        return {**data, "what": "told", **told}
    return {**data, "what": entry.kind}
