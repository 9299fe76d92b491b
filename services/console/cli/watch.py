"""`fenghuo watch`: the live board in the terminal."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from services.console.cli.connection import Connection, problem_sentence
from services.console.cli.output import OUT, case_table, print_json, why
from services.console.cli.wording import CommandError, say
from shared.runtime.clock import SystemClock

_REFRESHED_PER_S: Final = 2
_RECONNECT_S: Final = 1.0
_SILENT_S: Final = 45.0  # the stream says something every 15 s


def watch(
    once: Annotated[bool, typer.Option("--once", help="打印一次后退出 / print the board once and end")] = False,  # noqa: FBT002  # a flag
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line, for every change")] = False,  # noqa: FBT002  # a flag
) -> None:
    """终端实时态势 / the live board in the terminal, until Ctrl-C."""
    connection = Connection.find()
    if once:
        board = connection.get(connection.console_url, "/v1/board")
        if as_json:
            print_json(board)
        else:
            OUT.print(_screen(board["cases"]))
        return
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow_board(connection, OUT, as_json=as_json))


async def follow_board(
    connection: Connection, out: Console, *, stop: asyncio.Event | None = None, as_json: bool = False
) -> None:
    """Show the board and keep it up to date until `stop` is set (or for ever). Reconnects and misses nothing.

    On a terminal the board is drawn anew as clocks run; elsewhere every change is one line. Raises CommandError when
    the console refuses the key.
    """
    async with httpx.AsyncClient(
        base_url=connection.console_url, headers=connection.headers, timeout=httpx.Timeout(15.0, read=_SILENT_S)
    ) as http:
        board = _Board(http)
        await board.load()
        follower = asyncio.create_task(board.follow())
        ended = asyncio.create_task((stop or asyncio.Event()).wait())
        try:
            if out.is_terminal and not as_json:
                await _draw(board, out, {follower, ended})
            else:
                await _print_changes(board, out, {follower, ended}, as_json=as_json)
        finally:
            for task in (follower, ended):
                task.cancel()
            await asyncio.gather(follower, ended, return_exceptions=True)


class _Board:
    """The open cases, by case and plan, kept up to date."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._seq = 0
        self._cases: dict[tuple[str, str], dict[str, Any]] = {}
        self.changed: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.connected = True

    @property
    def cases(self) -> list[dict[str, Any]]:
        """Most urgent first, as on the web."""
        return sorted(
            (case for case in self._cases.values() if case["open"] and case["level"] is not None),
            key=lambda case: (
                -case["level_rank"] / case["highest_rank"],
                case["acknowledged_at"] is not None,
                case["due_at"] or "9999",
                case["opened_at"],
            ),
        )

    async def load(self) -> None:
        try:
            response = await self._http.get("/v1/board")
        except httpx.HTTPError as error:
            raise CommandError(
                f"控制台没有回应（{type(error).__name__}）。", f"The console does not answer ({type(error).__name__})."
            ) from error
        if not response.is_success:
            raise CommandError(*(_refusal(response.status_code, response.json()),) * 2)
        content = response.json()
        self._seq = content["seq"]
        for case in content["cases"]:
            self._cases[case["case_id"], case["plan"]] = case

    async def follow(self) -> None:
        while True:
            try:
                async for seq, case in self._events():
                    self._seq = max(self._seq, seq)
                    self._cases[case["case_id"], case["plan"]] = case
                    self.changed.put_nowait(case)
            except httpx.HTTPError:
                self.connected = False
            await asyncio.sleep(_RECONNECT_S)

    async def _events(self) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        async with self._http.stream("GET", "/v1/board/stream", params={"after": self._seq}) as response:
            response.raise_for_status()
            self.connected = True
            number = 0
            async for line in response.aiter_lines():
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("data: ") and number:
                    yield number, json.loads(line[6:])


async def _draw(board: _Board, out: Console, ends: set[asyncio.Task[Any]]) -> None:
    with Live(_screen(board.cases), console=out, auto_refresh=False, screen=False) as live:
        while not any(task.done() for task in ends):
            live.update(_screen(board.cases, connected=board.connected), refresh=True)
            await asyncio.wait(ends, timeout=1 / _REFRESHED_PER_S, return_when=asyncio.FIRST_COMPLETED)


async def _print_changes(board: _Board, out: Console, ends: set[asyncio.Task[Any]], *, as_json: bool) -> None:
    for case in board.cases:
        _print_change(case, out, as_json=as_json)
    while not any(task.done() for task in ends):
        waiting = asyncio.create_task(board.changed.get())
        await asyncio.wait({waiting, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            _print_change(waiting.result(), out, as_json=as_json)
        else:
            waiting.cancel()


def _print_change(case: dict[str, Any], out: Console, *, as_json: bool) -> None:
    if as_json:
        out.file.write(json.dumps(case, ensure_ascii=False) + "\n")
        out.file.flush()
    else:
        level = case["level_label"] or case["level"] or "—"
        out.print(Text(f"{case['number']} {level} {case['state']} {case['tier'] or '—'} {why(case)}"), soft_wrap=True)


def _screen(cases: list[dict[str, Any]], *, connected: bool = True) -> Group:
    now = SystemClock().now()
    waiting = sum(1 for case in cases if not case["acknowledged_at"])
    head = Text(say("烽火  ", "Fenghuo  "), style="bold")
    head.append(say(f"{len(cases)} 件未结，{waiting} 件待确认", f"{len(cases)} open, {waiting} not acknowledged"))
    head.append(f"   {now.astimezone():%H:%M:%S}", style="dim")
    if not connected:
        head.append(say("   重连中…", "   reconnecting…"), style="yellow")
    body = case_table(cases, now) if cases else Text(say("没有未结案件。", "No open cases."), style="dim")
    return Group(head, Text(""), body)


def _refusal(status: int, body: Any) -> str:
    return say(f"被拒绝（{status}）：", f"Refused ({status}): ") + problem_sentence(body)
