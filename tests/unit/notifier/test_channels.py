"""Adapters against providers that answer nonsense, refuse, throttle or break off. No sockets."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.notifier.channels.channel import Accepted, OutgoingMessage, Reject, Reply, Retry
from services.notifier.channels.http_client import HttpAnswer, HttpClient, NoAnswerError, NotSentError
from services.notifier.channels.sms_http import SmsGateway
from services.notifier.channels.smtp import SmtpAddress, SmtpChannel, Tls
from services.notifier.channels.webhook import Webhook
from services.notifier.domain.delivery import Answer
from services.notifier.domain.ledger import shortened
from services.notifier.domain.provider_codes import http_answer, sendsms_answer, smtp_answer
from services.notifier.domain.texts import Message, render
from services.notifier.domain.urgency import Notice, superseded_by, urgency
from services.notifier.jobs.pace import Pace
from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import ChannelKind
from tests.support.clock import ManualClock

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LIMIT = timedelta(seconds=1)
Handler = Callable[[httpx.Request], httpx.Response]


def _message(channel: ChannelKind = ChannelKind.SMS, title: str = "全市无法上网") -> OutgoingMessage:
    subject = Subject(
        number="2026-11-000123",
        plan="p",
        plan_title="预案",
        level="red",
        level_label="红色预警",
        level_rank=1,
        highest_rank=1,
        because=None,
        title=title,
        occurred_at=NOW,
    )
    text = render(Message(Purpose.PAGE, subject, "zh", ZoneInfo("Asia/Shanghai"), NOW, link="http://127.0.0.1/a/t"))
    return OutgoingMessage(
        token="token",
        attempt_id=UUID(int=1),
        case_id=UUID(int=2),
        channel=channel,
        to="13800000001",
        text=text,
        link="http://127.0.0.1/a/t",
        receipt_url="http://127.0.0.1:8601/v1/receipts/a.b",
        drill=False,
    )


class _Wire(HttpClient):
    """Hands each call to the handler instead of a socket."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(timeout=LIMIT, connections=1)
        self._handler = handler

    async def _call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
    ) -> HttpAnswer:
        said = self._handler(httpx.Request(method, url, params=params, headers=headers, content=content))
        return HttpAnswer(said.status_code, {name.lower(): value for name, value in said.headers.items()}, said.content)


def _gateway(handler: Handler) -> SmsGateway:
    gateway = SmsGateway("http://user:p%40ss@127.0.0.1:1/cgi-bin/sendsms", sender="1069", timeout=LIMIT, connections=1)
    gateway._http = _Wire(handler)
    return gateway


def _webhook(handler: Handler) -> Webhook:
    hook = Webhook(
        "http://127.0.0.1:1/hook",
        kind=ChannelKind.VOICE,
        secret=b"secret",
        clock=ManualClock(NOW),
        timeout=LIMIT,
        connections=1,
    )
    hook._http = _Wire(handler)
    return hook


async def test_sendsms_is_asked_as_its_interface_wants() -> None:
    asked: dict[str, str] = {}

    def handler(request: httpx.Request) -> httpx.Response:
        asked.update(request.url.params)
        return httpx.Response(202, text="0: Accepted for delivery: 8d5e")

    assert await _gateway(handler).send(_message()) == Accepted("8d5e", "0")
    assert (asked["username"], asked["password"], asked["to"]) == ("user", "p@ss", "13800000001")
    assert (asked["coding"], asked["charset"], asked["dlr-mask"]) == ("2", "UTF-8", "19")
    assert asked["dlr-url"] == "http://127.0.0.1:8601/v1/receipts/a.b?type=%d&text=%A&smsc=%i"
    assert "全市无法上网" in asked["text"]


def _raising(error: type[Exception]) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error("broken")

    return handler


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (lambda _: httpx.Response(202, text="3: Queued for later delivery"), Accepted(None, "3")),
        (lambda _: httpx.Response(200, text="<html>welcome</html>"), Answer.UNAVAILABLE),
        (lambda _: httpx.Response(200), Answer.UNAVAILABLE),
        (lambda _: httpx.Response(302, headers={"location": "http://elsewhere/"}), Answer.UNAVAILABLE),
        (lambda _: httpx.Response(400, text="Empty receiver number"), Answer.PERMANENT),
        (lambda _: httpx.Response(403, text="Authorization failed"), Answer.UNAVAILABLE),
        (lambda _: httpx.Response(503, text="Temporal failure"), Answer.TRANSIENT),
        (lambda _: httpx.Response(500, content=b"\xff\x00\x1b[31m" * 100_000), Answer.TRANSIENT),
        (_raising(NotSentError), Answer.TRANSIENT),
        (_raising(NoAnswerError), Answer.UNKNOWN),
    ],
)
async def test_every_answer_of_a_gateway_means_one_thing(handler: Handler, expected: Answer | Accepted) -> None:
    reply = await _gateway(handler).send(_message())
    assert _meaning(reply) == expected


def _meaning(reply: Reply) -> Answer | Accepted:
    match reply:
        case Retry(_, why, _, answer):
            assert why
            assert len(why) < 300
            assert why.isprintable()
            return answer
        case Reject(why, _):
            assert why
            return Answer.PERMANENT
        case accepted:
            return accepted


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "99999999999999999999"}, 86_400),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "-5"}, 0),
        ({}, 0),
        (
            {"date": "Sun, 22 Nov 2026 00:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 00:01:30 GMT"},
            90,
        ),
        # a date that says "never" must still fit the ledger; without the provider's own date it is by our clock
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400),
        ({"date": "yesterday", "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400),
        ({"date": "Mon, 01 Jan 0001 00:00:00 +1400", "retry-after": "Fri, 31 Dec 9999 23:59:59 -1200"}, 86_400),
        ({"retry-after": "Sat, 21 Nov 2026 23:00:00 GMT"}, 0),
    ],
)
async def test_a_throttling_provider_is_believed_about_the_wait(headers: dict[str, str], seconds: int) -> None:
    reply = await _webhook(lambda _: httpx.Response(429, headers=headers)).send(_message(ChannelKind.VOICE))
    assert isinstance(reply, Retry)
    assert reply.after == timedelta(seconds=seconds)


