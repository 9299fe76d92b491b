"""How answers look in a terminal."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from services.console.cli.wording import language, say
from services.console.domain.words import word
from shared.runtime.terminal import Terminal

OUT: Final = Terminal()
SEVERITY_STYLES: Final = ("dim", "blue", "yellow", "dark_orange3", "bold red")
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_TOLD_STYLES: Final = {"delivered": "green", "sent": "green", "failed": "red", "nobody": "red"}


def print_json(content: Any) -> None:
    """Machine-readable, to standard output and nothing else."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def both(words: Mapping[str, str] | None, fallback: str | None = None) -> str:
    """The words in the language spoken."""
    return words[language()] if words else (fallback or "—")


def named(table: str, key: str | None) -> str:
    return str(getattr(word(table, key), language()))


def table(*titles: str) -> Table:
    """An open table with these columns."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in titles:
        made.add_column(title, overflow="fold")
    return made


def local_time(text: str | None) -> str:
    """An instant in the machine's time zone."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else "—"


def remaining(text: str | None, now: datetime) -> Text:
    """How long until the instant; red when it has passed."""
    if not text:
        return Text("—", style="dim")
    seconds = int((datetime.fromisoformat(text) - now.astimezone(UTC)).total_seconds())
    if seconds < 0:
        return Text(say("超时 ", "late ") + _span(-seconds), style="bold red")
    return Text(_span(seconds), style="yellow" if seconds < 5 * _MINUTE else "")


def level(case: Mapping[str, Any]) -> Text:
    return Text(both(case["level_words"]), style=SEVERITY_STYLES[case["severity"]])


def why(case: Mapping[str, Any]) -> str:
    """The criterion that set the level, with the values it read."""
    criterion = case["criterion"]
    if not criterion:
        return case["because"] or "—"
    # The moment of judging stands in the history; here it would only hide the figures.
    read = {name: value for name, value in criterion["values"].items() if name != "now" and value is not None}
    values = ", ".join(f"{both(criterion['names'].get(name), name)} {shown(value)}" for name, value in read.items())
    label = both(criterion["label"], criterion["id"])
    return f"{label} ({values})" if values else label


def in_window(one: dict[str, Any]) -> str:
    """A window that was read: its bounds, what its cases have in common, and the first and last of them."""
    alike = ", ".join(
        value if value is not None else say("同一投诉人", "same complainant") for value in one["group"].values()
    )
    first, last = (", ".join(case["number"] or case["case_id"] for case in one[end]) for end in ("earliest", "latest"))
    left_out = one["cases"] - len(one["earliest"]) - len(one["latest"])
    numbers = (" … " if left_out > 0 else ", ").join(filter(None, (first, last)))
    bounds = f"{local_time(one['start'])} – {local_time(one['end'])}"
    value = str(one["value"])
    if one.get("baseline"):
        average = f"{one['value'] / one['periods']:.4g}"
        value = average + say(
            f"（{one['periods']}个时段共{one['value']}）", f" ({one['value']} in {one['periods']} periods)"
        )
    return f"{both(one['words'])} = {value}  [{alike}]  {bounds}  {one['cases']}: {numbers}"


def shown(value: Any) -> str:
    """A fact as people read it; None is what is not known."""
    if value is None:
        return say("未知", "not known")
    if isinstance(value, list):
        return "、".join(str(one) for one in value)
    moment = _instant(value)
    return f"{moment.astimezone():%m-%d %H:%M}" if moment else str(value)


def _instant(value: Any) -> datetime | None:
    """Facts carry instants as text; only a whole date and time with its offset is one."""
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00Z"):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def tier(case: Mapping[str, Any], now: datetime) -> Text:
    """The present tier, and when the next one is due or who acknowledged."""
    text = Text(both(case["tier_words"], case["tier"]))
    if case["acknowledged_at"]:
        by = (case["acknowledged_by"] or {}).get("label", "")
        text.append(say(f"\n✓ {by} 已确认", f"\n✓ acknowledged by {by}"), style="green")
    elif case["next_tier_at"] and case["open"]:
        text.append(f"\n→ {both(case['next_tier_words'], say('再次呼叫', 'page again'))} ", style="dim")
        text.append_text(remaining(case["next_tier_at"], now))
    return text


def clocks(case: Mapping[str, Any], now: datetime) -> Text:
    """Clocks that still count, one a line."""
    lines = []
    for clock in case["clocks"]:
        if clock["state"] in {"running", "breached"}:
            lines.append(Text(both(clock["words"]) + " ").append_text(remaining(clock["due_at"], now)))
        elif clock["state"] == "paused":
            lines.append(Text(f"{both(clock['words'])} {named('clock', 'paused')}", style="dim"))
    return Text("\n").join(lines) if lines else Text("—", style="dim")


def told(case: Mapping[str, Any], limit: int = 4) -> Text:
    """Who was told by what, with what result."""
    lines = []
    for one in case["told"][:limit]:
        how = f" {named('channel', one['channel'])}" if one["channel"] else ""
        line = Text(f"{one['person_label'] or one['person'] or both(one['role_words'], one['role'])}{how} ")
        line.append(named("settlement", one["settlement"]), style=_TOLD_STYLES.get(one["settlement"], "dim"))
        lines.append(line)
    return Text("\n").join(lines) if lines else Text(say("还没有人", "nobody yet"), style="dim")


def case_table(cases: Sequence[Mapping[str, Any]], now: datetime) -> Table:
    """Cases as a board: number, level and why, tier, clocks, told."""
    made = table(
        say("编号", "Number"),
        say("级别", "Level"),
        say("预案与理由", "Plan and why"),
        say("层级", "Tier"),
        say("时限", "Clocks"),
        say("已通知", "Told"),
    )
    # A number is read aloud and copied: it stays in one piece.
    made.columns[0].no_wrap = True
    for case in cases:
        about = Text(both(case["plan_words"]), style="dim")
        title = case["title"] or case["topic"]
        if title:
            about.append(f"  {title}", style="bold not dim")
        about.append(f"\n{why(case)}", style="not dim")
        first = Text(case["number"]).append(f"\n{named('state', case['state'])}", style="dim")
        made.add_row(first, level(case), about, tier(case, now), clocks(case, now), told(case))
    return made


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, _DAY)
    text = f"{rest % _HOUR // _MINUTE:02}:{rest % _MINUTE:02}"
    if rest >= _HOUR or days:
        text = f"{rest // _HOUR:02}:{text}"
    return say(f"{days} 天 {text}", f"{days}d {text}") if days else text
