"""Dead letters: why, and send again."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.console.app.read_dead_letters import BadCursorError, read_dead_letters
from services.console.app.replay_dead_letter import replay_dead_letter
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import PageError, Site, render
from services.console.web.guard import checked_form, needs

_PAGE = 50


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))
    admin = Depends(needs(site, Role.ADMIN))

    @pages.get("/dead-letters")
    async def page(request: Request, session: Session = viewer) -> Response:
        try:
            letters, following = await read_dead_letters(
                session.person.org,
                database=site.database,
                limit=_PAGE,
                cursor=request.query_params.get("cursor") or None,
            )
        except BadCursorError as error:
            raise PageError(400, "翻页位置无效。", "The page cursor is wrong.") from error
        return render(
            site,
            request,
            "dead_letters.html",
            session=session,
            letters=letters,
            following=following,
            done=request.query_params.get("done", ""),
        )

    @pages.post("/dead-letters/{letter_id}/replay")
    async def replay(request: Request, letter_id: UUID, session: Session = admin) -> Response:
        await checked_form(site, request, session.csrf)
        answer = await replay_dead_letter(
            session.person.org, letter_id, session.person.name, database=site.database, intake=site.intake
        )
        if not answer.accepted:
            told = "；".join([answer.title, *(f"{field}: {what}" for field, what in answer.fields.items())])
            raise PageError(answer.status, f"未能重放：{told}", f"Not replayed: {told}")
        return RedirectResponse("/dead-letters?done=1", 303)

    return pages
