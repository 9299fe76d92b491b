"""The console as a process: what it reads from Kafka, its live streams, and the command line against it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from shared.contracts.topics import COMPLAINTS_RECEIVED
from shared.db.engine import Database
from shared.kafka.settings import KafkaSettings
from tests.integration.console.test_pages import sign_in
from tests.support.broker import Broker
from tests.support.console import (
    IDS,
    ROOT,
    RunningConsole,
    create_escalated,
    create_event,
    create_key,
    create_report,
    create_story,
    create_user,
    project,
    running_console,
)
from tests.support.messaging import eventually, produce, produce_events

# The HTTP server finishes its work and then ends by the signal it was asked with.
ENDED = {0, -signal.SIGTERM}
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


class Intake:
    """An HTTP server in intake's place: keeps what it got, answers 202."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.more: dict[str, str] = {}
        outer = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the base class's name
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.posted.append((self.path, body))
                said = {"number": "2026-11-000042", "case_id": str(IDS.new())} | outer.more
                answer = json.dumps(said).encode()
                self.send_response(202)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def intake() -> Iterator[Intake]:
    with Intake() as server:
        yield server


@pytest.fixture
async def console(
    console_url: str, broker: Broker, topic_prefix: str, intake: Intake, tmp_path: Path
) -> AsyncIterator[RunningConsole]:
    log = tmp_path / "console.log"
    with running_console(console_url, broker, topic_prefix, log, {"FENGHUO_INTAKE_URL": intake.url}) as running:
        yield running
    said = log.read_text(errors="replace")
    assert running.process.returncode in ENDED, said[-3000:]
    assert '"level": "error"' not in said or "dead_letter" in said, said[-3000:]


@pytest.fixture
async def key(console_database: Database) -> str:
    return await create_key(console_database)


async def test_events_and_dead_letters_arrive_from_kafka(
    console: RunningConsole, broker: Broker, kafka: KafkaSettings, key: str
) -> None:
    await produce_events(kafka, create_story("2026-11-000001", at=NOON))
    topic = COMPLAINTS_RECEIVED.name
    await produce(kafka, [(topic, b"k", [("ce_specversion", b"1.0")], b"\xffnot ours")])
    async with httpx.AsyncClient(base_url=console.url, headers={"Authorization": f"Bearer {key}"}) as client:

        async def told() -> bool:
            cases = (await client.get("/v1/cases")).json()["cases"]
            return bool(cases) and [one["settlement"] for one in cases[0]["told"]] == ["delivered"]

        await eventually(told, what="the record applied")

        async def buried() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await client.get("/v1/dead-letters")).json()["dead_letters"]
            return found

        async def listed() -> bool:
            return bool(await buried())

        await eventually(listed, what="the record buried")
        letter = (await buried())[0]
        assert (letter["topic"], letter["consumer"]) == (topic, "console")
        assert "attribute 'type' is missing" in letter["reason"]


async def events_of(client: httpx.AsyncClient, path: str, count: int, **given: Any) -> list[tuple[int, dict[str, Any]]]:
    """The first events of a stream, with their ids."""
    found: list[tuple[int, dict[str, Any]]] = []
    async with client.stream("GET", path, timeout=15.0, **given) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        number = -1
        async for line in stream.aiter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: ") and line != "data: ":
                found.append((number, json.loads(line[6:])))
                if len(found) == count:
                    break
    return found


async def test_a_stream_that_was_cut_goes_on_where_it_ended(
    console: RunningConsole, console_database: Database, key: str
) -> None:
    await project(console_database, create_story("2026-11-000001", at=NOON))
    async with httpx.AsyncClient(base_url=console.url, headers={"Authorization": f"Bearer {key}"}) as client:
        first = await events_of(client, "/v1/events/stream", 6, params={"after": 0})
        await project(console_database, create_story("2026-11-000002", at=NOON + timedelta(minutes=1)))
        last = first[-1][0]
        # The console knows the second story before the stream is opened again: what it sends then is what was missed.
        await events_of(client, "/v1/events/stream", 12, params={"after": 0})
        second = await events_of(client, "/v1/events/stream", 6, headers={"Last-Event-ID": str(last)})
        numbers = [number for number, _ in (*first, *second)]
        assert numbers == sorted(set(numbers))
        assert {line["number"] for _, line in second} <= {"2026-11-000002", None}
        board = await events_of(client, "/v1/board/stream", 2, params={"after": 0})
        assert [case["number"] for _, case in board] == ["2026-11-000001", "2026-11-000002"]
        again = await events_of(client, "/v1/board/stream", 1, headers={"Last-Event-ID": str(board[0][0])})
        assert [case["number"] for _, case in again] == ["2026-11-000002"]


