"""A message as it would be sent, and who would get it now."""

from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.preview_message import CHANNELS, PURPOSES, preview_message
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import Site, language_of, render
from services.console.web.guard import needs

_PICKED: Final = ("plan", "level", "channel", "purpose", "language")


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))

    @pages.get("/messages/preview")
    async def page(request: Request, session: Session = viewer) -> Response:
        wanted = {"language": language_of(request)} | {
            name: request.query_params[name] for name in _PICKED if name in request.query_params
        }
        found = await preview_message(
            session.person.org, wanted, site.clock.now(), library=site.plans.library, duty=site.duty
        )
        return render(site, request, "preview.html", session=session, found=found, channels=CHANNELS, purposes=PURPOSES)

    return pages
