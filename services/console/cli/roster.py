"""`fenghuo roster who`."""

from typing import Annotated

import typer

from services.console.cli.connection import Connection
from services.console.cli.output import OUT, both, local_time, print_json, table
from services.console.cli.wording import say

app = typer.Typer(help="值班表 / the roster", no_args_is_help=True)


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
