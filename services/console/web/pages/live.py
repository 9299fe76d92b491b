"""Live streams of the pages: they say that something changed, and the page fetches what it shows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.console.app.follow_changes import Changed
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import Site
from services.console.web.guard import needs
from shared.runtime.metrics import CONSOLE_STREAMS

# A storm of changes is shown once in this time; one change alone is shown at once.
_AT_MOST_EVERY_S: Final = 0.8
_MOST_DIGITS: Final = 18


def router(site: Site) -> APIRouter:
    pages = APIRouter(prefix="/live")
    viewer = Depends(needs(site, Role.VIEWER))

    @pages.get("/board")
    async def board(request: Request, session: Session = viewer) -> EventSourceResponse:
        changes = site.changes.board(session.person.org, _after(request))
        return _stream(site.watch.guard(session.digest, changes), "board", None)

    @pages.get("/cases/{case_id}")
    async def case(request: Request, case_id: UUID, session: Session = viewer) -> EventSourceResponse:
        changes = site.changes.lines(session.person.org, _after(request))
        return _stream(site.watch.guard(session.digest, changes), "case", str(case_id))

    return pages


def _after(request: Request) -> int | None:
    text = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _stream(changes: AsyncIterator[list[Changed]], name: str, case_id: str | None) -> EventSourceResponse:
    async def messages() -> AsyncIterator[ServerSentEvent]:
        with CONSOLE_STREAMS.track_inprogress():
            async for batch in changes:
                if case_id is None or any(change.view["case_id"] == case_id for change in batch):
                    yield ServerSentEvent(str(batch[-1].seq), event=name, id=str(batch[-1].seq))
                    await asyncio.sleep(_AT_MOST_EVERY_S)
            # The session has ended: the page asks for what it shows and is sent to sign in.
            yield ServerSentEvent("", event=name)

    return EventSourceResponse(messages(), ping=15)
