"""Sign in, language and theme."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.console.app.sign_in import SESSION_SECONDS, TooManyAttemptsError
from services.console.web.frame import LANGUAGE_COOKIE, THEME_COOKIE, Site, language_of, render
from services.console.web.guard import SESSION_COOKIE, checked_form, local_path
from shared.runtime.ids import new_secret

_VISITOR_COOKIE: Final = "fenghuo_visitor"
_YEAR_S: Final = 365 * 24 * 3600


def router(site: Site) -> APIRouter:
    pages = APIRouter()

    @pages.get("/login")
    async def form(request: Request) -> Response:
        return _page(site, request, back=local_path(request.query_params.get("next")))

    @pages.post("/login")
    async def sign_in(request: Request) -> Response:
        visitor = request.cookies.get(_VISITOR_COOKIE, "")
        fields = await checked_form(site, request, site.sign_in.form_token(visitor) if visitor else "")
        back = local_path(fields.get("next"))
        address = request.client.host if request.client else "unknown"
        try:
            cookie = await site.sign_in.open(fields.get("name", "").strip(), fields.get("password", ""), address)
        except TooManyAttemptsError:
            return _page(site, request, back=back, problem="limited", status=429)
        if cookie is None:
            return _page(site, request, back=back, problem="wrong", status=401)
        await site.sign_in.end(request.cookies.get(SESSION_COOKIE))
        response = RedirectResponse(back, 303)
        _set(site, response, SESSION_COOKIE, cookie, SESSION_SECONDS)
        response.delete_cookie(_VISITOR_COOKIE)
        return response

    @pages.get("/preferences")
    async def preferences(request: Request) -> Response:
        response = RedirectResponse(local_path(request.query_params.get("back")), 303)
        if request.query_params.get("lang") in {"zh", "en"}:
            _set(site, response, LANGUAGE_COOKIE, request.query_params["lang"], _YEAR_S)
        if request.query_params.get("theme") in {"dark", "light", "auto"}:
            _set(site, response, THEME_COOKIE, request.query_params["theme"], _YEAR_S)
        return response

    return pages


def _page(site: Site, request: Request, *, back: str, problem: str | None = None, status: int = 200) -> Response:
    visitor = request.cookies.get(_VISITOR_COOKIE) or new_secret()
    response = render(
        site,
        request,
        "login.html",
        status=status,
        back=back,
        problem=problem,
        token=site.sign_in.form_token(visitor),
        title={"zh": "登录", "en": "Sign in"}[language_of(request)],
    )
    _set(site, response, _VISITOR_COOKIE, visitor, 3600)
    return response


def _set(site: Site, response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=site.secure_cookies)