async def test_streams_end_with_the_session_and_with_the_key(
    console: RunningConsole, console_url: str, console_database: Database, key: str
) -> None:
    await create_user(console_database)
    revoked = await create_key(console_database)
    async with httpx.AsyncClient(base_url=console.url, timeout=40) as browser:
        assert (await sign_in(browser)).status_code == 303

        async def page() -> list[str]:
            async with browser.stream("GET", "/live/board") as stream:
                opened.append("page")
                return [line async for line in stream.aiter_lines() if line.startswith("event: ")]

        async def system(given: str) -> None:
            async with browser.stream(
                "GET", "/v1/board/stream", headers={"Authorization": f"Bearer {given}"}
            ) as stream:
                opened.append(given)
                async for _ in stream.aiter_lines():
                    pass

        async def all_open() -> bool:
            return len(opened) == 3

        opened: list[str] = []
        watching = asyncio.create_task(page())
        ends, goes_on = asyncio.create_task(system(revoked)), asyncio.create_task(system(key))
        await eventually(all_open, what="three streams open")
        databases = {"FENGHUO_CONSOLE_DATABASE_URL": console_url}
        done = await asyncio.to_thread(fenghuo, console, key, "users", "sign-out", "admin", env=databases)
        assert "1" in done.stdout
        assert await asyncio.wait_for(watching, 20) == ["event: board"], "the page is told to look, and has to sign in"
        assert (await browser.get("/board", headers={"HX-Request": "true"})).headers["hx-redirect"].startswith("/login")
        await asyncio.to_thread(
            fenghuo, console, key, "keys", "revoke", revoked[3:11], "--service", "console", env=databases
        )
        await asyncio.wait_for(ends, 30)
        assert not goes_on.done(), "another key's stream goes on"
        goes_on.cancel()


async def test_a_stream_shows_only_its_own_organisation(
    console: RunningConsole, console_database: Database, key: str
) -> None:
    for number, org in (("theirs", "other"), ("ours", "demo")):
        data = create_escalated(number, "red", NOON)
        await project(console_database, [create_event(data, IDS.new(), org=org)])
    async with httpx.AsyncClient(base_url=console.url, headers={"Authorization": f"Bearer {key}"}) as client:
        board = await events_of(client, "/v1/board/stream", 1, params={"after": 0})
    assert [case["number"] for _, case in board] == ["ours"]


