"""`fenghuo dlq list | replay`."""

from typing import Annotated
from uuid import UUID

import typer
from rich.text import Text

from services.console.cli.connection import Connection
from services.console.cli.output import OUT, local_time, print_json, table
from services.console.cli.wording import CommandError, say

app = typer.Typer(help="死信 / dead letters", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("list")
def list_letters(
    everything: Annotated[bool, typer.Option("--all", help="replayed ones too")] = False,  # noqa: FBT002  # a flag
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """无法处理的记录及原因 / records that could not be applied, and why."""
    connection = Connection.find()
    found = connection.get(
        connection.console_url, "/v1/dead-letters", limit=limit, waiting=None if everything else True
    )
    if as_json:
        print_json(found)
        return
    if not found["dead_letters"]:
        OUT.print(say("没有死信。", "No dead letters."))
        return
    rows = table(
        say("编号", "Id"), say("时间", "Time"), say("主题", "Topic"), say("消费者", "Consumer"), say("原因", "Reason")
    )
    for letter in found["dead_letters"]:
        rows.add_row(
            letter["id"],
            local_time(letter["first_failed_at"] or letter["buried_at"]),
            letter["topic"],
            letter["consumer"],
            Text(letter["reason"]),
        )
    OUT.print(rows)


@app.command()
def replay(
    letters: Annotated[list[UUID] | None, typer.Argument(help="死信编号 / ids")] = None,
    everything: Annotated[bool, typer.Option("--all", help="all that wait, up to --limit")] = False,  # noqa: FBT002  # a flag
    limit: Annotated[int, typer.Option(min=1, max=200, help="at most this many with --all")] = 50,
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """重放死信；失败即停 / send dead letters again; ends at the first that is refused."""
    connection = Connection.find()
    wanted = [str(letter) for letter in letters or []]
    if everything:
        found = connection.get(connection.console_url, "/v1/dead-letters", limit=limit, waiting=True)
        wanted = [letter["id"] for letter in found["dead_letters"]]
    elif not wanted:
        raise CommandError("请给出死信编号，或用 --all。", "Give ids of dead letters, or --all.", 2)
    for letter in wanted:
        connection.post(connection.console_url, f"/v1/dead-letters/{letter}/replay", {})
    if as_json:
        print_json({"replayed": wanted})
    else:
        OUT.print(say(f"已重放 {len(wanted)} 封。", f"{len(wanted)} sent again."))
