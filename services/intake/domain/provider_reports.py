"""Reports of providers that come to one address for all messages, and signatures of those that sign. Pure.

Sources: Alibaba Cloud SMS "SmsReport"; Tencent Cloud SMS "SMS Sending Status Notification" (382/43547); Twilio
"Security: validating requests".
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

from services.intake.domain.receipts import Receipt, read_fields
from shared.contracts.json_guard import UnreadableError

_MOST: Final = 1000
_LONGEST_ID: Final = 200
_TENCENT: Final = {"SUCCESS": "delivered", "FAIL": "undelivered"}


def read_alibaba(items: Sequence[Any]) -> list[tuple[str, Receipt]]:
    """Signed address and receipt of each report. Raises UnreadableError naming the first that is none."""
    if len(items) > _MOST:
        raise UnreadableError(f"has more than {_MOST} reports", field="body")
    found: list[tuple[str, Receipt]] = []
    for place, one in enumerate(items):
        if not isinstance(one, dict) or not isinstance(one.get("success"), bool):
            raise UnreadableError("must be a report with success true or false", field=f"{place}.success")
        token = one.get("out_id")
        if not isinstance(token, str):
            raise UnreadableError("must be the out_id given at sending", field=f"{place}.out_id")
        fields = {
            "status": "delivered" if one["success"] else "undelivered",
            "message_id": one.get("biz_id"),
            "code": one.get("err_code"),
            "detail": one.get("err_msg"),
        }
        found.append((token, read_fields(fields)))
    return found


def read_tencent(items: Sequence[Any]) -> list[tuple[str, Receipt]]:
    """The provider's message id and the receipt of each report. Raises UnreadableError naming the first that is none.

    `sid` is the `SerialNo` that sending answered; nothing of ours comes back.
    """
    if len(items) > _MOST:
        raise UnreadableError(f"has more than {_MOST} reports", field="body")
    found: list[tuple[str, Receipt]] = []
    for place, one in enumerate(items):
        if not isinstance(one, dict) or str(one.get("report_status")) not in _TENCENT:
            raise UnreadableError("must be a report with SUCCESS or FAIL", field=f"{place}.report_status")
        message = one.get("sid")
        if not isinstance(message, str) or not 0 < len(message) <= _LONGEST_ID:
            raise UnreadableError("must be the id given at sending", field=f"{place}.sid")
        fields = {
            "status": _TENCENT[one["report_status"]],
            "message_id": message,
            "code": one.get("errmsg"),
            "detail": one.get("description"),
        }
        found.append((message, read_fields(fields)))
    return found


def is_from_twilio(given: str | None, *, url: str, fields: Sequence[tuple[str, str]], token: str) -> bool:
    """True when `X-Twilio-Signature` fits the whole address and the form, made with the account's token."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    wanted = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return given is not None and hmac.compare_digest(given.encode(), wanted.encode())
