"""`fenghuo up` and `fenghuo demo`: the whole line on this machine."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from services.line.children import Overrides
from services.line.layout import Layout
from services.line.provisioning import USER
from services.line.scenario import DEMO_OVERRIDES, play
from services.line.whole_line import RunningLine, whole_line
from shared.embedded.errors import EmbeddedError
from shared.embedded.supervisor import ChildState, ChildStatus

app = typer.Typer(add_completion=False)
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@app.command()
def up() -> None:
    """Start PostgreSQL, a broker, message sinks and the five services; keep them running until Ctrl-C."""

    async def work(line: RunningLine) -> int:
        _addresses(line)
        _out.print("Ctrl-C ends everything.")
        await line.supervisor.run()
        return 0

    _run(work, {})


@app.command()
def demo(
    exit_when_done: bool = typer.Option(  # noqa: FBT001  # a command-line flag
        default=False, envvar="DEMO_EXIT", help="End by itself after the scenario, with a summary."
    ),
) -> None:
    """Start everything and play a scenario; then show the live board until Ctrl-C.

    Without a terminal it ends by itself, with exit code 0 only if every expected message arrived.
    """
    unattended = exit_when_done or not sys.stdout.isatty()

    async def work(line: RunningLine) -> int:
        _addresses(line)
        code = await play(line, _out)
        if unattended:
            return code
        await line.supervisor.run()
        return code

    _run(work, DEMO_OVERRIDES)


def _run(work: Callable[[RunningLine], Awaitable[int]], overrides: Overrides) -> NoReturn:
    os.environ.pop("RUST_BACKTRACE", None)
    try:
        layout = Layout()
    except ValidationError as error:
        for problem in error.errors():
            _err.print(f"FENGHUO_{str(problem['loc'][0]).upper()}: {problem['msg']}", style="red")
        raise SystemExit(2) from error

    async def all_of_it() -> int:
        async with whole_line(layout, overrides=overrides, say=_say, on_state=_note) as line:
            return await work(line)

    try:
        code = asyncio.run(all_of_it())
    except EmbeddedError as error:
        _err.print(str(error), style="red", markup=False)
        raise SystemExit(1) from error
    except KeyboardInterrupt as error:
        raise SystemExit(130) from error
    raise SystemExit(code)


def _say(what: str) -> None:
    _out.print(f"[dim]·[/dim] {what}")


def _note(status: ChildStatus) -> None:
    if status.state in {ChildState.RESTARTING, ChildState.FAILED}:
        _err.print(f"{status.name}: {status.state}", style="yellow")


def _addresses(line: RunningLine) -> None:
    layout, values = line.layout, line.values
    _out.print()
    _out.print(
        f"  Console   [bold]{layout.url_of('console')}[/bold]   user [bold]{USER}[/bold]   "
        f"password [bold]{values.user_password}[/bold]"
    )
    _out.print(f"  Messages  {layout.url_of('console')}/messages   (what the mail and SMS sinks received)")
    _out.print(f"  Intake    {layout.url_of('intake')}   API key in {layout.credentials_file}")
    _out.print()
