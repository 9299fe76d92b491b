"""Cloud SMS and group robots against servers that check the published signing."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from services.notifier.channels.alibaba_sms import AlibabaSms
from services.notifier.channels.channel import Accepted, Reject, Retry
from services.notifier.channels.http_channel import Dialect, HttpChannel
from services.notifier.channels.im_robots import DingtalkRobot, FeishuBot, SlackWebhook, WecomRobot
from services.notifier.channels.tencent_sms import TencentSms
from services.notifier.channels.twilio_sms import TwilioSms
from services.notifier.domain.delivery import Answer
from services.notifier.domain.template_parameters import Piece, TemplateParameter
from shared.contracts.values import ChannelKind
from shared.runtime.clock import SystemClock
from shared.runtime.ids import TimeOrderedIds
from tests.support import cloud as clouds
from tests.support.cloud import Cloud, cloud
from tests.support.outgoing import LINK, outgoing

CLOCK, IDS, IM = SystemClock(), TimeOrderedIds(), ChannelKind.IM
NAMES = ["alibaba", "tencent", "twilio", "wecom", "dingtalk", "feishu", "slack"]
HOSTILE = '<!channel> <at user_id="all"></at> <@U1> \r\nBcc: x@example.org \u202e%0d%0a 🔥'


@pytest.fixture
async def there() -> AsyncIterator[Cloud]:
    async with cloud() as made:
        yield made


def _dialect(name: str, url: str, *, secret: str | None = None) -> Dialect:
    robot = secret or clouds.ROBOT_SECRET
    texts = {"what": TemplateParameter(Piece.HEADLINE, 35), "path": TemplateParameter(Piece.LINK_PATH)}
    in_order = [TemplateParameter(Piece.SMS), TemplateParameter(Piece.LINK)]
    keys = {"alibaba": clouds.ALIBABA_SECRET, "tencent": clouds.TENCENT_SECRET, "twilio": clouds.TWILIO_TOKEN}
    key = secret or keys.get(name, "")
    found: dict[str, Dialect] = {
        "alibaba": AlibabaSms(clouds.ALIBABA_KEY, key, "烽火*~", "SMS_1", texts, CLOCK, IDS, url),
        "tencent": TencentSms(clouds.TENCENT_KEY, key, "1400", "烽火", "77", in_order, CLOCK, endpoint=url),
        "twilio": TwilioSms(clouds.TWILIO_ACCOUNT, key, "+15005550006", endpoint=url),
        "wecom": WecomRobot(f"{url}/cgi-bin/webhook/send?key=k"),
        "dingtalk": DingtalkRobot(f"{url}/robot/send?access_token=t", robot, CLOCK),
        "feishu": FeishuBot(f"{url}/open-apis/bot/v2/hook/h", robot, CLOCK),
        "slack": SlackWebhook(f"{url}/services/T/B/x"),
    }
    return found[name]


@pytest.fixture
async def opened() -> AsyncIterator[list[HttpChannel]]:
    made: list[HttpChannel] = []
    yield made
    for channel in made:
        await channel.close()


def _channel(dialect: Dialect, opened: list[HttpChannel]) -> HttpChannel:
    channel = HttpChannel("there", dialect, timeout=timedelta(seconds=0.5), connections=2)
    opened.append(channel)
    return channel


@pytest.mark.parametrize("name", NAMES)
async def test_a_message_is_signed_accepted_and_says_what_it_must(
    name: str, there: Cloud, opened: list[HttpChannel]
) -> None:
    dialect = _dialect(name, there.url)
    to = "U012AB3CD" if name == "slack" else "13800000001"
    reply = await _channel(dialect, opened).send(outgoing(dialect.kind, to=to))

    assert isinstance(reply, Accepted), reply
    [seen] = there.seen
    text = json.dumps(seen, ensure_ascii=False)
    assert to in text
    assert "2026-11-000123" in text
    assert "a/t" in text


async def test_a_clouds_message_is_found_again_by_its_receipt(there: Cloud, opened: list[HttpChannel]) -> None:
    await _channel(_dialect("alibaba", there.url), opened).send(outgoing(to="+8613800000001"))
    await _channel(_dialect("twilio", there.url), opened).send(outgoing())
    await _channel(_dialect("tencent", there.url), opened).send(outgoing())

    alibaba, twilio, tencent = there.seen
    assert (alibaba["OutId"], alibaba["PhoneNumbers"]) == ("a.b", "13800000001")
    assert json.loads(alibaba["TemplateParam"])["path"] == "a/t"
    assert len(json.loads(alibaba["TemplateParam"])["what"]) <= 35
    assert twilio["StatusCallback"] == "http://127.0.0.1:8601/v1/receipts/a.b"
    assert twilio["To"] == "+8613800000001"
    assert tencent["TemplateParamSet"][1] == LINK


async def test_no_two_requests_have_the_same_nonce(there: Cloud, opened: list[HttpChannel]) -> None:
    channel = _channel(_dialect("alibaba", there.url), opened)
    await channel.send(outgoing())
    await channel.send(outgoing())
    assert len({seen["nonce"] for seen in there.seen}) == 2


@pytest.mark.parametrize("name", ["alibaba", "tencent", "twilio", "dingtalk", "feishu"])
async def test_a_wrong_secret_is_the_providers_trouble_not_the_persons(
    name: str, there: Cloud, opened: list[HttpChannel]
) -> None:
    dialect = _dialect(name, there.url, secret="another-secret")
    reply = await _channel(dialect, opened).send(outgoing(dialect.kind))
    assert isinstance(reply, Retry)
    assert reply.answer is Answer.UNAVAILABLE
    assert there.seen == []


@pytest.mark.parametrize(
    ("name", "body", "status", "answer"),
    [
        ("alibaba", {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "号码"}, 200, Answer.PERMANENT),
        ("alibaba", {"Code": "isv.AMOUNT_NOT_ENOUGH", "Message": "余额"}, 200, Answer.UNAVAILABLE),
        ("alibaba", {"Code": "Throttling.User", "Message": "flow"}, 400, Answer.TRANSIENT),
        ("alibaba", {"Code": 7}, 200, Answer.UNAVAILABLE),
        ("tencent", {"Response": {"Error": {"Code": "RequestLimitExceeded.Uin"}}}, 200, Answer.TRANSIENT),
        (
            "tencent",
            {"Response": {"SendStatusSet": [{"Code": "FailedOperation.PhoneNumberInBlacklist"}]}},
            200,
            Answer.PERMANENT,
        ),
        (
            "tencent",
            {"Response": {"SendStatusSet": [{"Code": "FailedOperation.InsufficientBalanceInSmsPackage"}]}},
            200,
            Answer.UNAVAILABLE,
        ),
        ("tencent", {"Response": {"SendStatusSet": []}}, 200, Answer.UNAVAILABLE),
        ("twilio", {"code": 21610, "message": "unsubscribed"}, 400, Answer.PERMANENT),
        ("twilio", {"code": 20429, "message": "Too Many Requests"}, 429, Answer.TRANSIENT),
        ("twilio", {"code": 63038, "message": "daily limit"}, 429, Answer.UNAVAILABLE),
        ("twilio", {"sid": 5}, 201, Answer.UNAVAILABLE),
        ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, 200, Answer.TRANSIENT),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, 200, Answer.UNAVAILABLE),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, 200, Answer.TRANSIENT),
        ("feishu", {"code": 9499, "msg": "too many request"}, 200, Answer.TRANSIENT),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success"}, 200, Answer.ACCEPTED),
        ("slack", {"ok": True}, 200, Answer.UNAVAILABLE),
        ("slack", {"error": "no_text"}, 400, Answer.UNAVAILABLE),
    ],
)
async def test_every_refusal_means_one_thing(  # noqa: PLR0917  # a table of cases
    name: str, body: dict[str, object], status: int, answer: Answer, there: Cloud, opened: list[HttpChannel]
) -> None:
    there.answer = lambda _: web.json_response(body, status=status)
    dialect = _dialect(name, there.url)
    reply = await _channel(dialect, opened).send(outgoing(dialect.kind))
    match reply:
        case Accepted():
            assert answer is Answer.ACCEPTED
        case Reject(why):
            assert (answer, bool(why)) == (Answer.PERMANENT, True)
        case Retry(_, why, _, said):
            assert (said, bool(why)) == (answer, True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[" * 60_000, b"\xff\x00", b'{"code":null}'])
async def test_nonsense_with_a_success_status_is_not_believed(
    name: str, body: bytes, there: Cloud, opened: list[HttpChannel]
) -> None:
    there.answer = lambda _: web.Response(body=body, status=201 if name == "twilio" else 200)
    dialect = _dialect(name, there.url)
    reply = await _channel(dialect, opened).send(outgoing(dialect.kind))
    assert isinstance(reply, Retry)
    assert reply.answer is Answer.UNAVAILABLE


@pytest.mark.parametrize("name", ["wecom", "dingtalk", "feishu", "slack"])
async def test_a_hostile_title_mentions_nobody(name: str, there: Cloud, opened: list[HttpChannel]) -> None:
    dialect = _dialect(name, there.url)
    message = outgoing(IM, to="member-1", title=HOSTILE, because="x" * 500)
    assert isinstance(await _channel(dialect, opened).send(message), Accepted)

    text = json.dumps(there.seen, ensure_ascii=False)
    assert "<!channel>" not in text
    assert "<@U1>" not in text
    assert text.count("<at ") == (1 if name == "feishu" else 0)
    assert "🔥" in text


async def test_a_long_message_falls_back_to_the_short_form_with_its_link(
    there: Cloud, opened: list[HttpChannel]
) -> None:
    long = outgoing(IM, to="@all", title="长" * 500, because="因" * 500)
    assert len(long.text.plain.encode()) > 2048
    assert isinstance(await _channel(_dialect("wecom", there.url), opened).send(long), Accepted)
    assert LINK in there.seen[0]["text"]["content"]


@pytest.mark.parametrize("to", ['x"></at><at user_id="all', "a b", "<!here>", ""])
@pytest.mark.parametrize("name", ["wecom", "dingtalk", "feishu", "slack"])
async def test_a_contact_that_is_no_member_is_never_put_into_a_mention(
    name: str, to: str, there: Cloud, opened: list[HttpChannel]
) -> None:
    reply = await _channel(_dialect(name, there.url), opened).send(outgoing(IM, to=to))
    assert isinstance(reply, Reject)
    assert there.seen == []


@pytest.mark.parametrize("name", ["wecom", "dingtalk", "feishu", "slack"])
async def test_nobody_is_mentioned_and_nothing_is_linked_by_what_somebody_wrote(
    name: str, there: Cloud, opened: list[HttpChannel]
) -> None:
    title = '@all @所有人 <!channel> <@U999> <at user_id="all"></at> [确认](http://evil.example.com/a) ``` www.evil.cn'
    dialect = _dialect(name, there.url)
    to = "U012AB3CD" if name == "slack" else "13800000001"
    await _channel(dialect, opened).send(outgoing(dialect.kind, to=to, title=title, because=title))

    [seen] = there.seen
    text = json.dumps(seen, ensure_ascii=False)
    for sign in ("@all", "@所有人", "!channel>", "<@U999", '<at user_id=\\"all', "`", "evil.example", "www.evil"):
        assert sign not in text, sign
    assert "所有人" in text
    assert "evil[.]example[.]com" in text
    assert LINK in text.replace("&amp;", "&")
