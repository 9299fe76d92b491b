"""Reading a request without trusting it: key, size, JSON."""

from typing import Final
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from services.intake.app.group_commit import RegisterAwayError, RegisterBusyError
from shared.contracts.json_guard import UnreadableError
from shared.db.engine import is_transient
from shared.runtime.problems import ProblemError, invalid

MAX_BODY: Final = 256 * 1024
MAX_BATCH_BODY: Final = 2 * 1024 * 1024
_BEARER: Final = "bearer "
_RETRY_AFTER_S: Final = "2"


def presented_key(request: Request, *, in_query: bool = False) -> str | None:
    """The key's text from the headers, or from `?key=` where a sender cannot set headers."""
    authorization = request.headers.get("authorization")
    if authorization is not None and authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return request.headers.get("x-api-key") or (request.query_params.get("key") if in_query else None)


def client_of(request: Request) -> str:
    """The peer's address, for rates of callers without a key."""
    return request.client.host if request.client is not None else "unknown"


async def body_of(request: Request, limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises ProblemError 413 beyond the limit, without reading on."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > len(str(limit)) or int(declared) > limit):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise ProblemError(400, "The request ended early", code="disconnected") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def uuid_in_path(request: Request, name: str) -> UUID:
    """The id in the path. Raises ProblemError 404 for anything else: there is nothing at such an address."""
    try:
        return UUID(request.path_params[name])
    except ValueError as error:
        raise ProblemError(404, "Nothing is here", code="not-found", fields={name: "must be a UUID"}) from error


def media_type(request: Request) -> str:
    """The content type without parameters, lower case; empty when absent."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def problem_of(error: BaseException) -> ProblemError:
    """What the caller is told about an error. Raises the error itself when nobody foresaw it."""
    match error:
        case ProblemError():
            return error
        case UnreadableError():
            return ProblemError(400, "The body cannot be read", code="unreadable", fields={error.field: error.reason})
        case ValidationError():
            return invalid(error)
        case RegisterBusyError():
            return _unavailable("Too much is waiting", str(error), "1")
        case RegisterAwayError():
            return _unavailable("The register does not answer", "Nothing was stored; post it again", _RETRY_AFTER_S)
        case _ if is_transient(error):
            return _unavailable("The register does not answer", "Nothing was stored; post it again", _RETRY_AFTER_S)
        case _:
            raise error


async def answer_problem(_: Request, error: Exception) -> Response:
    """Exception handler for everything `problem_of` knows."""
    return problem_of(error).response()


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, "The body is too large", code="too-large", fields={"body": f"at most {limit} bytes"})


def _unavailable(title: str, detail: str, retry_after: str) -> ProblemError:
    return ProblemError(503, title, code="unavailable", detail=detail, headers={"Retry-After": retry_after})
