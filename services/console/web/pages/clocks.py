"""Why the clocks of a case are due when they are."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_clocks import read_clocks
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import PageError, Site, render
from services.console.web.guard import needs


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))

    @pages.get("/cases/{wanted}/clocks")
    async def page(request: Request, wanted: str, session: Session = viewer) -> Response:
        found = await read_clocks(
            session.person.org, wanted, database=site.database, clocks=site.clocks, words=site.words
        )
        if found is None:
            raise PageError(404, "没有这个案件。", "There is no such case.")
        return render(site, request, "case_clocks.html", session=session, found=found)

    return pages
