"""The pages, put together."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from services.console.web.frame import PageError, SecurityHeaders, Site, render
from services.console.web.pages import (
    boards,
    cases,
    clocks,
    letters,
    live,
    messages,
    plans,
    previews,
    rosters,
    signing,
    withheld,
)

_HERE: Final = Path(__file__).resolve().parent


def install_site(app: FastAPI, site: Site) -> None:
    """All pages, their live streams and their files."""
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    for page in (signing, boards, cases, clocks, live, messages, previews, rosters, letters, plans, withheld):
        app.include_router(page.router(site), include_in_schema=False)
    app.add_middleware(SecurityHeaders)

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, PageError)  # noqa: S101  # registered for this class only
        return render(site, request, "problem.html", status=error.status, problem={"zh": error.zh, "en": error.en})

    app.add_exception_handler(PageError, problem)


__all__ = ["Site", "install_site"]
