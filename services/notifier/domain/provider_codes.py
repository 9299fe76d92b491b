"""What providers' answers mean for delivery, as data: permanent, passing, or the provider's own trouble.

Sources: RFC 5321 §4.2.3 and §4.3.2 and RFC 3463 (SMTP); Kannel 1.4.5 User's Guide, "sendsms" return codes; RFC 9110
§15 (HTTP). A code that is not listed follows its class.
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
_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500
_SUCCESS: Final = range(200, 300)


def smtp_answer(code: int) -> Answer:
    """For the reply to one command."""
    return SMTP.get(code, Answer.PERMANENT if code >= _SERVER_ERROR else Answer.TRANSIENT)


def http_answer(status: int) -> Answer:
    """For a webhook's status."""
    return _of_class(status, HTTP)


def sendsms_answer(status: int) -> Answer:
    """For a status of the sendsms interface, which knows no idempotency key."""
    return _of_class(status, _SENDSMS)


def _of_class(status: int, known: Mapping[int, Answer]) -> Answer:
    if status in known:
        return known[status]
    if status in _SUCCESS:
        return Answer.ACCEPTED
    if status >= _SERVER_ERROR:
        return Answer.TRANSIENT
    return Answer.PERMANENT if status >= _BAD_REQUEST else Answer.UNAVAILABLE
