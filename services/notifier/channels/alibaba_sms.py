"""SMS by Alibaba Cloud: `SendSms` of the SMS service, version 2017-05-25.

Mainland SMS are templates with parameters; which of our texts fills which parameter is configured. `OutId` comes
back in the delivery report, so it carries the signed part of the receipt address: intake needs no look-up.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from services.notifier.channels.channel import OutgoingMessage, Reject, Reply
from services.notifier.channels.http_channel import HttpCall, accepted, not_accepted, object_of
from services.notifier.channels.http_client import HttpAnswer
from services.notifier.channels.http_reply import refused
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import alibaba_answer, http_answer
from services.notifier.domain.signatures import acs3_query, sign_acs3
from services.notifier.domain.template_parameters import TemplateParameter, filled
from shared.contracts.values import ChannelKind
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids

ENDPOINT: Final = "https://dysmsapi.aliyuncs.com"


@dataclass(frozen=True, slots=True)
class AlibabaSms:
    """`sign_name` and `template` are those approved by the provider."""

    key_id: str
    key_secret: str
    sign_name: str
    template: str
    parameters: Mapping[str, TemplateParameter]
    clock: Clock
    ids: Ids
    endpoint: str = ENDPOINT
    kind: ChannelKind = ChannelKind.SMS

    def call(self, message: OutgoingMessage) -> HttpCall | Reject:
        values = {name: filled(one, message.text, message.link) for name, one in self.parameters.items()}
        query = {
            "OutId": message.receipt_url.rpartition("/")[2],
            "PhoneNumbers": message.to.removeprefix("+86").removeprefix("+"),
            "SignName": self.sign_name,
            "TemplateCode": self.template,
            "TemplateParam": json.dumps(values, ensure_ascii=False),
        }
        headers = sign_acs3(
            query,
            b"",
            host=urlsplit(self.endpoint).netloc,
            action="SendSms",
            version="2017-05-25",
            nonce=self.ids.new().hex,
            key_id=self.key_id,
            key_secret=self.key_secret,
            now=self.clock.now(),
        )
        return HttpCall(f"{self.endpoint}/", b"", headers, acs3_query(query))

    def judge(self, response: HttpAnswer) -> Reply:
        """The code in the body decides: most refusals come with HTTP 200."""
        said = object_of(response)
        code = said.get("Code")
        if not isinstance(code, str):
            answer = http_answer(response.status)
            return refused(response, Answer.UNAVAILABLE if answer is Answer.ACCEPTED else answer)
        answer = alibaba_answer(code)
        if answer is Answer.ACCEPTED:
            return accepted(said.get("BizId"), code)
        return not_accepted(answer, code, said.get("Message"))
