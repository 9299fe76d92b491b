"""Kannel from Debian's packages `kannel` and `kannel-extras`: bearerbox, smsbox and the fake message centre.

Fixture `kannel`: one gateway a session; a test that asks for it is skipped where Kannel is not installed.
"""

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired
from typing import Final
from urllib.parse import quote, unquote_to_bytes
from urllib.request import urlopen

import pytest

from shared.embedded.preloading import Process
from shared.embedded.processes import Child, Port, environment, free_port, spawn, stop, wait_ready
from shared.embedded.readiness import Probe, http_answers, tcp_answers

_TEMPLATE: Final = Path(__file__).resolve().parents[2] / "deploy" / "kannel" / "kannel.conf.template"
_CENTRE: Final = Path("/usr/lib/kannel/test/fakesmsc")
_START_SECONDS: Final = 20
_SHOWN: Final = re.compile(r"Got message \d+: <(\S+) (\S+) (?:udh (\S+) )?(text|ucs-2|data) (.*)>$", re.MULTILINE)
_LAST_TWO_OCTETS: Final = slice(-2, None)


def available() -> str | None:
    """None when Kannel can be started here, else the reason why not."""
    missing = [name for name in ("bearerbox", "smsbox") if _program(name) is None]
    if not _CENTRE.exists():
        missing.append("fakesmsc")
    if missing:
        return f"{', '.join(missing)} not found: apt-get install --no-install-recommends kannel kannel-extras"
    return None


@dataclass(frozen=True)
class Shown:
    """An SMS, or one part of a long one, as it came out on the fake network; a part's bytes stand as Latin-1."""

    sender: str
    to: str
    text: str
    part: int
    parts: int


class KannelGateway:
    """A running gateway. `send_url`, `user` and `password` are for sending; `receive` is what phones got.

    `reply_url` is where an SMS from a phone is delivered, with Kannel's escapes.
    """

    user = "fenghuo"
    password = "only-for-tests"

    def __init__(self, directory: Path, reply_url: str = "http://127.0.0.1:9/") -> None:
        self._directory = directory
        self._admin_password = secrets.token_hex(8)
        self._ports = {name: free_port() for name in ("admin_port", "box_port", "centre_port", "send_port")}
        self._values = {name: str(port) for name, port in self._ports.items()} | {
            "admin_password": self._admin_password,
            "user": self.user,
            "password": self.password,
            "reply_url": reply_url,
        }
        self.send_url = f"http://127.0.0.1:{self._ports['send_port']}/cgi-bin/sendsms"
        self._boxes: list[tuple[Child, Process]] = []
        self._centre: Popen[bytes] | None = None
        self._said = directory / "fakesmsc.log"

    def start(self) -> None:
        """Start the three programs and wait until a message would go straight to a phone."""
        reason = available()
        if reason is not None:
            raise RuntimeError(reason)
        self._directory.mkdir(parents=True, exist_ok=True)
        conf = self._directory / "kannel.conf"
        conf.write_text(Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(self._values), encoding="utf-8")
        status = f"http://127.0.0.1:{self._ports['admin_port']}/status.txt?password={self._admin_password}"
        self._box("bearerbox", conf, ("admin_port", "box_port", "centre_port"), lambda: http_answers(status))
        self._box("smsbox", conf, ("send_port",), lambda: tcp_answers(self._ports["send_port"]))
        self.connect_centre()

    def connect_centre(self) -> None:
        """Let the fake message centre come up (again)."""
        # It reads messages of phones from its input and ends with it, so the pipe stays open.
        with self._said.open("ab") as output:
            self._centre = Popen(
                [str(_CENTRE), "-H", "127.0.0.1", "-r", str(self._ports["centre_port"])],
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                env=environment({}),
                start_new_session=True,
            )
        self._wait_for_status(lambda text: re.search(r"phones.*\(online", text) is not None)

    def disconnect_centre(self) -> None:
        """Take the message centre away: what is sent now waits in the gateway."""
        if self._centre is None:
            return
        if self._centre.stdin is not None:
            self._centre.stdin.close()
        self._centre.terminate()
        self._centre.wait()
        self._centre = None
        self._wait_for_status(lambda text: re.search(r"phones.*\(online", text) is None)

    def stop(self) -> None:
        """End everything."""
        if self._centre is not None:
            if self._centre.stdin is not None:
                self._centre.stdin.close()
            self._centre.kill()
            self._centre.wait()
            self._centre = None
        for child, process in reversed(self._boxes):
            with suppress(TimeoutExpired):
                stop(child, process)
        self._boxes.clear()

    def received(self) -> list[Shown]:
        """Everything that reached phones so far, oldest first."""
        said = self._said.read_text(encoding="utf-8", errors="replace") if self._said.exists() else ""
        return [_shown(*found) for found in _SHOWN.findall(said)]

    def reply(self, sender: str, to: str, text: str) -> None:
        """A phone sends an SMS."""
        if self._centre is None or self._centre.stdin is None:
            raise RuntimeError("the message centre is not connected")
        coded = quote(text.encode("utf-16-be"), safe="")
        self._centre.stdin.write(f"{sender} {to} ucs2 {coded}\n".encode())
        self._centre.stdin.flush()

    def _box(self, program: str, conf: Path, ports: tuple[str, ...], ready: Probe) -> None:
        child = Child(
            name=program,
            argv=(_program(program) or program, "-v", "1", str(conf)),
            ready=ready,
            cwd=self._directory,
            log_file=self._directory / f"{program}.log",
            ports=tuple(Port(self._ports[name]) for name in ports),
            ready_within=_START_SECONDS,
            stop_within=3,
        )
        process = spawn(child)
        self._boxes.append((child, process))
        wait_ready(child, process)

    def _wait_for_status(self, fits: Callable[[str], bool]) -> None:
        address = f"http://127.0.0.1:{self._ports['admin_port']}/status.txt?password={self._admin_password}"
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with urlopen(address, timeout=5) as answer:
                text = answer.read().decode(errors="replace")
            if fits(text):
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kannel did not get ready: {text}")
            time.sleep(0.05)


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def _shown(sender: str, to: str, header: str, coding: str, body: str) -> Shown:
    part, parts = 1, 1
    if header:
        # The last two octets of a concatenation header are the number of parts and this part's place.
        parts, part = unquote_to_bytes(header)[_LAST_TWO_OCTETS]
    if coding == "ucs-2":
        text = unquote_to_bytes(body.replace("+", "%20")).decode("utf-16-be")
    elif coding == "data":
        text = unquote_to_bytes(body.replace("+", "%20")).decode("latin-1")
    else:
        text = body
    return Shown(sender, to, text, part, parts)


@pytest.fixture(scope="session")
def kannel() -> Iterator[KannelGateway]:
    reason = available()
    if reason is not None:
        pytest.skip(reason)
    directory = Path(tempfile.mkdtemp(prefix="fenghuo-test-kannel-"))
    gateway = KannelGateway(directory)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()
        shutil.rmtree(directory, ignore_errors=True)
