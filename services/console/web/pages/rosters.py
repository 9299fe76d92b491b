"""Who is on duty now and next, and the timetable of a week with its gaps."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_roster import read_roster
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import Site, render
from services.console.web.guard import needs


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))

    @pages.get("/roster")
    async def page(request: Request, session: Session = viewer) -> Response:
        found = await read_roster(session.person.org, site.duty)
        return render(site, request, "roster.html", session=session, found=found)

    return pages
