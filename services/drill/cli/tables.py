"""How plans, results and timelines look in a terminal and as JSON."""

from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from services.drill.domain.comparison import after
from services.drill.domain.timeline import Happened, Outcome, Told
from shared.contracts.values import Bilingual, Language
from shared.plans.compiled import CompiledPlan
from shared.plans.duties import CompiledClock
from shared.plans.limits import LimitBase
from shared.plans.words import Words

_UNITS: Final = {LimitBase.WORKING_DAYS: "wd", LimitBase.CALENDAR_DAYS: "cd", LimitBase.MONTHS: "mo"}


def print_plan(plan: CompiledPlan, language: Language) -> None:
    """Levels with their criteria, clocks and tiers."""
    console = Console()
    console.print(f"[bold]{escape(_words(plan.title, language))}[/bold]  {plan.name} v{plan.ref.version}")
    console.print(f"sha256 {plan.ref.sha256}", style="dim", soft_wrap=True)
    criteria = _table("级别 Level", "标准 Criterion", "条件 Condition", "依据 Source")
    for level in reversed(plan.plan.levels):
        for criterion in plan.plan.criteria:
            if criterion.level == level.id:
                when = (
                    criterion.when if isinstance(criterion.when, str) else criterion.when.model_dump_json(by_alias=True)
                )
                criteria.add_row(_words(level.label, language), criterion.id, escape(when), criterion.source or "")
    clocks = _table("时限 Clock", "自 From", "至 Until", "限 Limit", "预警 Warn", "超时 Breach", "级别 Levels")
    for clock in plan.clocks:
        warnings = " ".join(threshold.text for threshold in clock.warn)
        levels = ", ".join(level.id for level in plan.plan.levels if not clock.levels or level.id in clock.levels)
        clocks.add_row(
            _words(clock.label, language), clock.start, clock.until, _limit(clock), warnings, clock.breach, levels
        )
    tiers = _table("层级 Tier", "角色 Roles", "渠道 Channels", "确认 Within", "重复 Repeat")
    for tier in plan.tiers:
        tiers.add_row(
            _words(tier.label, language),
            ", ".join(tier.roles),
            (" + " if tier.all_channels else " → ").join(tier.channels),
            after(tier.acknowledge_within),
            str(tier.repeat),
        )
    for table in (criteria, clocks, tiers):
        console.print(table)


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


def _limit(clock: CompiledClock) -> str:
    if clock.limit.base is LimitBase.ELAPSED:
        return after(clock.limit.elapsed)
    if clock.limit.base is LimitBase.WORKING_TIME:
        return f"{clock.limit.amount / 3600:g}wh"
    return f"{clock.limit.amount}{_UNITS[clock.limit.base]}"


def _words(text: Words | Bilingual, language: Language) -> str:
    return text.en if language == "en" else text.zh
