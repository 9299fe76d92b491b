"""How cloud providers want their requests signed. Pure: the request, the key and the instant in, headers out.

Sources: Tencent Cloud API 3.0 "Signature v3" (TC3-HMAC-SHA256); Alibaba Cloud "V3 request structure and signature"
(ACS3-HMAC-SHA256); DingTalk "custom robot: security settings"; Feishu "custom bot: signature verification".
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

_TC3: Final = "TC3-HMAC-SHA256"
_ACS3: Final = "ACS3-HMAC-SHA256"
_MILLISECONDS: Final = 1000


def sign_tc3(
    body: bytes, *, host: str, service: str, content_type: str, secret_id: str, secret_key: str, now: datetime
) -> dict[str, str]:
    """`Authorization` and `X-TC-Timestamp` of a POST to `/`; the signature holds for five minutes around `now`."""
    timestamp = str(int(now.timestamp()))
    day = now.astimezone(UTC).strftime("%Y-%m-%d")
    signed = "content-type;host"
    canonical = "\n".join(("POST", "/", "", f"content-type:{content_type}", f"host:{host}", "", signed, _sha256(body)))
    scope = f"{day}/{service}/tc3_request"
    text = "\n".join((_TC3, timestamp, scope, _sha256(canonical.encode())))
    key = f"TC3{secret_key}".encode()
    for part in (day, service, "tc3_request"):
        key = _hmac(key, part)
    signature = _hmac(key, text).hex()
    return {
        "Authorization": f"{_TC3} Credential={secret_id}/{scope}, SignedHeaders={signed}, Signature={signature}",
        "X-TC-Timestamp": timestamp,
    }


def sign_acs3(
    query: Mapping[str, str],
    body: bytes,
    *,
    host: str,
    action: str,
    version: str,
    nonce: str,
    key_id: str,
    key_secret: str,
    now: datetime,
) -> dict[str, str]:
    """All headers of an RPC-style POST to `/`; `nonce` must be new for every request, `now` within 15 minutes."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": _sha256(body),
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    signed = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = "\n".join(("POST", "/", acs3_query(query), lines, signed, headers["x-acs-content-sha256"]))
    signature = _hmac(key_secret.encode(), f"{_ACS3}\n{_sha256(canonical.encode())}").hex()
    return {
        **headers,
        "Authorization": f"{_ACS3} Credential={key_id},SignedHeaders={signed},Signature={signature}",
    }


def acs3_query(query: Mapping[str, str]) -> str:
    """The query as it is signed, and so as it must be sent."""
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


def sign_dingtalk(secret: str, now: datetime) -> dict[str, str]:
    """`timestamp` (milliseconds) and `sign` for the query of a robot's address; valid for an hour."""
    timestamp = str(int(now.timestamp() * _MILLISECONDS))
    digest = _hmac(secret.encode(), f"{timestamp}\n{secret}")
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def sign_feishu(secret: str, now: datetime) -> dict[str, str]:
    """`timestamp` (seconds) and `sign` for a bot's body; valid for an hour. The text is the key, the message empty."""
    timestamp = str(int(now.timestamp()))
    digest = _hmac(f"{timestamp}\n{secret}".encode(), "")
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
