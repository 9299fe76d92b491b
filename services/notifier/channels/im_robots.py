"""Group robots of WeCom, DingTalk, Feishu and Slack. The contact point says who is mentioned in the group.

Sources: WeCom "group robot configuration"; DingTalk "custom robot" and "security settings"; Feishu "custom bot usage
guide"; Slack "Sending messages using incoming webhooks" and "Formatting text". None of them gives receipts, and none
has an idempotency key: a message whose answer was lost may be shown twice.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from services.notifier.channels.channel import OutgoingMessage, Reject, Reply
from services.notifier.channels.http_channel import HttpCall, accepted, json_body, not_accepted, object_of
from services.notifier.channels.http_client import HttpAnswer
from services.notifier.channels.http_reply import refused
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import dingtalk_answer, feishu_answer, http_answer, wecom_answer
from services.notifier.domain.signatures import sign_dingtalk, sign_feishu
from shared.contracts.values import ChannelKind
from shared.runtime.clock import Clock

_JSON: Final = {"content-type": "application/json; charset=utf-8"}
_MEMBER: Final = re.compile(r"@?[A-Za-z0-9_.@-]{1,100}")
_PHONE: Final = re.compile(r"\+?[0-9]{5,20}")
_EVERYBODY: Final = "@all"
_WECOM_BYTES: Final = 2048
_DINGTALK_BYTES: Final = 18_000
_FEISHU_BYTES: Final = 18_000
_SLACK_BYTES: Final = 35_000
_A_MINUTE: Final = timedelta(seconds=60)
# Marks that a robot's platform would read as a mention, a link or a box of code around ours.
_NO_MARKS: Final = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})


@dataclass(frozen=True, slots=True)
class WecomRobot:
    """`url` holds the robot's key."""

    url: str
    kind: ChannelKind = ChannelKind.IM

    def call(self, message: OutgoingMessage) -> HttpCall | Reject:
        to = _member(message.to)
        if isinstance(to, Reject):
            return to
        mentioned = {"mentioned_mobile_list" if _PHONE.fullmatch(to) else "mentioned_list": [to]}
        text = {"content": _fitting(message, _WECOM_BYTES).translate(_NO_MARKS), **mentioned}
        return HttpCall(self.url, json_body({"msgtype": "text", "text": text}), _JSON)

    def judge(self, response: HttpAnswer) -> Reply:
        return _judged(response, wecom_answer, ("errcode", "errmsg"))


@dataclass(frozen=True, slots=True)
class DingtalkRobot:
    """`url` holds the access token; `secret` is that of the robot's signature."""

    url: str
    secret: str | None
    clock: Clock
    kind: ChannelKind = ChannelKind.IM

    def call(self, message: OutgoingMessage) -> HttpCall | Reject:
        to = _member(message.to)
        if isinstance(to, Reject):
            return to
        content = _fitting(message, _DINGTALK_BYTES).translate(_NO_MARKS)
        at: dict[str, Any] = {"isAtAll": to == _EVERYBODY}
        if to != _EVERYBODY:
            at["atMobiles" if _PHONE.fullmatch(to) else "atUserIds"] = [to]
            content = f"{content}\n@{to}"
        body = json_body({"msgtype": "text", "text": {"content": content}, "at": at})
        url, _, query = self.url.partition("?")
        if self.secret is not None:
            query = "&".join((*([query] if query else []), urlencode(sign_dingtalk(self.secret, self.clock.now()))))
        return HttpCall(url, body, _JSON, query)

    def judge(self, response: HttpAnswer) -> Reply:
        return _judged(response, dingtalk_answer, ("errcode", "errmsg"))


@dataclass(frozen=True, slots=True)
class FeishuBot:
    """`url` names the bot; `secret` is that of its signature."""

    url: str
    secret: str | None
    clock: Clock
    kind: ChannelKind = ChannelKind.IM

    def call(self, message: OutgoingMessage) -> HttpCall | Reject:
        to = _member(message.to)
        if isinstance(to, Reject):
            return to
        mention = "all" if to == _EVERYBODY else to
        text = f'<at user_id="{mention}"></at>\n{_fitting(message, _FEISHU_BYTES).translate(_NO_MARKS)}'
        signed = {} if self.secret is None else sign_feishu(self.secret, self.clock.now())
        return HttpCall(self.url, json_body({**signed, "msg_type": "text", "content": {"text": text}}), _JSON)

    def judge(self, response: HttpAnswer) -> Reply:
        return _judged(response, feishu_answer, ("code", "msg"), ("StatusCode", "StatusMessage"))


@dataclass(frozen=True, slots=True)
class SlackWebhook:
    """An incoming webhook. A contact such as `U012AB3CD` is mentioned; `@all` notifies the channel."""

    url: str
    kind: ChannelKind = ChannelKind.IM

    def call(self, message: OutgoingMessage) -> HttpCall | Reject:
        to = _member(message.to)
        if isinstance(to, Reject):
            return to
        mention = "<!channel>" if to == _EVERYBODY else f"<@{to.removeprefix('@')}>"
        text = _fitting(message, _SLACK_BYTES).translate(_NO_MARKS).replace("&", "&amp;")
        return HttpCall(self.url, json_body({"text": f"{mention}\n{text}"}), _JSON)

    def judge(self, response: HttpAnswer) -> Reply:
        """Slack says `ok` in plain text; everything else is an error word with a matching status."""
        answer = http_answer(response.status)
        if answer is Answer.ACCEPTED and response.content.strip() == b"ok":
            return accepted(None, "ok")
        if answer in {Answer.ACCEPTED, Answer.PERMANENT}:
            # A refused payload or an archived channel: nothing that is wrong with the person's address.
            answer = Answer.UNAVAILABLE
        return refused(response, answer)


def _member(to: str) -> str | Reject:
    return to if _MEMBER.fullmatch(to) else Reject("the contact is not a member's id, a phone number or @all")


def _fitting(message: OutgoingMessage, limit: int) -> str:
    """The full text when it fits, else the short one, which always keeps case, level and link."""
    plain = message.text.plain
    return plain if len(plain.encode()) <= limit else message.text.sms


def _number(said: dict[str, Any], name: str) -> int | None:
    value = said.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _judged(response: HttpAnswer, answer_of: Callable[[int], Answer], *fields: tuple[str, str]) -> Reply:
    """By the first number and words the platform gives; `fields` names the two as the platform calls them."""
    said = object_of(response)
    code = next((found for number, _ in fields if (found := _number(said, number)) is not None), None)
    if code is None:
        return _nonsense(response)
    answer = answer_of(code)
    if answer is Answer.ACCEPTED:
        return accepted(None, code)
    words = next((said[text] for _, text in fields if text in said), None)
    after = _A_MINUTE if answer is Answer.TRANSIENT else timedelta()
    return not_accepted(answer, code, words, after=after)


def _nonsense(response: HttpAnswer) -> Reply:
    """A success without the platform's own word is some other server: believing it would lose the message."""
    answer = http_answer(response.status)
    return refused(response, Answer.UNAVAILABLE if answer in {Answer.ACCEPTED, Answer.PERMANENT} else answer)
