"""Hooks of other systems, and what became of the payloads nobody understood."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import json_response, outcome_body
from services.intake.api.requests import body_of, client_of, media_type, presented_key, uuid_in_path
from services.intake.app.accept_hook import Accepted, AcceptHook, HookRequest, Kept
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.answer_for_all import DeskAwayError
from services.intake.app.replay_quarantine import NoSuchQuarantineError, ReplayQuarantine
from services.intake.domain.hooks import MAPPINGS
from services.intake.domain.hooks.values import UnmappableError
from shared.access.api_keys import Scope
from shared.contracts.json_guard import UnreadableError
from shared.runtime.problems import ProblemError

_MOST_LISTED = 200
_LISTED = 50
_TRUTH = {"true": True, "false": False}


class HookDoors:
    """Hooks and quarantine."""

    def __init__(
        self, admit: AdmitCaller, accept: AcceptHook, quarantine: ReplayQuarantine, *, public_url: str
    ) -> None:
        self._admit = admit
        self._accept = accept
        self._quarantine = quarantine
        self._public_url = public_url

    async def hook(self, request: Request) -> Response:
        """200 registered, 202 kept in quarantine, 400 kept though not even readable, 404 no such kind."""
        key = await self._admit(presented_key(request, in_query=True), Scope.REPORT, client=client_of(request))
        kind = request.path_params["kind"]
        if kind not in MAPPINGS:
            known = ", ".join(sorted(MAPPINGS))
            raise ProblemError(404, "No such kind of hook", code="unknown-hook", fields={"kind": f"one of {known}"})
        came = HookRequest(kind, media_type(request), query_of(request), await body_of(request))
        try:
            return self._answer(await self._accept(came, key, request.headers.get("traceparent")))
        except DeskAwayError as error:
            raise _away() from error

    async def listed(self, request: Request) -> Response:
        key = await self._admit(presented_key(request), Scope.OPERATE, client=client_of(request))
        query = request.query_params
        limit = query.get("limit", str(_LISTED))
        if not (limit.isascii() and limit.isdigit() and len(limit) <= len("200") and 0 < int(limit) <= _MOST_LISTED):
            raise _bad_query("limit", f"a number from 1 to {_MOST_LISTED}")
        waiting = query.get("waiting")
        if waiting is not None and waiting not in _TRUTH:
            raise _bad_query("waiting", "true or false")
        before = _uuid_in_query(query.get("before"))
        rows = await self._quarantine.listed(
            key.org, waiting=_TRUTH[waiting] if waiting is not None else None, before=before, limit=int(limit)
        )
        return json_response({"items": [_shown(row) for row in rows]})

    async def shown(self, request: Request) -> Response:
        key = await self._admit(presented_key(request), Scope.OPERATE, client=client_of(request))
        try:
            return json_response(_shown(await self._quarantine.shown(key.org, uuid_in_path(request, "quarantine_id"))))
        except NoSuchQuarantineError as error:
            raise _nothing_there() from error

    async def replay(self, request: Request) -> Response:
        """200 when it is understood now, 422 with the reason when it still is not."""
        key = await self._admit(presented_key(request), Scope.OPERATE, client=client_of(request))
        quarantine_id = uuid_in_path(request, "quarantine_id")
        try:
            accepted = await self._quarantine.replay(key, quarantine_id, request.headers.get("traceparent"))
        except NoSuchQuarantineError as error:
            raise _nothing_there() from error
        except (UnreadableError, UnmappableError) as error:
            raise ProblemError(
                422, "Still not understood", code="unmappable", fields={error.field: error.reason}
            ) from error
        except DeskAwayError as error:
            raise _away() from error
        return self._answer(accepted)

    def _answer(self, result: Accepted | Kept) -> Response:
        if isinstance(result, Accepted):
            return json_response(
                {
                    "quarantined": False,
                    "cases": [outcome_body(outcome, self._public_url) for outcome in result.registered],
                    "commands": [str(command) for command in result.commands],
                }
            )
        if not result.readable:
            raise ProblemError(
                400,
                "The body cannot be read",
                code="unreadable",
                detail=f"Kept as {result.quarantine_id}",
                fields={result.field: result.reason},
            )
        return json_response(
            {
                "quarantined": True,
                "quarantine_id": str(result.quarantine_id),
                "field": result.field,
                "reason": result.reason,
            },
            202,
        )


def query_of(request: Request) -> dict[str, str]:
    """The query without the key."""
    return {name: value for name, value in request.query_params.items() if name != "key"}


def _shown(row: Any) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, str | int | dict) else _text(value)
        for name, value in row.items()
    }


def _text(value: Any) -> str:
    return str(value) if isinstance(value, UUID) else str(value.isoformat())


def _uuid_in_query(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text is not None else None
    except ValueError as error:
        raise _bad_query("before", "an id from the list") from error


def _bad_query(name: str, what: str) -> ProblemError:
    return ProblemError(422, "The query does not fit", code="invalid", fields={name: what})


def _away() -> ProblemError:
    return ProblemError(503, "The notifier does not answer", code="notifier-away")


def _nothing_there() -> ProblemError:
    return ProblemError(404, "No such payload in quarantine", code="not-found")
