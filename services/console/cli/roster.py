"""`fenghuo roster`: what a running line is asked about rosters, and how they are changed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.console.cli.connection import Connection
from services.console.cli.live_tests import live_test, live_tests
from services.console.cli.output import OUT, both, local_time, print_json, table
from services.console.cli.verifications import confirm, contacts, verify
from services.console.cli.wording import CommandError, say

_STYLES: Final = {"added": "green", "removed": "red", "changed": "yellow"}
Yaml = Annotated[Path, typer.Argument(help="值班表文件 / a roster file")]
From = Annotated[str, typer.Option("--from", help="起：日期或时刻 / a day or a time")]
To = Annotated[str, typer.Option("--to", help="止：日期含当天 / a day means all of it")]
Reason = Annotated[str, typer.Option(help="理由 / reason")]

app = typer.Typer(help="值班表 / the roster", no_args_is_help=True)
app.command(name="live-test")(live_test)
app.command(name="live-tests")(live_tests)
app.command()(verify)
app.command()(confirm)
app.command()(contacts)


@app.callback()
def roster() -> None:
    """值班表 / the roster."""


@app.command()
def who(
    role: Annotated[str, typer.Argument(help="角色 / role id")],
    at: Annotated[str | None, typer.Option(help="RFC 3339 时刻，缺省为现在 / instant; now when absent")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  # a flag
) -> None:
    """谁在值班，为什么 / who is on duty for a role, and why."""
    connection = Connection.find()
    found = connection.get(connection.notifier_url, "/v1/roster/on-duty", role=role, at=at)
    if as_json:
        print_json(found)
        return
    OUT.print(f"{found['role']}  {local_time(found['at'])}", style="bold")
    people = found["on_duty"]
    if not people:
        OUT.print(say("无人值班。", "Nobody is on duty."), style="red")
        return
    rows = table(say("人员", "Person"), say("姓名", "Name"), say("联系方式", "Contacts"), say("依据", "Why"))
    for person in people:
        rows.add_row(
            person["person"],
            both(person["label"]),
            ", ".join(person["contacts"].values()),
            both(person["because"]),
        )
    OUT.print(rows)


@app.command()
def diff(file: Yaml) -> None:
    """与生效的值班表比较，不作改动；有差异时退出码为 1 / compare with the one in force; exit 1 on differences."""
    found = _put(file, dry_run=True)
    _print_differences(found)
    if found["differences"]:
        raise typer.Exit(1)


@app.command(name="import")
def import_(
    file: Yaml,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只比较 / only compare")] = False,  # noqa: FBT002  # a flag
) -> None:
    """接管整份值班表，先列出差异 / take a whole roster over, and say what differs."""
    found = _put(file, dry_run=dry_run)
    _print_differences(found)
    for one in found["findings"]:
        OUT.print(f"  {both(one['what'])}", style="red" if one["is_gap"] else "yellow")
    if found["applied"]:
        OUT.print(say("已生效。", "In force."), style="green")


@app.command()
def export(
    changes: Annotated[bool, typer.Option("--changes", help="含临时改动 / with what was changed beside it")] = False,  # noqa: FBT002  # a flag
    out: Annotated[Path | None, typer.Option("--out", help="写到此文件 / file to write")] = None,
) -> None:
    """生效的值班表，YAML / the roster in force as YAML."""
    connection = Connection.find()
    text = connection.text(connection.notifier_url, "/v1/roster", changes=changes)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


@app.command()
def override(  # noqa: PLR0917  # options of a command
    role: Annotated[str, typer.Argument(help="角色 / role id")],
    people: Annotated[list[str], typer.Argument(help="人员 / people")],
    begins: From,
    ends: To,
    reason: Reason,
    adds: Annotated[bool, typer.Option("--add", help="加派而非替换 / beside, not instead")] = False,  # noqa: FBT002  # a flag
) -> None:
    """临时替班或加派 / these people instead, or beside, for a while."""
    _change({"kind": "override", "role": role, "people": people, "adds": adds}, begins, ends, reason)


@app.command()
def swap(  # noqa: PLR0917  # options of a command
    one: Annotated[str, typer.Argument(help="换出者 / whose turns")],
    other: Annotated[str, typer.Argument(help="接替者 / who takes them")],
    begins: From,
    ends: To,
    reason: Reason,
    rotation: Annotated[str | None, typer.Option(help="只在此轮值 / only in this rotation")] = None,
) -> None:
    """两人换班 / two people swap turns."""
    _change({"kind": "swap", "between": [one, other], "rotation": rotation}, begins, ends, reason)


@app.command()
def leave(
    person: Annotated[str, typer.Argument(help="人员 / person")],
    begins: From,
    ends: To,
    reason: Reason = "leave",
    deputy: Annotated[str | None, typer.Option(help="代理人 / who stands in")] = None,
) -> None:
    """登记休假 / enter leave."""
    _change({"kind": "leave", "person": person, "deputy": deputy}, begins, ends, reason)


@app.command()
def withdraw(change_id: Annotated[str, typer.Argument(help="改动编号 / change id")]) -> None:
    """撤回一项改动 / take a change back."""
    connection = Connection.find()
    connection.send("DELETE", connection.notifier_url, f"/v1/roster/changes/{change_id}")
    OUT.print(say("已撤回。", "Taken back."), style="green")


@app.command()
def history() -> None:
    """谁在何时改了什么 / who changed the roster, when and how."""
    connection = Connection.find()
    found = connection.get(connection.notifier_url, "/v1/roster/history")
    rows = table(say("时间", "When"), say("经办", "By"), say("内容", "What"), say("编号", "Id"))
    for one in found["changes"]:
        taken_back = say("（已撤回）", " (taken back)") if one["withdrawn_at"] else ""
        rows.add_row(local_time(one["made_at"]), one["made_by"], _told(one) + taken_back, one["change_id"])
    for one in found["versions"]:
        what = f"{say('第', 'version ')}{one['number']}{say('版', '')} {one['origin']} {one['sha256'][:12]}"
        rows.add_row(local_time(one["made_at"]), one["made_by"], what, "")
    OUT.print(rows)


@app.command()
def feed(
    role: Annotated[str | None, typer.Option(help="角色 / role id")] = None,
    person: Annotated[str | None, typer.Option(help="人员 / person id")] = None,
) -> None:
    """日历订阅地址 / the address of an iCalendar feed."""
    connection = Connection.find()
    found = connection.get(connection.notifier_url, "/v1/roster/feed-address", role=role, person=person)
    typer.echo(f"{connection.notifier_url}{found['path']}")


@app.command(name="import-calendar")
def import_calendar(
    file: Annotated[Path, typer.Argument(help=".ics")],
    person: Annotated[str, typer.Option(help="谁的休假，或由谁替班 / whose leave, or who stands in")],
    role: Annotated[str | None, typer.Option(help="替此角色值班；缺省为休假 / takes this role; absent: leave")] = None,
) -> None:
    """从 .ics 登记休假或替班 / leave or overrides from a calendar."""
    connection = Connection.find()
    query = {"person": person, "role": role}
    found = connection.send("POST", connection.notifier_url, "/v1/roster/calendar", _content(file), **query)
    for one in found["changes"]:
        OUT.print(f"{one['change_id']}  {_told(one)}", markup=False, soft_wrap=True)


def _put(file: Path, *, dry_run: bool) -> dict[str, Any]:
    connection = Connection.find()
    return connection.send("PUT", connection.notifier_url, "/v1/roster", _content(file), dry_run=dry_run)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"无法读取 {file}：{error}", f"{file} cannot be read: {error}", 2) from error


def _change(fields: Mapping[str, Any], begins: str, ends: str, reason: str) -> None:
    connection = Connection.find()
    given = {name: value for name, value in fields.items() if value is not None}
    body = {**given, "from": begins, "to": ends, "reason": reason}
    for one in connection.post(connection.notifier_url, "/v1/roster/changes", body)["changes"]:
        OUT.print(f"{one['change_id']}  {_told(one)}", markup=False, soft_wrap=True)


def _told(one: Mapping[str, Any]) -> str:
    who = one.get("role") or one.get("person") or " ⇄ ".join(one.get("between", ()))
    people = f" → {', '.join(one['people'])}" if one.get("people") else ""
    return f"{one['kind']} {who}{people} {one['from']} – {one['to']} ({one['reason']})"


def _print_differences(found: Mapping[str, Any]) -> None:
    differences: Sequence[Mapping[str, Any]] = found["differences"]
    if not differences:
        OUT.print(say("没有差异。", "No differences."))
    for one in differences:
        OUT.print(f"{one['how']} {one['section']} {one['id']}", style=_STYLES[one["how"]])
        if one["how"] == "changed":
            for field in {**one["before"], **one["after"]}:
                OUT.print(f"    {field}: {one['before'].get(field)} → {one['after'].get(field)}", markup=False)
    for one in found["unfit"]:
        OUT.print(say("不再适用的改动：", "A change that no longer fits: ") + _told(one), style="yellow")
