"""`fenghuo case list | show | explain | ack | do | erase | hold | release-hold`."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from services.console.cli.connection import Connection
from services.console.cli.output import (
    OUT,
    both,
    case_table,
    in_window,
    local_time,
    named,
    print_json,
    shown,
    table,
    why,
)
from services.console.cli.wording import CommandError, language, say
from shared.contracts.commands import CommandKind
from shared.runtime.clock import SystemClock

app = typer.Typer(help="查看与处置案件 / look at cases and act on them", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
Case = Annotated[str, typer.Argument(help="案件编号或 ID / number or id")]
Because = Annotated[str, typer.Option("--because", "-b", help="理由 / why; nothing personal, it stays")]
Named = Annotated[str, typer.Option("--as", help="以谁的名义 / in whose name (roster id)")]
_HOLDS_STYLES = {"held": "bold green", "not-held": "dim", "not-known": "yellow"}


@app.command("list")
def list_cases(  # noqa: PLR0917  # options are given by name
    state: Annotated[str | None, typer.Option(help="classified, acknowledged, in-progress, …")] = None,
    level: Annotated[str | None, typer.Option(help="level id of a plan")] = None,
    plan: Annotated[str | None, typer.Option(help="plan name")] = None,
    text: Annotated[str | None, typer.Option("--text", "-q", help="number, title, topic or place")] = None,
    everything: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,  # noqa: FBT002  # a flag
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """列出案件，最新在前 / cases, newest first."""
    connection = Connection.find()
    found = connection.get(
        connection.console_url,
        "/v1/cases",
        state=state,
        level=level,
        plan=plan,
        q=text,
        limit=limit,
        open=None if everything else True,
    )
    if as_json:
        print_json(found)
    elif found["cases"]:
        OUT.print(case_table(found["cases"], SystemClock().now()))
    else:
        OUT.print(say("没有符合条件的案件。", "No cases fit."))


@app.command()
def show(case: Case, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """一件案件的现状和全程记录 / a case as it stands, with its whole history."""
    connection = Connection.find()
    found = connection.get(connection.console_url, _path(case))
    if as_json:
        print_json(found)
        return
    OUT.print(Text(f"{found['number']}  {found['case_id']}", style="bold"))
    if found["plans"]:
        OUT.print(case_table(found["plans"], SystemClock().now()))
    OUT.print()
    lines = table(say("时间", "Time"), say("记录", "What happened"))
    for line in found["timeline"]:
        style = {"bad": "red", "warn": "yellow", "good": "green"}.get(line["tone"], "")
        lines.add_row(local_time(line["at"]), Text(line[language()], style=style))
    OUT.print(lines)


@app.command()
def explain(case: Case, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """为什么：事件、判据、预案版本、时限、通知、确认 / why: event, criteria, plan, clocks, told, acknowledgement."""
    connection = Connection.find()
    found = connection.get(connection.console_url, _path(case, "/explain"))
    if as_json:
        print_json(found)
        return
    OUT.print(Text(f"{found['number']}  {found['case_id']}", style="bold"))
    event = found["event"]
    if event:
        OUT.print(say("事件  ", "Event  "), event["source"], "/", event["reference"], local_time(event["received_at"]))
    for chain in found["plans"]:
        _explain_plan(chain)


@app.command()
def ack(
    case: Case,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="理由 / reason")] = None,
    person: Annotated[str | None, typer.Option("--as", help="以谁的名义 / in whose name (roster id)")] = None,
    plan: Annotated[str | None, typer.Option(help="only under this plan")] = None,
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """确认接手，停止上报 / acknowledge: the case goes no further up."""
    body = {"command": "acknowledge", "reason": reason, "person": person, "plan": plan}
    _send(case, body, say(f"已提交确认：{case}", f"Acknowledgement sent: {case}"), as_json=as_json)


@app.command("do")
def order(  # noqa: PLR0917  # options are given by name
    case: Case,
    command: Annotated[CommandKind, typer.Argument(help="extension-request exclude restart wait milestone …")],
    given: Annotated[list[str] | None, typer.Option("--set", "-s", help="参数 clock=reply / an argument")] = None,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="理由 / reason")] = None,
    person: Annotated[str | None, typer.Option("--as", help="以谁的名义 / in whose name (roster id)")] = None,
    plan: Annotated[str | None, typer.Option(help="only under this plan")] = None,
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """任何指令：延期、扣除、重新计时等 / any command: extensions, time left out, clocks begun anew."""
    arguments = dict(_argument(text) for text in given or ())
    body = {"command": command.value, "arguments": arguments, "reason": reason, "person": person, "plan": plan}
    _send(case, body, say(f"已提交 {command.value}：{case}", f"Sent {command.value}: {case}"), as_json=as_json)


@app.command()
def erase(
    case: Case,
    because: Because,
    person: Named,
    sure: Annotated[bool, typer.Option("--yes", "-y", help="不再询问 / do not ask")] = False,  # noqa: FBT002  # a flag
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """删除已办结案件的个人信息与所述内容 / erase what was told of a case that is over; it cannot be taken back."""
    if not sure:
        typer.confirm(
            say(f"删除 {case} 所述的一切，无法恢复？", f"Erase what was told of {case}, for good?"),
            abort=True,
            err=True,
        )
    body = {"command": "erase", "reason": because, "person": person}
    _send(case, body, say(f"已提交删除：{case}", f"Erasure sent: {case}"), as_json=as_json)


@app.command()
def hold(case: Case, because: Because, person: Named, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """保全：不得删除 / legal hold: nothing of it is erased, by age or on request."""
    body = {"command": "hold", "reason": because, "person": person}
    _send(case, body, say(f"已提交保全：{case}", f"Hold sent: {case}"), as_json=as_json)


@app.command("release-hold")
def release_hold(case: Case, because: Because, person: Named, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """解除保全 / release the hold."""
    body = {"command": "release-hold", "reason": because, "person": person}
    _send(case, body, say(f"已提交解除保全：{case}", f"Release sent: {case}"), as_json=as_json)


def _send(case: str, body: dict[str, Any], said: str, *, as_json: bool) -> None:
    """Post a command; what was not given is left out."""
    connection = Connection.find()
    given = {name: value for name, value in body.items() if name == "arguments" or value}
    answer = connection.post(connection.console_url, _path(case, "/commands"), given)
    if as_json:
        print_json(answer)
    else:
        OUT.print(said, style="green")
        if answer.get("survivor"):
            number = answer["survivor"]
            OUT.print(say(f"本案已并入 {number}，确认计入该案。", f"It was merged: this counts for {number}."))


def _path(case: str, rest: str = "") -> str:
    if not case.strip():
        raise CommandError("请给出案件编号或 ID。", "Give the number or id of a case.", 2)
    return f"/v1/cases/{quote(case, safe='')}{rest}"


def _argument(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise CommandError(f"--set {text} 应为 名称=值。", f"--set {text}: give name=value.", 2)
    return name, value


def _explain_origins(chain: dict[str, Any]) -> None:
    """What the judgement rests on besides given facts: words of the text, another plan, another case."""
    if chain["linked_count"]:
        numbers = [one["number"] or one["case_id"] for one in chain["linked"]]
        more = "" if len(numbers) == chain["linked_count"] else " …"
        OUT.print(
            say("计入案件 ", "Counted "), f"{chain['linked_count']}:", Text(", ".join(numbers) + more, style="dim")
        )
    for one in chain["counted"]:
        OUT.print(say("窗口案件 ", "In window"), Text(in_window(one), style="dim"))
    for one in chain["proposed"]:
        fact = f"{one['fact']} = {shown(one['value'])}"
        OUT.print(say("文字线索 ", "Text   "), Text(f"{fact}  “{one['excerpt']}”  ({one['word']})", style="dim"))
    if chain["opened_by"]:
        opener = chain["opened_by"]
        OUT.print(say("带入预案 ", "Opened by"), opener["plan"], both(opener["because"], opener["opening"]))
    if chain["moved"]:
        move = chain["moved"]
        before = f"v{move['before']['version']} {move['before']['sha256'][:12]}"
        OUT.print(say("改用本版 ", "Moved from"), Text(f"{before}  {move['actor']['ref']}: {move['reason']}"))
    if chain["duplicate_of"]:
        OUT.print(say("同一事件 ", "Same event as"), chain["duplicate_of"]["number"], chain["duplicate_of"]["rule"])


def _explain_plan(chain: dict[str, Any]) -> None:
    plan, level, tier = chain["plan"], chain["level"], chain["tier"]
    OUT.print()
    OUT.print(Text(f"{both(plan['title'])}  {plan['name']} v{plan['version']}  {plan['sha256'][:12]}", style="bold"))
    OUT.print(say("级别  ", "Level  "), both(level["label"]), "·", named("state", chain["state"]))
    OUT.print(say("因为  ", "Because"), why({"criterion": chain["criterion"], "because": level["because"]}))
    criteria = table(
        say("结果", "Result"), say("级别", "Level"), say("判据", "Criterion"), say("读到的值", "Values read")
    )
    for one in chain["criteria"]:
        values = ", ".join(
            f"{both(one['names'].get(name), name)}={shown(value)}" for name, value in one["values"].items()
        )
        result = Text(named("holds", one["result"]), style=_HOLDS_STYLES.get(one["result"], ""))
        label = Text(both(one["label"], one["id"])).append(f"\n{one['when']}", style="dim")
        criteria.add_row(result, both(one["level_words"]), label, values)
    OUT.print(criteria)
    _explain_origins(chain)
    clocks = table(say("时限", "Clock"), say("状态", "State"), say("截止", "Due"))
    for clock in chain["clocks"]:
        clocks.add_row(both(clock["words"]), named("clock", clock["state"]), local_time(clock["due_at"]))
    OUT.print(clocks)
    OUT.print(
        say("层级  ", "Tier   "),
        both(tier["label"], tier["id"]),
        "→",
        both(tier["next_label"], tier["next"]),
        local_time(tier["next_at"]),
    )
    people = table(
        say("时间", "Time"), say("目的", "Purpose"), say("角色", "Role"), say("人员", "Person"), say("渠道", "Channel"),
        say("结果", "Result"), say("说明", "Detail"),
    )  # fmt: skip
    for one in chain["told"]:
        people.add_row(
            local_time(one["at"]),
            named("purpose", one["purpose"]),
            both(one["role_words"], one["role"]),
            one["person_label"] or one["person"] or "—",
            named("channel", one["channel"]),
            named("settlement", one["settlement"]),
            Text(both(one["reason_words"], one["reason"])),
        )
    OUT.print(people)
    done = chain["acknowledgement"]
    if done:
        by = (done["by"] or {}).get("label", "—")
        OUT.print(say(f"确认  {by} 于 {local_time(done['at'])}", f"Acknowledged by {by} at {local_time(done['at'])}"))
    else:
        OUT.print(say("尚未确认", "Not acknowledged yet"), style="yellow")
