"""The published plans."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_plan import read_plan
from services.console.app.read_plans import read_plans
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import PageError, Site, language_of, render
from services.console.web.guard import needs


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))

    @pages.get("/plans")
    async def page(request: Request, session: Session = viewer) -> Response:
        return render(site, request, "plans.html", session=session, plans=read_plans(site.plans.library))

    @pages.get("/plans/{name}")
    async def plan(request: Request, name: str, session: Session = viewer) -> Response:
        reading = read_plan(site.plans.library, name, language_of(request))
        if reading is None:
            raise PageError(404, "没有这个预案。", "There is no such plan.")
        return render(site, request, "plan.html", session=session, reading=reading)

    return pages