def fenghuo(
    console: RunningConsole,
    key: str,
    *arguments: str,
    stdin: str = "",
    code: int = 0,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FENGHUO_", "LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-m", "services.command_line", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=kept | {"FENGHUO_URL": console.url, "FENGHUO_API_KEY": key, "COLUMNS": "200", **(env or {})},
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


async def test_the_command_line_reads_explains_and_acknowledges(
    console: RunningConsole, console_database: Database, intake: Intake, key: str
) -> None:
    events = create_story("2026-11-000001", "red", at=NOON)
    await project(console_database, events)
    listed = fenghuo(console, key, "case", "list").stdout
    assert "2026-11-000001" in listed
    assert "红色预警" in listed
    assert "受影响客户" in listed or "customers_affected" in listed
    assert json.loads(fenghuo(console, key, "case", "list", "--json").stdout)["cases"][0]["level"] == "red"
    shown = fenghuo(console, key, "case", "show", "2026-11-000001").stdout
    assert "已送达" in shown
    why = fenghuo(console, key, "--lang", "en", "case", "explain", str(events[0].case_id)).stdout
    assert "not known" in why
    assert "More than 50000 customers" in why
    assert "Not acknowledged yet" in why
    fenghuo(console, key, "case", "ack", "2026-11-000001", "--reason", "已到场", "--as", "liaison-a")
    assert intake.posted == [
        (
            f"/v1/cases/{events[0].case_id}/commands",
            {"command": "acknowledge", "actor": {"ref": "liaison-a"}, "reason": "已到场"},
        )
    ]
    fenghuo(console, key, "case", "ack", "2026-11-000001")
    by_itself = {"command": "acknowledge", "actor": {"ref": "test", "kind": "system"}}
    assert intake.posted[1][1] == by_itself, "the key's label, not its prefix"
    intake.more["survivor"] = "2026-11-000042"
    merged = fenghuo(console, key, "--lang", "en", "case", "ack", "2026-11-000001").stdout
    assert "It was merged: this counts for 2026-11-000042." in merged
    missing = fenghuo(console, key, "--lang", "en", "case", "show", "no-such", code=1)
    assert missing.stderr.strip() == "Refused (404): There is no such case"
    once = fenghuo(console, key, "watch", "--once").stdout
    assert "1 件未结" in once


async def test_what_strangers_wrote_is_only_text_in_a_terminal(
    console: RunningConsole, console_database: Database, key: str
) -> None:
    case = IDS.new()
    report = create_report("2026-11-000077", NOON, source="[/x]", reference="[red]1", title="\x1b[2Jgone [/bold]")
    events = [create_event(report, case), *create_story("2026-11-000077", at=NOON, case_id=case)[1:]]
    await project(console_database, events)
    for command in (("list",), ("show", "2026-11-000077"), ("explain", "2026-11-000077")):
        said = fenghuo(console, key, "case", *command).stdout
        assert "2026-11-000077" in said
        assert "\x1b" not in said
    assert "[/x] / [red]1" in said
    assert "\N{REPLACEMENT CHARACTER}[2Jgone [/bold]" in fenghuo(console, key, "case", "show", "2026-11-000077").stdout
    assert "编号" in fenghuo(console, key, "case", "show", "", code=2).stderr


async def test_the_command_line_posts_a_complaint(console: RunningConsole, intake: Intake, key: str) -> None:
    posted = fenghuo(
        console, key, "post", "complaint", "--title", "宽带中断", "--reference", "A-1",
        "--fact", "customers_affected=12000", "--fact", "line=network", env={"FENGHUO_INTAKE_URL": intake.url},
    )  # fmt: skip
    assert "2026-11-000042" in posted.stdout
    assert intake.posted[0] == (
        "/v1/complaints",
        {
            "source": "cli",
            "reference": "A-1",
            "title": "宽带中断",
            "facts": {"customers_affected": 12000, "line": "network"},
        },
    )
    incident = '{"source": "alerts", "reference": "B"}'
    fenghuo(console, key, "post", "incident", "-f", "-", stdin=incident, env={"FENGHUO_INTAKE_URL": intake.url})
    assert intake.posted[1] == ("/v1/incidents", {"source": "alerts", "reference": "B"})
    bad = fenghuo(console, key, "post", "-f", "-", stdin="{", code=2)
    assert "JSON" in bad.stderr


async def test_operators_commands_work_on_the_database(
    console: RunningConsole, console_url: str, console_database: Database, key: str
) -> None:
    env = {"FENGHUO_CONSOLE_DATABASE_URL": console_url, "FENGHUO_KEY_PEPPER": "only-for-tests"}
    status = json.loads(fenghuo(console, key, "outbox", "status", "--service", "console", "--json", env=env).stdout)
    assert status["waiting"] == 0
    again = fenghuo(console, key, "outbox", "republish", "--service", "console", "--since", "1h", "--json", env=env)
    assert json.loads(again.stdout)["records"] == 0
    issued = fenghuo(
        console, key, "keys", "issue", "--label", "x", "--scope", "read", "--service", "console", env=env
    ).stdout.strip()
    assert fenghuo(console, issued, "case", "list", "--json").stdout
    fenghuo(console, key, "keys", "revoke", issued.split("_")[1], "--service", "console", env=env)
    keys = json.loads(fenghuo(console, key, "keys", "list", "--service", "console", "--json", env=env).stdout)["keys"]
    assert [(one["label"], one["state"]) for one in keys] == [("test", "valid"), ("x", "revoked")]
    assert issued.split("_")[2] not in json.dumps(keys)
    weak = fenghuo(console, key, "users", "create", "bob", stdin="short\n", code=2, env=env)
    assert "10" in weak.stderr
    fenghuo(console, key, "users", "create", "bob", stdin="long enough password\n", env=env)
    async with console_database.transaction() as tx:
        row = await tx.fetch_one("SELECT role, password_hash FROM users WHERE name = 'bob'")
    assert row is not None
    assert row["role"] == "operator"
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    listed = json.loads(fenghuo(console, key, "users", "list", "--json", env=env).stdout)["users"]
    assert listed == [{"name": "bob", "org": "demo", "role": "operator", "disabled": False, "sessions": 0}]
    fenghuo(console, key, "users", "disable", "bob", env=env)
    assert "bob" in fenghuo(console, key, "users", "disable", "bob", code=1, env=env).stderr
    assert "bob" in fenghuo(console, key, "users", "list", env=env).stdout
    fenghuo(console, key, "migrate", "--service", "console", env=env)


async def test_watch_shows_a_change_as_it_happens(
    console: RunningConsole, console_database: Database, key: str, tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    await project(console_database, create_story("2026-11-000008", at=NOON))
    output = tmp_path / "watch.txt"
    with output.open("wb") as written:
        watching = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.command_line",
            "watch",
            "--json",
            cwd=ROOT,
            stdout=written,
            stderr=subprocess.STDOUT,
            env=kept | {"FENGHUO_URL": console.url, "FENGHUO_API_KEY": key},
        )
        try:
            await eventually(_holds(output, "2026-11-000008"), seconds=30.0, what="the change printed")
            await project(console_database, create_story("2026-11-000009", at=NOON))
            await eventually(_holds(output, "2026-11-000009"), seconds=30.0, what="the change printed")
        finally:
            watching.terminate()
            await asyncio.wait_for(watching.wait(), 20)
    lines = [json.loads(line) for line in (await asyncio.to_thread(output.read_text)).splitlines()]
    assert {line["number"] for line in lines} == {"2026-11-000008", "2026-11-000009"}


def _holds(output: Path, text: str) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return text in await asyncio.to_thread(output.read_text)

    return found


async def test_the_process_ends_quickly_with_streams_open(
    console_url: str, console_database: Database, broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    key = await create_key(console_database)
    with running_console(console_url, broker, topic_prefix, tmp_path / "console.log") as running:
        async with (
            httpx.AsyncClient(base_url=running.url, headers={"Authorization": f"Bearer {key}"}) as client,
            client.stream("GET", "/v1/events/stream") as stream,
        ):
            assert stream.status_code == 200
            running.process.terminate()
            assert await asyncio.to_thread(running.process.wait, 10) in ENDED
