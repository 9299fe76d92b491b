"""`fenghuo demo outage` as a person runs it: every case reaches somebody although gateways and processes fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.embedded.processes import free_port
from tests.support.line import ROOT

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("line")]
_PORTS = ("console", "intake", "classifier", "escalator", "notifier", "postgres", "broker", "sink_smtp", "sink_http")


def test_everybody_is_reached_through_an_outage(tmp_path: Path) -> None:
    env = {**os.environ, "FENGHUO_HOME": str(tmp_path / "home"), "DEMO_EXIT": "1", "LANG": "zh_CN.UTF-8"}
    env |= {f"FENGHUO_{name.upper()}_PORT": str(free_port()) for name in _PORTS}
    done = subprocess.run(  # our own command
        [sys.executable, "-m", "services.command_line", "demo", "outage"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout.partition("└")[2], "an expectation was not met"
