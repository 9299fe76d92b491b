"""`fenghuo silences list | add | end | withheld`."""

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.text import Text

from services.console.cli.connection import Connection
from services.console.cli.output import OUT, both, local_time, print_json, table
from services.console.cli.wording import say

app = typer.Typer(help="静默与维护窗口 / silences and maintenance windows", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("list")
def list_silences(as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """全部静默 / silences planned, running and past."""
    connection = Connection.find()
    found = connection.get(connection.notifier_url, "/v1/silences")
    if as_json:
        print_json(found)
        return
    if not found["silences"]:
        OUT.print(say("没有静默。", "No silences."))
        return
    rows = table(
        say("编号", "Id"), say("从", "From"), say("到", "To"), say("范围", "What"), say("理由", "Reason"),
        say("谁", "Who"), say("状态", "State"),
    )  # fmt: skip
    for one in found["silences"]:
        meant = "; ".join(
            f"{name} {', '.join(one[name])}"
            for name in ("plans", "levels", "topics", "places", "people", "purposes")
            if one.get(name)
        )
        state = say("已结束", "over") if one["over"] else say("有效", "in force")
        rows.add_row(
            one["silence_id"], Text(one["from"]), Text(one["to"]), Text(meant or say("全部", "all")),
            Text(one["reason"]), Text(one["made_by"]), state,
        )  # fmt: skip
    OUT.print(rows)


@app.command()
def add(  # noqa: PLR0917  # options of a command
    begins: Annotated[str, typer.Option("--from", help="2026-11-22 22:00, or a day")],
    ends: Annotated[str, typer.Option("--to", help="2026-11-23 06:00, or a day")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="理由 / why")],
    plan: Annotated[list[str] | None, typer.Option("--plan")] = None,
    level: Annotated[list[str] | None, typer.Option("--level")] = None,
    topic: Annotated[list[str] | None, typer.Option("--topic", help="* ?")] = None,
    place: Annotated[list[str] | None, typer.Option("--place")] = None,
    person: Annotated[list[str] | None, typer.Option("--person")] = None,
    hours: Annotated[str | None, typer.Option(help="22:00-06:00: 每天此时段 / recurs daily")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="结束后不补发 / left out, not told afterwards")] = False,  # noqa: FBT002  # a flag
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """建立静默；最高等级不受影响 / let messages wait; the highest level never does."""
    body: dict[str, Any] = {"from": begins, "to": ends, "reason": reason}
    filters = {"plans": plan, "levels": level, "topics": topic, "places": place, "people": person}
    body |= {name: values for name, values in filters.items() if values}
    if hours is not None:
        first, _, last = hours.partition("-")
        body["hours"] = [{"from": first.strip(), "to": last.strip()}]
    if drop:
        body["afterwards"] = "drop"
    connection = Connection.find()
    made = connection.post(connection.notifier_url, "/v1/silences", body)
    if as_json:
        print_json(made)
    else:
        OUT.print(say(f"已建立静默 {made['silence_id']}", f"Silence {made['silence_id']} made"))


@app.command()
def end(silence: Annotated[UUID, typer.Argument(help="编号 / id")]) -> None:
    """提前结束；缓发的消息立即重新判断 / end before its time; what waited is decided anew at once."""
    connection = Connection.find()
    connection.send("DELETE", connection.notifier_url, f"/v1/silences/{silence}")
    OUT.print(say("已结束。", "Ended."))


@app.command()
def withheld(limit: Annotated[int, typer.Option(min=1, max=500)] = 50, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """被缓发、合并、抑制的消息及原因 / messages that waited, were bundled or left out, and why."""
    connection = Connection.find()
    found = connection.get(connection.notifier_url, "/v1/withheld", limit=limit)
    if as_json:
        print_json(found)
        return
    rows = table(
        say("时间", "Time"), say("编号", "Case"), say("人员", "Person"), say("规则", "Rule"), say("状态", "State"),
        say("原因", "Why"),
    )  # fmt: skip
    states = {
        "waiting": say("等待中", "waiting"),
        "left-out": say("未发", "left out"),
        "told": say("已告知", "told"),
        "not-reached": say("未送达", "not reached"),
    }
    for one in found["withheld"]:
        rows.add_row(
            local_time(one["accepted_at"]), one["number"], one["person_label"] or one["role"], one["rule"],
            states[one["state"]], Text(both(one["because"])),
        )  # fmt: skip
    OUT.print(rows)
