"""What no door can use is refused before any door sees it: bodies too large, broken JSON, text that cannot be stored.

For the services whose doors let FastAPI read the request. It looks at every request with a body once, so it is not for
doors that take thousands a second; intake reads its bodies itself, by the same rules.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.contracts.json_guard import UnreadableError, read_json, storable
from shared.runtime.problems import ProblemError

LARGEST_BODY: Final = 1024 * 1024
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM: Final = "application/x-www-form-urlencoded"
_SHOWN: Final = 80


def install_request_guard(app: FastAPI, *, largest_body: int = LARGEST_BODY) -> None:
    """Refuse such requests of this application with 400, 404, 413 or 422 problem details that name the field."""
    app.add_middleware(_RequestGuard, largest_body=largest_body)


class _RequestGuard:
    def __init__(self, app: ASGIApp, *, largest_body: int) -> None:
        self._app = app
        self._largest = largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_address(scope)
            if scope["method"] not in _WITHOUT_BODY:
                body = await self._body(scope, receive)
                if body is None:
                    return
                _check_body(_media_type(scope), body)
                receive = _replayed(body, receive)
        except ProblemError as problem:
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """All of it; None when the sender went away. Raises ProblemError 413 without reading on."""
        declared = _header(scope, b"content-length")
        if declared.isdecimal() and (len(declared) > len(str(self._largest)) or int(declared) > self._largest):
            raise self._too_large()
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._largest:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> ProblemError:
        fields = {"body": f"at most {self._largest} bytes"}
        return ProblemError(413, "The body is too large", code="too-large", fields=fields)


def _check_address(scope: Scope) -> None:
    if not storable(scope["path"]):
        raise ProblemError(404, "Nothing is here", code="not-found", fields={"path": "holds a NUL character"})
    _check_pairs(scope["query_string"], 422, "The query cannot be read", "query.")


def _check_body(media_type: str, body: bytes) -> None:
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            if body:
                read_json(body)
        except UnreadableError as error:
            fields = {error.field: error.reason}
            raise ProblemError(400, "The body cannot be read", code="unreadable", fields=fields) from error
    elif media_type == _FORM:
        _check_pairs(body, 400, "The body cannot be read", "")


def _check_pairs(encoded: bytes, status: int, title: str, prefix: str) -> None:
    if b"%00" not in encoded and b"\x00" not in encoded:
        return
    for name, value in _pairs(encoded):
        if not (storable(name) and storable(value)):
            field = f"{prefix}{name[:_SHOWN]}".replace("\x00", "?")
            raise ProblemError(status, title, code="unreadable", fields={field: "must not hold NUL characters"})


def _pairs(encoded: bytes) -> Iterable[tuple[str, str]]:
    return parse_qsl(encoded.decode("utf-8", "replace"), keep_blank_values=True)


def _media_type(scope: Scope) -> str:
    return _header(scope, b"content-type").partition(";")[0].strip().lower()


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more for the door, then what comes after it: the sender's going away."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
