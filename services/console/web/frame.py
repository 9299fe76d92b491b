"""What every page shares: parts, language, security headers, rendering."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.app.command_case import Intake
from services.console.app.follow_changes import Changes
from services.console.app.read_clocks import ClockReader
from services.console.app.read_messages import Sink
from services.console.app.read_roster import DutyReader
from services.console.app.sign_in import Session, SignIn
from services.console.app.watch_access import AccessWatch
from services.console.domain.accounts import Role
from services.console.domain.plan_words import PlanWords
from services.console.domain.words import word
from shared.db.engine import Database
from shared.runtime.clock import Clock
from shared.runtime.plans_in_force import PlansInForce

Language = Literal["zh", "en"]
LANGUAGE_COOKIE: Final = "fenghuo_lang"
THEME_COOKIE: Final = "fenghuo_theme"
_HERE: Final = Path(__file__).resolve().parent
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Site:
    """What the pages work with."""

    database: Database
    sign_in: SignIn
    watch: AccessWatch[bytes]
    intake: Intake
    sink: Sink | None
    changes: Changes
    words: PlanWords
    plans: PlansInForce
    clock: Clock
    secure_cookies: bool
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    duty: DutyReader | None = None
    clocks: ClockReader | None = None


class PageError(Exception):
    """A page that cannot be shown, and why, in both languages."""

    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.status = status
        self.zh = zh
        self.en = en


class SecurityHeaders:
    """Headers on every answer: nothing from elsewhere, nothing inline, no framing, no guessing of types."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _CSP
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                if str(scope.get("path", "")).startswith("/static/"):
                    headers["Cache-Control"] = "public, max-age=31536000, immutable"
                else:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def language_of(request: Request) -> Language:
    """Chinese unless the person switched."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"


def is_partial(request: Request) -> bool:
    """True when a live page asks for a part of itself."""
    return request.headers.get("hx-request") == "true"


def render(
    site: Site, request: Request, template: str, *, session: Session | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """The template with words, session and time put in. Everything is escaped unless a template says otherwise."""
    language = language_of(request)
    theme = request.cookies.get(THEME_COOKIE)
    text = (
        _environment()
        .get_template(template)
        .render(
            lang=language,
            theme=theme if theme in {"dark", "light"} else "auto",
            t=lambda zh, en: zh if language == "zh" else en,
            b=lambda both: _pick(both, language),
            w=lambda table, key: getattr(word(table, key), language),
            clock_text=lambda value: _instant_text(value, site.timezone),
            instant_or=lambda value: _instant_or(value, site.timezone),
            short_time=lambda value: _instant_text(value, site.timezone, short=True),
            clock_share=lambda clock: _share(clock, site.clock.now()),
            now_ms=int(site.clock.now().timestamp() * 1000),
            person=session.person if session else None,
            csrf=session.csrf if session else None,
            may=lambda role: session is not None and session.person.may(Role(role)),
            path=request.url.path,
            **context,
        )
    )
    return HTMLResponse(text, status)


def asset(path: str) -> str:
    """The address of a shipped file; it changes when the file does."""
    return f"/static/{path}?v={_digest(path)}"


@cache
def _digest(path: str) -> str:
    return hashlib.sha256((_HERE / "static" / path).read_bytes()).hexdigest()[:12]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    return environment


def _pick(both: Mapping[str, str] | Any | None, language: Language) -> str:
    if both is None:
        return ""
    return both[language] if isinstance(both, Mapping) else str(getattr(both, language))


def _instant_text(value: str | datetime | None, zone: ZoneInfo, *, short: bool = False) -> str:
    if not value:
        return "—"
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except ValueError:
        return str(value)
    return instant.astimezone(zone).strftime("%H:%M:%S" if short else "%Y-%m-%d %H:%M:%S")


def _instant_or(value: object, zone: ZoneInfo) -> object:
    """Facts carry instants as text: a whole date and time with its offset is shown as a person reads it."""
    if isinstance(value, str) and "T" in value:
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            return value
        if instant.tzinfo is not None:
            return _instant_text(instant, zone)
    return value


def _share(clock: Mapping[str, Any], now: datetime) -> int:
    """How much of a clock is used up, in percent, for its bar."""
    if not clock.get("due_at") or clock["state"] in {"breached", "missed"}:
        return 100 if clock["state"] in {"breached", "missed"} else 0
    started, due = datetime.fromisoformat(clock["started_at"]), datetime.fromisoformat(clock["due_at"])
    whole = (due - started).total_seconds()
    end = datetime.fromisoformat(clock["stopped_at"]) if clock.get("stopped_at") else now
    return max(0, min(100, round(100 * (end - started).total_seconds() / whole))) if whole > 0 else 100
