"""`fenghuo roster verify`, `confirm` and `contacts`: whether addresses reach the people they are said to reach."""

from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Annotated, Any, Final

import typer

from services.console.cli.connection import Connection
from services.console.cli.output import OUT, local_time, named, print_json, table
from services.console.cli.wording import CommandError, say
from shared.contracts.commands import CommandKind
from shared.contracts.notifications import CONTACT_CHECK_PLAN

_WAIT_S: Final = 15.0
_PAUSE_S: Final = 0.3
Person = Annotated[str | None, typer.Argument(help="人员 / person id")]


def verify(
    person: Person = None,
    contact: Annotated[
        str | None, typer.Argument(help="联系方式编号，缺省为其全部未验证者 / contact id; absent: all not verified")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="所有人的未验证联系方式 / everybody's")] = False,  # noqa: FBT002  # a flag
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  # a flag
) -> None:
    """向联系方式发送验证码 / send a code to contact points."""
    if (person is None) != everybody:
        raise CommandError("须且只须给出人员或 --all", "give either a person or --all", 2)
    connection = Connection.find()
    wanted = {"person": person, "contact": contact, "all": everybody}
    found = connection.post(connection.notifier_url, "/v1/roster/verifications", wanted)
    if as_json:
        print_json(found)
        return
    for one in found["verifications"]:
        OUT.print(f"{one['number']}  {one['person']} {one['contact']} → {one['address']}", markup=False)
    OUT.print(
        say(
            "已发送。本人点开链接或回复短信即可；或运行 fenghuo roster confirm 人员 验证码。",
            "Sent. The link or a reply confirms it, or: fenghuo roster confirm PERSON CODE.",
        )
    )


def confirm(
    person: Annotated[str, typer.Argument(help="人员 / person id")],
    code: Annotated[str, typer.Argument(help="验证码 / the code")],
) -> None:
    """交回本人收到的验证码；不符时退出码为 1 / hand in the code that the person got; exit 1 when it does not fit."""
    connection = Connection.find()
    waiting = [one for one in _checks(connection, person) if one["state"] == "open"]
    if not waiting:
        raise CommandError(f"{person} 没有待确认的验证码", f"no code waits for {person}", 1)
    body = {
        "command": CommandKind.ACKNOWLEDGE.value,
        "plan": CONTACT_CHECK_PLAN,
        "arguments": {"code": code},
        "actor": {"ref": person},
    }
    connection.post(connection.intake_url, f"/v1/cases/{waiting[0]['verification_id']}/commands", body)
    for one in _changed(connection, person, waiting):
        style = "green" if one["state"] == "verified" else "red"
        if one["state"] == "open":
            left = one["tries_left"]
            told = say(f"验证码不符，还可试 {left} 次", f"the code does not fit; {left} tries are left")
        else:
            told = named("verification", one["state"])
        OUT.print(f"{one['person']} {one['contact']} {one['address']}: {told}", style=style, markup=False)
        if one["state"] == "verified":
            return
    raise typer.Exit(1)


def contacts(
    person: Person = None,
    unverified: Annotated[bool, typer.Option("--unverified", help="只列未验证的 / only those that are not")] = False,  # noqa: FBT002  # a flag
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  # a flag
) -> None:
    """联系方式是否已验证；给出人员时附历史 / whether contact points are verified; for one person with the history."""
    connection = Connection.find()
    found = connection.get(connection.notifier_url, "/v1/roster/contacts", unverified="true" if unverified else None)
    points = [one for one in found["contacts"] if person in {None, one["person"]}]
    history = _checks(connection, person) if person is not None else []
    if as_json:
        print_json({"contacts": points, "verifications": history})
        return
    rows = table(say("人员", "Person"), say("联系方式", "Contact"), say("地址", "Address"), say("验证", "Verified"))
    for one in points:
        rows.add_row(
            one["person"], one["contact"], one["address"], _told(one), style="" if one["verified"] else "yellow"
        )
    OUT.print(rows)
    for one in history:
        told = named("verification", one["state"])
        ended = f" {local_time(one['ended_at'])}" if one["ended_at"] else ""
        OUT.print(
            f"{local_time(one['asked_at'])}  {one['contact']} {one['address']}  {told}{ended}",
            markup=False,
            style="dim",
        )


def _told(one: Mapping[str, Any]) -> str:
    if one["how"] == "roster":
        return say("值班表担保", "vouched for by the roster")
    if one["verified"]:
        return f"{named('verification', 'verified')} {one['how']} {local_time(one['since'])}"
    last = one["last"]
    return named("verification", last["state"]) if last else say("未验证", "not verified")


def _checks(connection: Connection, person: str) -> list[dict[str, Any]]:
    found = connection.get(connection.notifier_url, "/v1/roster/verifications", person=person)
    checks: list[dict[str, Any]] = found["verifications"]
    return checks


def _changed(connection: Connection, person: str, before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those that the code changed, the verified one first. Raises CommandError when nothing happens in time."""
    marks = {one["verification_id"]: (one["state"], one["tries_left"]) for one in before}
    until = monotonic() + _WAIT_S
    while monotonic() < until:
        found = [
            one
            for one in _checks(connection, person)
            if marks.get(one["verification_id"], (one["state"], one["tries_left"])) != (one["state"], one["tries_left"])
        ]
        if found:
            return sorted(found, key=lambda one: bool(one["state"] != "verified"))
        sleep(_PAUSE_S)
    raise CommandError("已提交，但尚无结果，请稍后查看", "handed in, but nothing came of it yet; look again later", 1)
