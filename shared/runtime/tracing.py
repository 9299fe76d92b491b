"""W3C Trace Context carried from the first request through every hop, whether or not an exporter is installed."""

import re
import secrets
from typing import Final

_FORM: Final = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_ZERO_TRACE: Final = "0" * 32
_ZERO_SPAN: Final = "0" * 16


def next_span(traceparent: str | None) -> str:
    """A new span in the given trace; a new trace when there is none or it is malformed (as the standard asks)."""
    trace = trace_id(traceparent)
    return f"00-{trace or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str | None) -> str | None:
    """The trace's 32 hex digits, or None when the header is absent or malformed."""
    match = _FORM.fullmatch(traceparent) if traceparent else None
    if match is None or match[1] == _ZERO_TRACE or match[2] == _ZERO_SPAN:
        return None
    return match[1]
