"""The published plans."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_plans import read_plans
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import Site, render
from services.console.web.guard import needs


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))
    plans = read_plans(site.library)

    @pages.get("/plans")
    async def page(request: Request, session: Session = viewer) -> Response:
        return render(site, request, "plans.html", session=session, plans=plans)

    return pages