async def test_a_webhook_is_signed_and_carries_its_key() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": "call-1"})

    assert await _webhook(handler).send(_message(ChannelKind.VOICE)) == Accepted("call-1", "200")
    [request] = seen
    at, signature = (part.partition("=")[2] for part in request.headers["fenghuo-signature"].split(","))
    expected = hmac.new(b"secret", at.encode() + b"." + request.content, hashlib.sha256).hexdigest()
    assert signature == expected
    assert request.headers["idempotency-key"] == "token"
    body = json.loads(request.content)
    assert "http" not in body["text"], "a voice does not read links"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"id": 7}', b"\xff", b'{"id": "a\\u0000b"}', b'{"id": ' + b"[" * 60_000]
)
async def test_a_webhook_may_answer_anything_with_its_success(body: bytes) -> None:
    reply = await _webhook(lambda _: httpx.Response(200, content=body)).send(_message())
    assert reply == Accepted(None, "200")


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp://127.0.0.1:2525?tls=none", "127.0.0.1", 2525, Tls.NONE),
        ("smtp://u:p%2Fw@mail.example.org?tls=starttls", "mail.example.org", 587, Tls.STARTTLS),
        ("smtps://mail.example.org", "mail.example.org", 465, Tls.TLS),
    ],
)
def test_a_mail_server_is_written_as_an_address(url: str, host: str, port: int, tls: Tls) -> None:
    address = SmtpAddress.parse(url)
    assert (address.host, address.port, address.tls) == (host, port, tls)
    assert address.password in {None, "p/w"}


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail", "smtp://", "smtp://u:secret@mail?tls=maybe"])
def test_a_bad_address_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="address") as raised:
        SmtpAddress.parse(url)
    assert "secret" not in str(raised.value)


def test_a_sender_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="sender"):
        SmtpChannel("smtp://127.0.0.1", sender="Fenghuo", clock=ManualClock(NOW), timeout=LIMIT, connections=1)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (421, Answer.UNAVAILABLE),
        (450, Answer.TRANSIENT),
        (499, Answer.TRANSIENT),
        (535, Answer.UNAVAILABLE),
        (550, Answer.PERMANENT),
        (599, Answer.PERMANENT),
    ],
)
def test_mail_codes(code: int, answer: Answer) -> None:
    assert smtp_answer(code) is answer


def test_http_codes_follow_their_class_unless_listed() -> None:
    assert http_answer(204) is Answer.ACCEPTED
    assert http_answer(409) is Answer.ACCEPTED
    assert sendsms_answer(409) is Answer.PERMANENT
    assert http_answer(418) is Answer.PERMANENT
    assert http_answer(599) is Answer.TRANSIENT
    assert http_answer(301) is Answer.UNAVAILABLE


def test_a_pace_allows_a_burst_of_one_second_and_then_its_rate() -> None:
    pace = Pace(2)
    assert pace.allowance(0.0) == 2
    pace.take(2)
    assert pace.allowance(0.1) == 0
    assert pace.wait() == pytest.approx(0.4)
    assert pace.allowance(0.5) == 1
    assert pace.allowance(100.0) == 2
    assert Pace(0).allowance(0.0) is None


def test_addresses_are_shortened_beyond_use() -> None:
    assert shortened("13800001234") == "138****1234"
    assert shortened("manager-a@example.org") == "m***@example.org"
    assert shortened("12") == "****2"


def _notice(**changes: object) -> Notice:
    plain: dict[str, object] = {
        "intent_id": UUID(int=1),
        "org": "o",
        "case_id": UUID(int=2),
        "plan": "p",
        "recipient": "r",
        "step": 1,
        "purpose": Purpose.PAGE,
    }
    return Notice(**(plain | changes))  # type: ignore[arg-type]  # the fields named above


@pytest.mark.parametrize(
    ("later", "superseded"),
    [
        ({"step": 2}, True),
        ({"step": 1}, False),
        ({"step": 0}, False),
        ({"step": 2, "purpose": Purpose.INFORM}, False),
        ({"step": 2, "purpose": Purpose.BREACH}, False),
        ({"step": 2, "purpose": Purpose.STAND_DOWN}, True),
        ({"step": 2, "recipient": "somebody else"}, False),
        ({"step": 2, "org": "another"}, False),
        ({"step": 2, "case_id": UUID(int=3)}, False),
        ({"step": 2, "plan": "another"}, False),
    ],
)
def test_supersession(later: dict[str, object], *, superseded: bool) -> None:
    assert (superseded_by(_notice(), _notice(**later)) is not None) is superseded


def test_urgency_is_by_level_first_and_compares_plans_of_different_height() -> None:
    assert urgency(3, 3, Purpose.INFORM) > urgency(2, 3, Purpose.PAGE)
    assert urgency(1, 1, Purpose.PAGE) == urgency(4, 4, Purpose.PAGE)
    assert urgency(2, 3, Purpose.PAGE) > urgency(2, 3, Purpose.BREACH) > urgency(2, 3, Purpose.WARN)
