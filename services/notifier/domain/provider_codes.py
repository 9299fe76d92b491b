"""What providers' answers mean for delivery, as data: permanent, passing, or the provider's own trouble.

Sources: RFC 5321 §4.2.3 and §4.3.2 and RFC 3463 (SMTP); Kannel 1.4.5 User's Guide, "sendsms" return codes; RFC 9110
§15 (HTTP); SMPP 3.4 §5.1.3 and SMPP 5.0 §4.7.6; the error code pages of Alibaba Cloud SMS, Tencent Cloud SMS, Twilio,
WeCom, DingTalk and Feishu. A code that is not listed follows its class; where codes have no classes it counts as the
provider's own trouble, so that another one is tried and nothing is given up for good.
"""

from collections.abc import Mapping
from typing import Final

from services.notifier.domain.delivery import Answer

SMTP: Final[Mapping[int, Answer]] = {
    421: Answer.UNAVAILABLE,  # closing the channel
    432: Answer.UNAVAILABLE,  # a password transition is needed
    450: Answer.TRANSIENT,  # mailbox busy, greylisting
    451: Answer.TRANSIENT,
    452: Answer.TRANSIENT,  # storage or too many recipients
    454: Answer.UNAVAILABLE,  # authentication failed for now
    530: Answer.UNAVAILABLE,  # authentication required: our configuration, not the address
    534: Answer.UNAVAILABLE,
    535: Answer.UNAVAILABLE,  # credentials refused
    538: Answer.UNAVAILABLE,
    550: Answer.PERMANENT,
    551: Answer.PERMANENT,
    552: Answer.PERMANENT,
    553: Answer.PERMANENT,
    554: Answer.PERMANENT,
}
HTTP: Final[Mapping[int, Answer]] = {
    401: Answer.UNAVAILABLE,
    402: Answer.UNAVAILABLE,
    403: Answer.UNAVAILABLE,  # wrong credentials or address not allowed
    404: Answer.UNAVAILABLE,  # a wrong path, not a wrong receiver
    405: Answer.UNAVAILABLE,
    407: Answer.UNAVAILABLE,
    408: Answer.TRANSIENT,
    409: Answer.ACCEPTED,  # the same idempotency key again: it has the message already
    425: Answer.TRANSIENT,
    429: Answer.TRANSIENT,
}
_SENDSMS: Final[Mapping[int, Answer]] = {**HTTP, 409: Answer.PERMANENT}
# What is wrong with the number itself; everything else is about our account, our text or the provider.
ALIBABA: Final[Mapping[str, Answer]] = {
    "OK": Answer.ACCEPTED,
    "isv.MOBILE_NUMBER_ILLEGAL": Answer.PERMANENT,
    "isv.BUSINESS_LIMIT_CONTROL": Answer.UNAVAILABLE,  # per number and hour: waiting a little does not help
    "isp.SYSTEM_ERROR": Answer.TRANSIENT,
    "isp.RAM_PERMISSION_DENY": Answer.UNAVAILABLE,
    "isv.SYSTEM_ERROR": Answer.TRANSIENT,
    "ServiceUnavailable": Answer.TRANSIENT,
    "InternalError": Answer.TRANSIENT,
}
TENCENT: Final[Mapping[str, Answer]] = {
    "InvalidParameterValue.IncorrectPhoneNumber": Answer.PERMANENT,
    "FailedOperation.PhoneNumberInBlacklist": Answer.PERMANENT,
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber": Answer.PERMANENT,
    "RequestLimitExceeded": Answer.TRANSIENT,
    "LimitExceeded.DeliveryFrequencyLimit": Answer.TRANSIENT,
    "InternalError": Answer.TRANSIENT,
}
TWILIO: Final[Mapping[int, Answer]] = {
    20429: Answer.TRANSIENT,
    21211: Answer.PERMANENT,  # not a phone number
    21610: Answer.PERMANENT,  # the receiver has said STOP
    21611: Answer.TRANSIENT,  # the queue of this sender is full
    21614: Answer.PERMANENT,  # not a mobile number
}
WECOM: Final[Mapping[int, Answer]] = {0: Answer.ACCEPTED, -1: Answer.TRANSIENT, 45009: Answer.TRANSIENT}
DINGTALK: Final[Mapping[int, Answer]] = {
    0: Answer.ACCEPTED,
    -1: Answer.TRANSIENT,
    130101: Answer.TRANSIENT,
    410100: Answer.TRANSIENT,
}
FEISHU: Final[Mapping[int, Answer]] = {0: Answer.ACCEPTED, 9499: Answer.TRANSIENT, 11232: Answer.TRANSIENT}
SMPP: Final[Mapping[int, Answer]] = {
    0x00: Answer.ACCEPTED,
    0x08: Answer.TRANSIENT,  # system error
    0x0A: Answer.UNAVAILABLE,  # our sender address
    0x0B: Answer.PERMANENT,  # destination address
    0x14: Answer.TRANSIENT,  # queue full
    0x33: Answer.PERMANENT,  # number of destinations
    0x45: Answer.TRANSIENT,  # submit failed
    0x48: Answer.UNAVAILABLE,  # type of our sender address
    0x49: Answer.UNAVAILABLE,
    0x50: Answer.PERMANENT,  # type of the destination address
    0x51: Answer.PERMANENT,
    0x58: Answer.TRANSIENT,  # throttled
    0x64: Answer.TRANSIENT,  # the application says: not now
    0x65: Answer.PERMANENT,
    0xFE: Answer.TRANSIENT,
}
_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500
_SUCCESS: Final = range(200, 300)
_REFUSALS: Final = range(400, 600)


