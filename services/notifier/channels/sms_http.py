"""SMS through the sendsms interface of an HTTP gateway (Kannel and those that speak like it).

Source: Kannel 1.4.5 User's Guide, "Using the HTTP interface to send SMS messages" and "Delivery reports".
"""

from datetime import timedelta
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from services.notifier.channels.channel import Accepted, OutgoingMessage, Reply
from services.notifier.channels.http_client import HttpAnswer, HttpClient
from services.notifier.channels.http_reply import answered, refused, shown
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import sendsms_answer
from shared.contracts.values import ChannelKind
from shared.plans.sms_segments import is_gsm

# 1 delivered to phone, 2 not delivered, 16 refused by SMSC: the receipts that decide. 4 (queued on SMSC) and 8 (taken
# by SMSC) decide nothing and would double what every message costs on its way back.
_RECEIPTS_THAT_DECIDE: Final = "19"
_UCS2: Final = "2"
_GSM: Final = "0"
# The gateway fills these in when it calls back; sendsms passes the address on as it is.
_RECEIPT_FIELDS: Final = "?type=%d&text=%A&smsc=%i"


class SmsGateway:
    """One gateway. Credentials come from the address and are sent as the interface wants them: in the query."""

    def __init__(self, url: str, *, sender: str, timeout: timedelta, connections: int, name: str = "sms-http") -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the SMS gateway's address must be http://user:password@host:port/path")
        self._login = {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
        self._url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        self._sender = sender
        self._name = name
        self._http = HttpClient(timeout=timeout, connections=connections)

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.SMS

    async def send(self, message: OutgoingMessage) -> Reply:
        """Accepted means queued at the gateway: only a receipt tells whether it reached the phone."""
        text = message.text.sms
        parameters = {
            **self._login,
            "from": self._sender,
            "to": message.to,
            "text": text,
            "charset": "UTF-8",
            "coding": _GSM if is_gsm(text) else _UCS2,
            "dlr-mask": _RECEIPTS_THAT_DECIDE,
            "dlr-url": message.receipt_url + _RECEIPT_FIELDS,
        }
        return await answered(self._http.get(self._url, params=parameters), _judge)

    async def close(self) -> None:
        await self._http.close()


def _judge(response: HttpAnswer) -> Reply:
    answer = sendsms_answer(response.status)
    if answer is not Answer.ACCEPTED:
        return refused(response, answer)
    # "0: Accepted for delivery" or "3: Queued for later delivery", in some versions followed by an id.
    code, _, rest = shown(response).partition(":")
    if not code.strip().isdigit():
        # A success without the interface's own word is some other server: believing it would lose the message.
        return refused(response, Answer.UNAVAILABLE)
    identifier = rest.rpartition(":")[2].strip() if ":" in rest else ""
    return Accepted(provider_id=identifier or None, code=code.strip())
