"""Who may see a page and whose form this is."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request

from services.console.app.sign_in import Session
from services.console.domain.accounts import Role
from services.console.web.frame import PageError, Site, is_partial
from shared.runtime.problems import ProblemError

SESSION_COOKIE: Final = "fenghuo_session"
TOKEN_FIELD: Final = "csrf"  # noqa: S105  # the name of a form field
_LARGEST_FORM: Final = 64 * 1024
_MOST_FIELDS: Final = 40
_SAME: Final = frozenset({"same-origin", "none"})


def needs(site: Site, role: Role) -> Callable[[Request], Awaitable[Session]]:
    """A dependency: the session of somebody with this role. Others are sent to sign in, or refused."""

    async def session_of(request: Request) -> Session:
        session = await site.sign_in.read(request.cookies.get(SESSION_COOKIE))
        if session is None:
            back = request.url.path if request.method == "GET" and not is_partial(request) else "/"
            target = f"/login?next={quote(back)}"
            if is_partial(request) or "text/event-stream" in request.headers.get("accept", ""):
                raise ProblemError(401, "Sign in first", code="signed-out", headers={"HX-Redirect": target})
            raise ProblemError(303, "Sign in first", code="signed-out", headers={"Location": target})
        if not session.person.may(role):
            raise PageError(403, "您的角色不能执行此操作。", "Your role does not allow this.")
        return session

    return session_of


async def read_form(request: Request) -> dict[str, str]:
    """Fields of a small form. Raises PageError for one that is too large or not a form."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _LARGEST_FORM:
            raise PageError(413, "提交的内容过长。", "The form is too large.")
    try:
        fields = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise PageError(400, "提交的内容无法读取。", "The form cannot be read.") from error
    if any("\x00" in value for _, value in fields):
        raise PageError(400, "提交的内容包含无效字符。", "The form holds invalid characters.")
    return dict(fields)


def check_origin(request: Request) -> None:
    """Refuse forms that another site sent. Raises PageError."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site is not None and site not in _SAME
    if origin is not None and origin != "null":
        foreign = foreign or urlsplit(origin).netloc != request.headers.get("host")
    elif origin == "null":
        foreign = True
    if foreign:
        raise PageError(403, "请求来自其他网站，已拒绝。", "The form came from another site and was refused.")


async def checked_form(site: Site, request: Request, expected: str) -> dict[str, str]:
    """The fields of a form that carries this session's token. Raises PageError."""
    check_origin(request)
    form = await read_form(request)
    if not site.sign_in.is_form_token(expected, form.get(TOKEN_FIELD)):
        raise PageError(403, "页面已过期，请刷新后重试。", "The page is too old; reload it and try again.")
    return form


def local_path(text: str | None) -> str:
    """A path of this site to go back to; the board when the text is anything else."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or not text.isprintable():
        return "/"
    return text
