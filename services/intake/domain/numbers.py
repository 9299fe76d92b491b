"""Case numbers as people say them: `2026-11-000123`, a group warning's `2026-11-W00012`; by organisation and month."""

import re
import unicodedata
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

# Numbers of tests, checks and duties (`T-2026-11-000123`) go on like those of cases.
_SPOKEN: Final = re.compile(
    r"(?<![0-9])(?<![a-z]-)(2[0-9]{3})\s?-?\s?(0[1-9]|1[0-2])\s?-?\s?([0-9]{6,9}|W\s?[0-9]{5,9})(?![0-9])",
    re.IGNORECASE,
)
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")


def month_of(received_at: datetime, zone: ZoneInfo) -> str:
    """`2026-11`: the month of the instant in the organisation's time zone."""
    return received_at.astimezone(zone).strftime("%Y-%m")


def number_text(month: str, count: int) -> str:
    """Six digits, more when a month has more than 999 999 cases."""
    return f"{month}-{count:06d}"


def find_number(text: str) -> str | None:
    """The first case number in the text, also in full-width digits or without hyphens; None when there is none."""
    return cut_number(text)[0]


def cut_number(text: str) -> tuple[str | None, str]:
    """The first case number, and what else stands in the text, on one line."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    found = _SPOKEN.search(plain)
    if found is None:
        return None, " ".join(plain.split())
    count = "".join(found[3].split()).upper()
    rest = f"{plain[: found.start()]} {plain[found.end() :]}"
    return f"{found[1]}-{found[2]}-{count}", " ".join(rest.split())
