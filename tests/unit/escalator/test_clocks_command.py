"""`fenghuo clocks explain` where it cannot answer: a sentence that names what is wrong, never a traceback."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from services.escalator.cli.clocks import explain
from shared.embedded.processes import free_port


def ask(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(explain)
    return CliRunner().invoke(app, ["2026-11-000001", *arguments])


@pytest.mark.parametrize("address", ["nonsense", "mysql://someone@127.0.0.1:5/x"])
def test_an_address_of_something_else_is_refused_by_option(address: str) -> None:
    found = ask("--database-url", address)
    assert found.exit_code == 2
    assert "--database-url" in found.output


def test_a_database_that_is_away_is_said_to_be() -> None:
    found = ask("--database-url", f"postgresql://someone@127.0.0.1:{free_port()}/x")
    assert found.exit_code == 2
    assert "the database cannot be read" in found.output


def test_calendars_that_cannot_be_read_are_named_by_option(tmp_path: Path) -> None:
    (tmp_path / "china").mkdir()
    (tmp_path / "china" / "calendar.yaml").write_text("calendar: [", encoding="utf-8")
    found = ask("--database-url", "postgresql://someone@127.0.0.1:1/x", "--calendars-dir", str(tmp_path))
    assert found.exit_code == 2
    assert "--calendars-dir" in found.output
