"""Case numbers as people say them: `2026-11-000123`, counted per organisation and month."""

import re
import unicodedata
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

_SPOKEN: Final = re.compile(r"(?<![0-9])(2[0-9]{3})\s?-?\s?(0[1-9]|1[0-2])\s?-?\s?([0-9]{6,9})(?![0-9])")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")


def month_of(received_at: datetime, zone: ZoneInfo) -> str:
    """`2026-11`: the month of the instant in the organisation's time zone."""
    return received_at.astimezone(zone).strftime("%Y-%m")


def number_text(month: str, count: int) -> str:
    """Six digits, more when a month has more than 999 999 cases."""
    return f"{month}-{count:06d}"


def find_number(text: str) -> str | None:
    """The first case number in the text, also in full-width digits or without hyphens; None when there is none."""
    found = _SPOKEN.search(_DASHES.sub("-", unicodedata.normalize("NFKC", text)))
    return f"{found[1]}-{found[2]}-{found[3]}" if found else None
