"""The page behind the link in a message: looking changes nothing, the button acknowledges once."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from services.intake.app.acknowledge_by_link import acknowledge_by_link
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.answer_for_all import Desk
from services.intake.app.look_at_link import LinkState, look_at_link
from shared.access.links import AcknowledgementLink, LinkExpiredError, LinkInvalidError, read_acknowledgement
from shared.contracts.notifications import CONTACT_CHECK_PLAN, LIVE_TEST_PLAN
from shared.contracts.values import Bilingual
from shared.db.engine import Database
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids

_STYLE: Final = (
    ":root{color-scheme:light dark}body{margin:0;font:17px/1.6 system-ui,sans-serif;background:#f4f4f2;color:#1c1c1a}"
    "main{max-width:30rem;margin:0 auto;padding:2rem 1.25rem}"
    ".mark{color:#777;margin:0}h1{font-size:1.5rem;margin:.4rem 0 0}"
    ".en{color:#666;font-size:.9rem}.number{font-size:1.6rem;font-weight:700;letter-spacing:.04em;margin:1rem 0}"
    "button{width:100%;padding:1rem;font-size:1.15rem;border:0;border-radius:.6rem;background:#b3261e;color:#fff}"
    ".done h1{color:#1a7f37}.gone h1{color:#8a5a00}"
    "@media(prefers-color-scheme:dark){body{background:#161615;color:#eee}.en,.mark{color:#aaa}}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


class AcknowledgementPage:
    """One page for every state of a link."""

    def __init__(
        self,
        admit: AdmitCaller,
        database: Database,
        ids: Ids,
        clock: Clock,
        desk: Desk | None,
        *,
        link_secret: bytes,
        zone: ZoneInfo,
    ) -> None:
        self._admit = admit
        self._desk = desk
        self._database = database
        self._ids = ids
        self._clock = clock
        self._secret = link_secret
        self._zone = zone
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._template = environment.get_template("acknowledgement.html")

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/a/{token}", self.show, methods=["GET"]), Route("/a/{token}", self.confirm, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The question, or what became of it. Changes nothing."""
        link = await self._link(request)
        if isinstance(link, Response):
            return link
        state = await look_at_link(self._database, link, self._desk)
        if state.used_at is not None:
            return self._already(state, link, state.used_at)
        words = _WORDS.get(link.plan, _OF_A_CASE)
        return self._page(200, words.asked, *_goes_on(state), words.means, number=_named(state, link), ask=True)

    async def confirm(self, request: Request) -> Response:
        """Acknowledges once; afterwards says so."""
        link = await self._link(request)
        if isinstance(link, Response):
            return link
        state, first = await acknowledge_by_link(
            self._database, self._ids, link, request.headers.get("traceparent"), self._desk
        )
        if not first and state.used_at is not None:
            return self._already(state, link, state.used_at)
        words = _WORDS.get(link.plan, _OF_A_CASE)
        return self._page(
            200,
            _bilingual("已确认，谢谢", "Confirmed, thank you"),
            *_goes_on(state),
            words.done,
            number=_named(state, link),
            tone="done",
        )

    async def _link(self, request: Request) -> AcknowledgementLink | Response:
        client = request.client.host if request.client is not None else "unknown"
        await self._admit.page(client)
        try:
            return read_acknowledgement(request.path_params["token"], self._secret, self._clock.now())
        except LinkExpiredError:
            return self._page(
                410,
                _bilingual("链接已过期", "The link has expired"),
                _bilingual(
                    "请使用最新一条消息里的链接，或致电值班室。", "Use the newest message, or call the duty desk."
                ),
                tone="gone",
            )
        except LinkInvalidError:
            return self._page(
                404,
                _bilingual("链接不完整", "The link is damaged"),
                _bilingual("请从消息里完整复制链接后再试。", "Copy the whole link from the message and try again."),
                tone="gone",
            )

    def _already(self, state: LinkState, link: AcknowledgementLink, used_at: datetime) -> Response:
        local = used_at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")
        return self._page(
            200,
            _bilingual("此前已确认", "Already acknowledged"),
            _bilingual(f"确认时间：{local}", f"Acknowledged at {local}"),
            *_goes_on(state),
            _bilingual(
                "此后若又收到呼叫，请使用新消息里的链接。",
                "If you were called again since, use the link of the newer message.",
            ),
            number=_named(state, link),
            tone="done",
        )

    def _page(
        self, status: int, heading: Bilingual, *lines: Bilingual, number: str = "", tone: str = "ask", ask: bool = False
    ) -> Response:
        text = self._template.render(heading=heading, lines=lines, number=number, tone=tone, ask=ask, style=_STYLE)
        return HTMLResponse(text, status, _HEADERS)


def _named(state: LinkState, link: AcknowledgementLink) -> str:
    return state.number or _WORDS.get(link.plan, _OF_A_CASE).unnumbered


def _goes_on(state: LinkState) -> tuple[Bilingual, ...]:
    """That the case was merged, and which one the acknowledgement is for."""
    if state.survivor is None:
        return ()
    return (
        _bilingual(
            f"本案已并入 {state.survivor}，确认即确认该案。",
            f"This case was merged into {state.survivor}; the acknowledgement counts for that one.",
        ),
    )


def _bilingual(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the page says about one kind of link. `unnumbered` stands where intake knows no number."""

    asked: Bilingual
    means: Bilingual
    done: Bilingual
    unnumbered: str


_CLOSE: Final = ("可以关闭本页。", "You may close this page.")
_OF_A_CASE: Final = _Words(
    _bilingual("请确认收到", "Please acknowledge"),
    _bilingual(
        "按下按钮，即表示您已知悉并接手；系统停止继续上报，处理时限照常计时。",
        "Pressing the button says you know and take it on: escalation stops, handling deadlines keep running.",
    ),
    _bilingual(f"上报已停止。{_CLOSE[0]}", f"Escalation has stopped. {_CLOSE[1]}"),
    "预警 / warning",
)
_WORDS: Final = {
    LIVE_TEST_PLAN: _Words(
        _bilingual("请确认收到测试", "Please confirm the test"),
        _bilingual("这是联络测试，没有发生事件。", "This is a test of whether you can be reached; nothing happened."),
        _bilingual(_CLOSE[0], _CLOSE[1]),
        "测试 / test",
    ),
    CONTACT_CHECK_PLAN: _Words(
        _bilingual("请确认这是您的联系方式", "Please confirm that this address is yours"),
        _bilingual(
            "按下按钮，即表示消息能到达您本人；今后将以此联系方式通知您。",
            "Pressing the button says that messages sent here reach you; you will be told here from now on.",
        ),
        _bilingual(f"联系方式随即验证。{_CLOSE[0]}", f"The address counts as verified. {_CLOSE[1]}"),
        "联系方式验证 / contact check",
    ),
}
