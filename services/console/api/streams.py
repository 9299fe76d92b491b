"""Live streams for systems: the board, and every line of every history. Resume with Last-Event-ID or `after`.

A stream ends when its key is revoked or expires, within 15 seconds.
"""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.console.api.access import ApiParts, needs
from services.console.app.follow_changes import Changed
from shared.access.api_keys import ApiKey, Scope
from shared.runtime.metrics import CONSOLE_STREAMS

_Number = Annotated[int | None, Query(ge=0, lt=2**63)]
_LastId = Annotated[str | None, Header(alias="Last-Event-ID", pattern=r"^[0-9]{1,18}$")]


def streams_router(parts: ApiParts) -> APIRouter:
    router = APIRouter(tags=["streams"])
    reader = Depends(needs(parts, Scope.READ))

    @router.get("/board/stream", summary="Cases as they change (event `case`)")
    async def board(after: _Number = None, last_id: _LastId = None, key: ApiKey = reader) -> EventSourceResponse:
        changes = parts.changes.board(key.org, int(last_id) if last_id else after)
        return _stream(parts.watch.guard(key.prefix, changes), "case")

    @router.get("/events/stream", summary="Lines of histories as they are written (event `line`)")
    async def events(after: _Number = None, last_id: _LastId = None, key: ApiKey = reader) -> EventSourceResponse:
        changes = parts.changes.lines(key.org, int(last_id) if last_id else after)
        return _stream(parts.watch.guard(key.prefix, changes), "line")

    return router


def _stream(changes: AsyncIterator[list[Changed]], name: str) -> EventSourceResponse:
    async def messages() -> AsyncIterator[ServerSentEvent]:
        with CONSOLE_STREAMS.track_inprogress():
            async for batch in changes:
                for change in batch:
                    data = json.dumps(change.view, ensure_ascii=False)
                    yield ServerSentEvent(data, event=name, id=str(change.seq))

    return EventSourceResponse(messages(), ping=15)
