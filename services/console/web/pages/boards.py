"""The board: open cases, most urgent first."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_board import BOARD_LIMIT, Filter, read_board
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.domain.words import STATES
from services.console.web.frame import Site, render
from services.console.web.guard import needs

_LONGEST = 100


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))

    async def show(request: Request, session: Session, template: str) -> Response:
        chosen = {
            name: request.query_params.get(name, "").replace("\x00", "")[:_LONGEST]
            for name in ("show", "state", "level", "plan", "q")
        }
        wanted = Filter(
            open={"": True, "ungraded": True, "closed": False}.get(chosen["show"]),
            graded={"": True, "ungraded": False}.get(chosen["show"]),
            state=chosen["state"] or None,
            level=chosen["level"] or None,
            plan=chosen["plan"] or None,
            text=chosen["q"] or None,
        )
        board = await read_board(session.person.org, wanted, database=site.database, words=site.words)
        return render(
            site,
            request,
            template,
            session=session,
            board=board,
            chosen=chosen,
            states=STATES,
            full=len(board.cases) >= BOARD_LIMIT,
        )

    @pages.get("/")
    async def board(request: Request, session: Session = viewer) -> Response:
        return await show(request, session, "board.html")

    @pages.get("/board")
    async def rows(request: Request, session: Session = viewer) -> Response:
        return await show(request, session, "board_rows.html")

    return pages
