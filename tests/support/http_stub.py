"""An HTTP server of a test's own, which answers as another service would."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class QuietHandler(BaseHTTPRequestHandler):
    """Writes no lines about its requests."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name the library gives it
        """Say nothing."""


@contextmanager
def answering(handler: type[QuietHandler]) -> Iterator[str]:
    """The server's address while it answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
