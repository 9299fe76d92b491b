"""What was kept back to keep the noise down, and why."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_withheld import read_withheld
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import Site, render
from services.console.web.guard import needs


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))

    @pages.get("/withheld")
    async def page(request: Request, session: Session = viewer) -> Response:
        found = await read_withheld(session.person.org, site.duty)
        return render(site, request, "withheld.html", session=session, found=found)

    return pages
