"""SMS by Tencent Cloud: `SendSms` of the SMS service, version 2021-01-11."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from services.notifier.channels.channel import OutgoingMessage, Reject, Reply
from services.notifier.channels.http_channel import HttpCall, accepted, json_body, not_accepted, object_of
from services.notifier.channels.http_client import HttpAnswer
from services.notifier.channels.http_reply import refused
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import http_answer, tencent_answer
from services.notifier.domain.signatures import sign_tc3
from services.notifier.domain.template_parameters import TemplateParameter, filled
from shared.contracts.values import ChannelKind
from shared.runtime.clock import Clock

ENDPOINT: Final = "https://sms.tencentcloudapi.com"
_JSON: Final = "application/json; charset=utf-8"
_MAX_CONTEXT: Final = 512


@dataclass(frozen=True, slots=True)
class TencentSms:
    """`app_id`, `sign_name` and `template` are those of the provider's console; parameters go by their order."""

    secret_id: str
    secret_key: str
    app_id: str
    sign_name: str
    template: str
    parameters: Sequence[TemplateParameter]
    clock: Clock
    region: str = "ap-guangzhou"
    country: str = "86"
    endpoint: str = ENDPOINT
    kind: ChannelKind = ChannelKind.SMS

    def call(self, message: OutgoingMessage) -> HttpCall | Reject:
        body = json_body(
            {
                "PhoneNumberSet": [message.to if message.to.startswith("+") else f"+{self.country}{message.to}"],
                "SmsSdkAppId": self.app_id,
                "SignName": self.sign_name,
                "TemplateId": self.template,
                "TemplateParamSet": [filled(one, message.text, message.link) for one in self.parameters],
                "SessionContext": message.token[:_MAX_CONTEXT],
            }
        )
        host = urlsplit(self.endpoint).netloc
        signed = sign_tc3(
            body,
            host=host,
            service="sms",
            content_type=_JSON,
            secret_id=self.secret_id,
            secret_key=self.secret_key,
            now=self.clock.now(),
        )
        headers = {
            **signed,
            "Content-Type": _JSON,
            "Host": host,
            "X-TC-Action": "SendSms",
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": self.region,
        }
        return HttpCall(f"{self.endpoint}/", body, headers)

    def judge(self, response: HttpAnswer) -> Reply:
        """The whole request may be refused, or the one number in it; both with HTTP 200."""
        said = object_of(response).get("Response")
        if not isinstance(said, dict):
            answer = http_answer(response.status)
            return refused(response, Answer.UNAVAILABLE if answer is Answer.ACCEPTED else answer)
        error = said.get("Error")
        if isinstance(error, dict):
            return _refusal(error)
        sent = said.get("SendStatusSet")
        status = sent[0] if isinstance(sent, list) and sent and isinstance(sent[0], dict) else {}
        if status.get("Code") == "Ok":
            return accepted(status.get("SerialNo"), "Ok")
        return _refusal(status)


def _refusal(said: dict[str, object]) -> Reply:
    code = said.get("Code")
    if not isinstance(code, str):
        return not_accepted(Answer.UNAVAILABLE, "no code", "the answer has no code")
    return not_accepted(tencent_answer(code), code, said.get("Message"))
