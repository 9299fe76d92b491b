"""W3C Trace Context carried from the first request through every hop, whether or not an exporter is installed."""

import re
import secrets
from typing import Final

_FORM: Final = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_ZERO_TRACE: Final = "0" * 32
_ZERO_SPAN: Final = "0" * 16
_PAGE: Final = 240


class _Chance:
    """Random hex digits of the system, fetched by the page: a call for each mark costs more than the whole span."""

    def __init__(self) -> None:
        self._page = ""

    def digits(self, count: int) -> str:
        if len(self._page) < count:
            self._page = secrets.token_hex(_PAGE)
        taken, self._page = self._page[:count], self._page[count:]
        return taken


_CHANCE: Final = _Chance()


def next_span(traceparent: str | None) -> str:
    """A new span in the given trace; a new trace when there is none or it is malformed (as the standard asks)."""
    return f"00-{trace_id(traceparent) or _CHANCE.digits(32)}-{_CHANCE.digits(16)}-01"


def trace_id(traceparent: str | None) -> str | None:
    """The trace's 32 hex digits, or None when the header is absent or malformed."""
    match = _FORM.fullmatch(traceparent) if traceparent else None
    if match is None or match[1] == _ZERO_TRACE or match[2] == _ZERO_SPAN:
        return None
    return match[1]
