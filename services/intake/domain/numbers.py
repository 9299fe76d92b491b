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
    numbers, _ = cut_numbers(text)
    return numbers[0] if numbers else None


def cut_numbers(text: str) -> tuple[list[str], list[str]]:
    """The case numbers in their order, and what stands before, between and after them, each on one line."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    numbers: list[str] = []
    between: list[str] = []
    end = 0
    for found in _SPOKEN.finditer(plain):
        count = "".join(found[3].split()).upper()
        numbers.append(f"{found[1]}-{found[2]}-{count}")
        between.append(" ".join(plain[end : found.start()].split()))
        end = found.end()
    return numbers, [*between, " ".join(plain[end:].split())]