def smtp_answer(code: int) -> Answer:
    """For the reply to one command. A code that SMTP does not have is the server's trouble."""
    if code in SMTP or not is_smtp_refusal(code):
        return SMTP.get(code, Answer.UNAVAILABLE)
    return Answer.PERMANENT if code >= _SERVER_ERROR else Answer.TRANSIENT


def is_smtp_refusal(code: int) -> bool:
    """RFC 5321 §4.2.1: only these say that the command was not carried out."""
    return code in _REFUSALS


def http_answer(status: int) -> Answer:
    """For a webhook's status."""
    return _of_class(status, HTTP)


def sendsms_answer(status: int) -> Answer:
    """For a status of the sendsms interface, which knows no idempotency key."""
    return _of_class(status, _SENDSMS)


def alibaba_answer(code: str) -> Answer:
    """For `Code` of `SendSms`."""
    return Answer.TRANSIENT if code.startswith("Throttling") else ALIBABA.get(code, Answer.UNAVAILABLE)


def tencent_answer(code: str) -> Answer:
    """For the code of a request or of one number; subcodes follow what stands before the dot."""
    return TENCENT.get(code) or TENCENT.get(code.partition(".")[0]) or Answer.UNAVAILABLE


def twilio_answer(code: int, status: int) -> Answer:
    """For `code` of an error answer with that HTTP status."""
    return TWILIO.get(code, Answer.TRANSIENT if status >= _SERVER_ERROR else Answer.UNAVAILABLE)


def wecom_answer(code: int) -> Answer:
    return WECOM.get(code, Answer.UNAVAILABLE)


def dingtalk_answer(code: int) -> Answer:
    return DINGTALK.get(code, Answer.UNAVAILABLE)


def feishu_answer(code: int) -> Answer:
    return FEISHU.get(code, Answer.UNAVAILABLE)


def smpp_answer(status: int) -> Answer:
    """For `command_status` of a `submit_sm_resp`."""
    return SMPP.get(status, Answer.UNAVAILABLE)


def _of_class(status: int, known: Mapping[int, Answer]) -> Answer:
    if status in known:
        return known[status]
    if status in _SUCCESS:
        return Answer.ACCEPTED
    if status >= _SERVER_ERROR:
        return Answer.TRANSIENT
    return Answer.PERMANENT if status >= _BAD_REQUEST else Answer.UNAVAILABLE
