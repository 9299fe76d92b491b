"""Probes: does a part answer in its own protocol yet? Each ends in about a second and never raises for a refusal."""

import http.client
import socket
import struct
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = "127.0.0.1"
PROBE_SECONDS: Final = 1.0
_POSTGRES_PROTOCOL: Final = 196608
_KAFKA_API_VERSIONS: Final = 18
_HTTP_OK: Final = range(200, 300)

Probe = Callable[[], bool]


def tcp_answers(port: int, host: str = LOOPBACK) -> bool:
    """True when something accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def http_answers(url: str) -> bool:
    """True when a GET of this plain-HTTP address ends in a 2xx."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or LOOPBACK, parts.port or 80, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
        return connection.getresponse().status in _HTTP_OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def postgres_answers(port: int, user: str = "postgres", host: str = LOOPBACK) -> bool:
    """True when the server asks this user to authenticate; False while it starts up, recovers or shuts down."""
    body = struct.pack("!I", _POSTGRES_PROTOCOL) + f"user\0{user}\0database\0postgres\0\0".encode()
    answer = _exchange(host, port, struct.pack("!I", len(body) + 4) + body, 1)
    return answer == b"R"


def kafka_answers(port: int, host: str = LOOPBACK) -> bool:
    """True when the broker answers an ApiVersions request without an error."""
    client = b"readiness"
    body = struct.pack("!hhih", _KAFKA_API_VERSIONS, 0, 1, len(client)) + client
    # Length (4), correlation id (4), error code (2).
    answer = _exchange(host, port, struct.pack("!i", len(body)) + body, 10)
    return len(answer) == 10 and struct.unpack("!iih", answer)[1:] == (1, 0)  # noqa: PLR2004 - the header's length above


def _exchange(host: str, port: int, request: bytes, wanted: int) -> bytes:
    """What the peer answered, cut to the wanted length; shorter when it refused, closed or kept silent."""
    answer = b""
    try:
        with socket.create_connection((host, port), timeout=PROBE_SECONDS) as connection:
            connection.sendall(request)
            while len(answer) < wanted:
                # All that is there, because closing with unread bytes resets the connection and disturbs the log.
                chunk = connection.recv(4096)
                if not chunk:
                    break
                answer += chunk
    except OSError:
        return b""
    return answer[:wanted]
