"""Who is on duty now and next, the timetable of a week with its gaps, and contact points that wait for their proof."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.console.app.read_roster import read_roster
from services.console.app.sign_in import Session
from services.console.app.verify_contact import CodeGiven, CodeWanted, verify_contact
from services.console.domain.accounts import Role
from services.console.web.frame import PageError, Site, render
from services.console.web.guard import checked_form, needs
from shared.runtime.ids import TimeOrderedIds

_IDS: Final = TimeOrderedIds()
_LONGEST_CODE: Final = 20
_LONGEST_NAME: Final = 120


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))
    operator = Depends(needs(site, Role.OPERATOR))

    @pages.get("/roster")
    async def page(request: Request, session: Session = viewer) -> Response:
        found = await read_roster(session.person.org, site.duty)
        done = request.query_params.get("done", "")
        return render(site, request, "roster.html", session=session, found=found, done=done)

    @pages.post("/roster/verify")
    async def verify(request: Request, session: Session = operator) -> Response:
        form = await checked_form(site, request, session.csrf)
        person, contact = (_word(form.get(name), _LONGEST_NAME) for name in ("person", "contact"))
        return await _sent(CodeWanted(_IDS.new(), person, contact), session, "sent")

    @pages.post("/roster/verify/{check}")
    async def confirm(request: Request, check: UUID, session: Session = operator) -> Response:
        form = await checked_form(site, request, session.csrf)
        return await _sent(CodeGiven(check, _word(form.get("code"), _LONGEST_CODE)), session, "given")

    async def _sent(wanted: CodeGiven | CodeWanted, session: Session, done: str) -> Response:
        answer = await verify_contact(wanted, session.person.name, intake=site.intake)
        if not answer.accepted:
            told = "；".join([answer.title, *(f"{field}: {what}" for field, what in answer.fields.items())])
            raise PageError(answer.status, f"未能提交：{told}", f"Not taken: {told}")
        return RedirectResponse(f"/roster?done={done}#unverified", 303)

    return pages


def _word(text: str | None, longest: int) -> str:
    found = (text or "").strip()
    if not 0 < len(found) <= longest:
        raise PageError(400, "请填写完整。", "Fill the form in.")
    return found
