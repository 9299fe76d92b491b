"""Errors over HTTP as RFC 9457 problem details, naming the field that is wrong."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared.runtime.logging import get_logger

_log = get_logger(__name__)
MEDIA_TYPE: Final = "application/problem+json"
_MAX_FIELDS: Final = 50


class ProblemError(Exception):
    """An answer that is not a success. `fields` maps field paths to what is wrong with them."""

    def __init__(
        self,
        status: int,
        title: str,
        *,
        code: str,
        detail: str | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.code = code
        self.detail = detail
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    def response(self) -> Response:
        body: dict[str, Any] = {
            "type": f"urn:fenghuo:problem:{self.code}",
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            body["detail"] = self.detail
        if self.fields:
            body["errors"] = [{"field": name, "detail": what} for name, what in self.fields.items()]
        return JSONResponse(body, self.status, self.headers, media_type=MEDIA_TYPE)


def fields_of(errors: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Field paths and messages of Pydantic errors, without the offending input (it may be personal)."""
    found: dict[str, str] = {}
    for error in errors[:_MAX_FIELDS]:
        path = ".".join(str(part) for part in error["loc"] if part != "body") or "body"
        found[path[:200]] = str(error["msg"])
    return found


def invalid(error: ValidationError, *, prefix: str = "") -> ProblemError:
    """422 naming every field that breaks the contract."""
    fields = fields_of(error.errors(include_url=False, include_input=False, include_context=False))
    named = {f"{prefix}{name}": what for name, what in fields.items()}
    return ProblemError(422, "The body does not fit its contract", code="invalid", fields=named)


def http_problem(error: HTTPException) -> Response:
    """What the framework refused, such as an address that leads nowhere."""
    status = error.status_code
    return ProblemError(status, str(error.detail), code=f"http-{status}", headers=error.headers).response()


def install_problem_handlers(app: FastAPI) -> None:
    """Every error answer of the application becomes problem+json; what nobody foresaw is a logged 500."""

    async def problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101  # registered for this class only
        return error.response()

    async def validation(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class only
        return ProblemError(
            422, "The request does not fit its contract", code="invalid", fields=fields_of(error.errors())
        ).response()

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class only
        return http_problem(error)

    async def unforeseen(request: Request, error: Exception) -> Response:
        _log.error("http.unforeseen", path=request.url.path, error=repr(error), exc_info=error)
        return ProblemError(500, "Something went wrong on our side", code="internal").response()

    app.add_exception_handler(ProblemError, problem)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)
