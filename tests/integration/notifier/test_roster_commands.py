"""`fenghuo roster` against the notifier's real door and the real database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import sleep

import pytest
import uvicorn
from typer.testing import CliRunner

from services.console.cli.wording import CommandError
from services.drill.cli.rosters import app as commands
from shared.embedded.processes import free_port
from tests.integration.notifier.office import SPAN, TEXT, Office

Run = Callable[..., "asyncio.Future[tuple[int, str]]"]


@pytest.fixture
async def run(office: Office, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Run]:
    """Runs a command in a thread of its own, as a process would."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(office.app, port=port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(_wait, server)
    monkeypatch.setenv("FENGHUO_NOTIFIER_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("FENGHUO_API_KEY", office.http.headers["authorization"].removeprefix("Bearer "))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    def invoke(*arguments: str) -> "asyncio.Future[tuple[int, str]]":
        def called() -> tuple[int, str]:
            result = CliRunner().invoke(commands, list(arguments))
            if isinstance(result.exception, CommandError):
                return result.exception.code, str(result.exception)
            return result.exit_code, result.output

        return asyncio.ensure_future(asyncio.to_thread(called))

    yield invoke
    server.should_exit = True
    await serving


def _wait(server: uvicorn.Server) -> None:
    while not server.started:
        sleep(0.01)


async def test_a_file_is_compared_imported_and_exported(run: Run, office: Office, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(TEXT.replace("duty: [{person: a}]", "duty: [{person: b}]"), encoding="utf-8")
    code, told = await run("diff", str(file))
    assert (code, office.who()) == (1, ["a"])
    assert "changed roles head" in told
    code, told = await run("import", str(file), "--dry-run")
    assert (code, office.who()) == (0, ["a"])
    code, told = await run("import", str(file))
    assert (code, office.who()) == (0, ["b"])
    assert "In force." in told
    assert (await run("diff", str(file)))[0] == 0
    assert (await run("export"))[1].endswith(file.read_text(encoding="utf-8"))


async def test_changes_are_made_listed_and_taken_back(run: Run, office: Office) -> None:
    span = ["--from", SPAN["from"], "--to", SPAN["to"]]
    code, told = await run("override", "head", "b", *span, "--reason", "x")
    assert (code, office.who()) == (0, ["b"])
    change_id = told.split("  override head")[0].split()[-1]
    assert change_id[:8] in (await run("history"))[1]
    code, told = await run("withdraw", change_id)
    assert code == 0, told
    assert "Taken back." in told
    assert office.who() == ["a"]
    assert (await run("leave", "a", *span, "--deputy", "b"))[0] == 0
    assert office.who() == ["b"]
    code, told = await run("leave", "nobody", *span)
    assert code == 1
    assert "there is no person 'nobody'" in told
    code, told = await run("feed", "--person", "a")
    assert "/v1/roster/feed.ics?org=demo&person=a" in told


async def test_a_gap_in_a_file_is_exit_code_one_and_a_broken_file_two(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text(TEXT, encoding="utf-8")
    assert (await run("check", str(file)))[0] == 0
    file.write_text(TEXT.replace("{person: a}]", '{person: a}], hours: {from: "08:00", to: "18:00"}'), encoding="utf-8")
    code, told = await run("check", str(file), "--days", "3")
    assert code == 1
    assert told.count("gap") >= 3
    file.write_text(TEXT.replace("{person: a}", "{person: nobody}"), encoding="utf-8")
    code, told = await run("check", str(file))
    assert code == 2
    assert "there is no person 'nobody'" in told
