"""The board: open cases, most urgent first."""

from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.console.app.read_board import BOARD_LIMIT, MOST_ON_A_BOARD, Filter, read_board
from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.domain.words import STATES
from services.console.web.frame import Site, language_of, render
from services.console.web.guard import needs
from services.console.web.sharing import SharedWork

_LONGEST = 100
_MOST_DIGITS = 6


def router(site: Site) -> APIRouter:
    pages = APIRouter()
    viewer = Depends(needs(site, Role.VIEWER))
    shared: SharedWork[Response] = SharedWork()

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
        limit = _limit_of(request.query_params.get("n", ""))
        board = await read_board(session.person.org, wanted, database=site.database, words=site.words, limit=limit)
        following = min(limit + BOARD_LIMIT, MOST_ON_A_BOARD)
        return render(
            site,
            request,
            template,
            session=session,
            board=board,
            chosen=chosen,
            states=STATES,
            limit=limit,
            further=following - limit,
            more=urlencode({**{name: value for name, value in chosen.items() if value}, "n": following}),
        )

    @pages.get("/")
    async def board(request: Request, session: Session = viewer) -> Response:
        return await show(request, session, "board.html")

    @pages.get("/board")
    async def rows(request: Request, session: Session = viewer) -> Response:
        """The same for everybody who looks at the same cases in the same language."""
        same = (session.person.org, language_of(request), tuple(request.query_params.multi_items()))
        return await shared.get(same, lambda: show(request, session, "board_rows.html"))

    return pages


def _limit_of(text: str) -> int:
    """How many cases the page was asked to show: 200 to 1000."""
    asked = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else BOARD_LIMIT
    return max(BOARD_LIMIT, min(MOST_ON_A_BOARD, asked))
