"""`fenghuo up` and `fenghuo demo`: the whole line on this machine."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from services.console.cli.connection import Connection
from services.console.cli.output import OUT
from services.console.cli.watch import follow_board
from services.console.cli.wording import say
from services.line.children import Overrides
from services.line.layout import Layout
from services.line.outage import OUTAGE_OVERRIDES, outage_environment, play_outage
from services.line.scenario import DEMO_OVERRIDES, play
from services.line.secret_values import USER
from services.line.whole_line import RunningLine, whole_line
from shared.embedded.errors import EmbeddedError
from shared.embedded.supervisor import ChildState, ChildStatus

app = typer.Typer(add_completion=False)
_ExitWhenDone = Annotated[
    bool, typer.Option(envvar="DEMO_EXIT", help="演示完自动结束 / end by itself after the scenario, with a summary")
]
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@app.command()
def up() -> None:
    """整条链路在本机启动 / start PostgreSQL, a broker, message sinks and the five services, until Ctrl-C."""

    async def work(line: RunningLine) -> int:
        _addresses(line)
        _out.print(say("按 Ctrl-C 结束。", "Ctrl-C ends everything."))
        await line.supervisor.run()
        return 0

    _run(work, {})


@app.command()
def demo(
    scenario: Annotated[
        Literal["stories", "outage"],
        typer.Argument(help="stories: 四个故事 / four stories; outage: 中断演练 / an outage"),
    ] = "stories",
    exit_when_done: _ExitWhenDone = False,  # noqa: FBT002  # a command-line flag
) -> None:
    """启动并演示一个场景 / start everything, play a scenario, then show the live board until Ctrl-C.

    Without a terminal it ends by itself, with exit code 0 only if every expected message arrived.
    """
    is_outage = scenario == "outage"
    unattended = exit_when_done or not sys.stdout.isatty()

    async def work(line: RunningLine) -> int:
        _addresses(line)
        code = await (play_outage if is_outage else play)(line, _out)
        if not unattended:
            await _show_board(line)
        return code

    if is_outage:
        _run(work, OUTAGE_OVERRIDES, outage_environment)
    else:
        _run(work, DEMO_OVERRIDES)


async def _show_board(line: RunningLine) -> None:
    """The live board, until Ctrl-C or until a process of the line has died too often."""
    over = asyncio.Event()
    board = asyncio.create_task(follow_board(_connection(line), OUT, stop=over))
    try:
        await line.supervisor.run()
    finally:
        over.set()
        await board


def _connection(line: RunningLine) -> Connection:
    layout = line.layout
    return Connection(
        layout.url_of("console"), layout.url_of("intake"), layout.url_of("notifier"), line.values.operator_key
    )


def _run(
    work: Callable[[RunningLine], Awaitable[int]],
    overrides: Overrides,
    environment: Callable[[Layout], dict[str, dict[str, str]]] | None = None,
) -> NoReturn:
    os.environ.pop("RUST_BACKTRACE", None)
    try:
        layout = Layout()
    except ValidationError as error:
        for problem in error.errors():
            named = f"FENGHUO_{str(problem['loc'][0]).upper()}: " if problem["loc"] else ""
            _err.print(f"{named}{problem['msg']}", style="red", markup=False)
        raise SystemExit(2) from error

    async def all_of_it() -> int:
        async with whole_line(
            layout,
            overrides=overrides,
            environment=environment(layout) if environment is not None else None,
            tell=_tell,
            on_state=_note,
        ) as line:
            return await work(line)

    try:
        code = asyncio.run(all_of_it())
    except EmbeddedError as error:
        _err.print(str(error), style="red", markup=False, soft_wrap=True)
        raise SystemExit(1) from error
    except OSError as error:
        if error.filename is None:
            raise
        _err.print(f"{error.filename}: {error.strerror}", style="red", markup=False, soft_wrap=True)
        raise SystemExit(1) from error
    except KeyboardInterrupt as error:
        raise SystemExit(130) from error
    raise SystemExit(code)


def _tell(what: str) -> None:
    OUT.print(Text("· ", style="dim").append(what, style="not dim"))


def _note(status: ChildStatus) -> None:
    if status.state in {ChildState.RESTARTING, ChildState.FAILED}:
        _err.print(f"{status.name}: {status.state}", style="yellow")


def _addresses(line: RunningLine) -> None:
    layout, values = line.layout, line.values
    console, intake = layout.url_of("console"), layout.url_of("intake")
    user = say("用户", "user")
    password = say("密码", "password")
    _out.print()
    _out.print(
        f"  {say('控制台', 'Console ')}  [bold]{console}[/bold]  {user} [bold]{USER}[/bold]  "
        f"{password} [bold]{values.user_password}[/bold]",
        soft_wrap=True,
    )
    _out.print(f"  {say('消息  ', 'Messages')}  {console}/messages", soft_wrap=True)
    _out.print(
        f"  {say('登记  ', 'Intake  ')}  {intake}  {say('API 密钥见', 'API key in')} {layout.credentials_file}",
        soft_wrap=True,
    )
    _out.print(f"  {say('留存  ', 'Kept    ')}  {_kept(layout)}", soft_wrap=True)
    _out.print()


def _kept(layout: Layout) -> str:
    words, case = layout.keep_personal_data_days, layout.keep_cases_days
    if words is None and case is None:
        return say("未设期限，全部保留，见 docs/retention.md", "no limit is set, everything is kept: docs/retention.md")
    return say(
        f"结案后个人信息 {words or case} 天，案件 {f'{case} 天' if case else '不限'}",
        f"after a case is over, personal data {words or case} days, the case {f'{case} days' if case else 'for ever'}",
    )
