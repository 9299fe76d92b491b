"""The pages, put together."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from services.console.web.frame import PageError, SecurityHeaders, Site, render
from services.console.web.pages import (
    accounts,
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
from shared.runtime.problems import http_problem

_NOT_FOUND: Final = 404
_HERE: Final = Path(__file__).resolve().parent


def install_site(app: FastAPI, site: Site) -> None:
    """All pages, their live streams and their files."""
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    for page in (signing, accounts, boards, cases, clocks, live, messages, previews, rosters, letters, plans, withheld):
        app.include_router(page.router(site), include_in_schema=False)
    app.add_middleware(SecurityHeaders)

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, PageError)  # noqa: S101  # registered for this class only
        return render(site, request, "problem.html", status=error.status, problem={"zh": error.zh, "en": error.en})

    async def missing(request: Request, error: Exception) -> Response:
        """A person who follows an old link gets a page; programs get problem details as everywhere."""
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class only
        if error.status_code == _NOT_FOUND and "text/html" in request.headers.get("accept", ""):
            words = {"zh": "没有这个页面。", "en": "There is no such page."}
            return render(site, request, "problem.html", status=error.status_code, problem=words)
        return http_problem(error)

    app.add_exception_handler(PageError, problem)
    app.add_exception_handler(HTTPException, missing)


__all__ = ["Site", "install_site"]
