import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shared.embedded import readiness
from shared.embedded.processes import free_port
from shared.embedded.readiness import http_answers, kafka_answers, postgres_answers, tcp_answers


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A server that reads something and answers this, or keeps silent for None."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                if answer is None:
                    time.sleep(0.3)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def http(port: int) -> bool:
    return http_answers(f"http://127.0.0.1:{port}/healthz?deep=1")


@pytest.mark.parametrize("probe", [tcp_answers, postgres_answers, kafka_answers, http])
def test_nobody_there_is_not_ready(probe: Callable[[int], bool]) -> None:
    assert probe(free_port()) is False


@pytest.mark.parametrize("probe", [postgres_answers, kafka_answers, http])
@pytest.mark.parametrize(
    "answer", [None, b"", b"\x00", b"SSH-2.0-OpenSSH_9.2\r\n"], ids=["mute", "closes", "byte", "ssh"]
)
def test_somebody_else_there_is_not_ready(
    probe: Callable[[int], bool], answer: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PROBE_SECONDS", 0.1)
    with answering(answer) as port:
        assert probe(port) is False


@pytest.mark.parametrize(
    ("probe", "answer", "ready"),
    [
        (postgres_answers, b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00", True),
        (postgres_answers, b"E\x00\x00\x00\x2cSFATAL\x00C57P03\x00Mstarting up\x00\x00", False),
        (kafka_answers, b"\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00", True),
        (kafka_answers, b"\x00\x00\x00\x06\x00\x00\x00\x01\x00\x23", False),
        (kafka_answers, b"\x00\x00\x00\x06\x00\x00\x00\x07\x00\x00", False),
        (http, b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (http, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", False),
    ],
    ids=["asks for a password", "starting up", "kafka", "kafka error", "other correlation", "2xx", "5xx"],
)
def test_the_part_itself_is_ready_only_when_it_says_so(
    probe: Callable[[int], bool], answer: bytes, *, ready: bool
) -> None:
    with answering(answer) as port:
        assert probe(port) is ready
