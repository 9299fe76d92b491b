"""Where a person is signed in; sign out here or everywhere."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.console.app.end_sessions import end_sessions
from services.console.app.list_sessions import list_sessions
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import Site, render
from services.console.web.guard import SESSION_COOKIE, checked_form, needs


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    signed_in = Depends(needs(site, Role.VIEWER))

    @pages.post("/logout")
    async def sign_out(request: Request, session: Session = signed_in) -> Response:
        fields = await checked_form(site, request, session.csrf)
        if fields.get("everywhere"):
            await end_sessions(session.person.name, database=site.database)
        else:
            await site.sign_in.end(request.cookies.get(SESSION_COOKIE))
        await site.watch.look()
        response = RedirectResponse("/login", 303)
        response.delete_cookie(SESSION_COOKIE)
        return response

    @pages.get("/account")
    async def account(request: Request, session: Session = signed_in) -> Response:
        sessions = await list_sessions(session, database=site.database)
        return render(site, request, "account.html", session=session, sessions=sessions)

    return pages
