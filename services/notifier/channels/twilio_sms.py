"""SMS by Twilio: the Messages resource of its REST API, version 2010-04-01; receipts come by `StatusCallback`."""

import base64
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from services.notifier.channels.channel import OutgoingMessage, Reject, Reply
from services.notifier.channels.http_channel import HttpCall, accepted, not_accepted, object_of
from services.notifier.channels.http_client import HttpAnswer
from services.notifier.channels.http_reply import refused
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import http_answer, twilio_answer
from shared.contracts.values import ChannelKind

ENDPOINT: Final = "https://api.twilio.com"
_CREATED: Final = 201
_MAX_BODY: Final = 1600


@dataclass(frozen=True, slots=True)
class TwilioSms:
    """`sender` is a number in E.164 or the id of a messaging service (`MG…`)."""

    account: str
    auth_token: str
    sender: str
    country: str = "86"
    endpoint: str = ENDPOINT
    kind: ChannelKind = ChannelKind.SMS

    def call(self, message: OutgoingMessage) -> HttpCall | Reject:
        if len(message.text.sms) > _MAX_BODY:
            return Reject(f"the text is longer than {_MAX_BODY} characters")
        fields = {
            "To": message.to if message.to.startswith("+") else f"+{self.country}{message.to}",
            ("MessagingServiceSid" if self.sender.startswith("MG") else "From"): self.sender,
            "Body": message.text.sms,
            "StatusCallback": message.receipt_url,
        }
        login = base64.b64encode(f"{self.account}:{self.auth_token}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self.endpoint}/2010-04-01/Accounts/{quote(self.account, safe='')}/Messages.json"
        return HttpCall(url, urlencode(fields).encode(), headers)

    def judge(self, response: HttpAnswer) -> Reply:
        said = object_of(response)
        if response.status == _CREATED and isinstance(said.get("sid"), str):
            return accepted(said["sid"], response.status)
        code = said.get("code")
        if isinstance(code, int):
            return not_accepted(twilio_answer(code, response.status), code, said.get("message"))
        answer = http_answer(response.status)
        return refused(response, Answer.UNAVAILABLE if answer is Answer.ACCEPTED else answer)
