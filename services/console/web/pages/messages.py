"""What the sinks of a demonstration received."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_messages import read_messages
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import Site, render
from services.console.web.guard import needs


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))

    @pages.get("/messages")
    async def page(request: Request, session: Session = viewer) -> Response:
        return render(site, request, "messages.html", session=session, found=await read_messages(site.sink))

    @pages.get("/messages/rows")
    async def rows(request: Request, session: Session = viewer) -> Response:
        return render(site, request, "messages_rows.html", session=session, found=await read_messages(site.sink))

    return pages
