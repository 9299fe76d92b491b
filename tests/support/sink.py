"""The sink as a process of its own, for tests that look at what people would have received.

Fixture `sink`: one process a session, forgetting its messages and rules before each test.
"""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from shared.embedded.preloading import Process
from shared.embedded.processes import free_port, spawn, stop, wait_ready
from shared.embedded.sink.launch import ACCOUNT, sink_child

PASSWORD = "sink-password"


class Sink:
    """A running sink. `send_url`, `user` and `password` are those of its SMS gateway."""

    user = ACCOUNT
    password = PASSWORD

    def __init__(
        self, *, reply_url: str | None = None, journal: Path | None = None, log_file: Path | None = None
    ) -> None:
        self.smtp_port, self.http_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.send_url = f"{self.url}/cgi-bin/sendsms"
        self._child = sink_child(
            self.smtp_port,
            self.http_port,
            password=PASSWORD,
            receipt_delay=0.15,
            reply_url=reply_url,
            journal=journal,
            log_file=log_file,
        )
        self._process: Process | None = None
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def start(self) -> None:
        self._process = spawn(self._child)
        wait_ready(self._child, self._process)

    def stop(self) -> None:
        self.client.close()
        if self._process is not None:
            stop(self._child, self._process)
            self._process = None

    def messages(self, to: str | None = None, *, since: int = 0) -> list[dict[str, Any]]:
        """What has arrived, oldest first."""
        answer = self.client.get("/messages", params={"since": since} | ({"to": to} if to else {}))
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def wait_for(self, count: int = 1, to: str | None = None, seconds: float = 10) -> list[dict[str, Any]]:
        """The messages once there are this many. Fails the test when they do not come."""
        deadline = time.monotonic() + seconds
        while len(found := self.messages(to)) < count:
            if time.monotonic() > deadline:
                pytest.fail(f"{len(found)} of {count} messages arrived in {seconds} s")
            time.sleep(0.02)
        return found

    def behave(self, to: str, do: str, **more: Any) -> None:
        """Script how a recipient is treated."""
        self.client.post("/behaviour", json={"to": to, "do": do, **more}).raise_for_status()

    def forget(self) -> None:
        """No messages and no rules."""
        self.client.delete("/messages").raise_for_status()
        self.client.delete("/behaviour").raise_for_status()


class Callbacks:
    """An HTTP server that notes the queries of the calls it gets and answers with `status`."""

    def __init__(self) -> None:
        self.calls: list[dict[str, str]] = []
        self.status = 200
        noted = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
                noted.calls.append({name: values[0] for name, values in query.items()})
                self.send_response(noted.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wait_for(self, enough: Callable[[list[dict[str, str]]], bool], seconds: float = 10) -> list[dict[str, str]]:
        """The calls once they are enough. Fails the test when they do not come."""
        deadline = time.monotonic() + seconds
        while not enough(self.calls):
            if time.monotonic() > deadline:
                pytest.fail(f"calls so far: {self.calls}")
            time.sleep(0.02)
        return list(self.calls)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def callbacks() -> Iterator[Callbacks]:
    made = Callbacks()
    yield made
    made.close()


@pytest.fixture(scope="session")
def sink_process() -> Iterator[Sink]:
    made = Sink()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def sink(sink_process: Sink) -> Sink:
    sink_process.forget()
    return sink_process
