"""Lengths of time as a plan writes them: `20s`, `15m`, `4wh`, `15wd`, `2cd`, `same-day`, `1mo`; `50%`, `-10m`."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

MAX_ELAPSED: Final = timedelta(days=3660)
MAX_WORKING_DAYS: Final = 2000
MAX_MONTHS: Final = 120
SAME_DAY: Final = "same-day"

_ELAPSED = re.compile(r"(?:[0-9]{1,9}[wdhms])+")
_PART = re.compile(r"([0-9]{1,9})([wdhms])")
_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_OTHER = re.compile(r"([0-9]{1,6})(wh|wd|cd|mo)")
_PERCENT = re.compile(r"([0-9]{1,2})%")

ELAPSED_PATTERN: Final = r"^([0-9]{1,9}[wdhms])+$"
LIMIT_PATTERN: Final = r"^(([0-9]{1,9}[wdhms])+|[0-9]{1,6}(wh|wd|cd|mo)|same-day)$"
WARNING_PATTERN: Final = r"^([0-9]{1,2}%|-([0-9]{1,9}[wdhms])+)$"


class LimitBase(StrEnum):
    """In what a limit is counted."""

    ELAPSED = "elapsed"  # seconds of the wall clock; a day is 24 hours
    WORKING_TIME = "working_time"  # seconds inside working hours of the plan's calendar
    WORKING_DAYS = "working_days"  # working days of the plan's calendar
    CALENDAR_DAYS = "calendar_days"  # days of the plan's time zone, working or not; 0 is the day of the start
    MONTHS = "months"  # calendar months in the plan's time zone


@dataclass(frozen=True, slots=True)
class Limit:
    """A length of time in its own base. `amount` is seconds (elapsed, working time), days or months.

    `day_zero` and `ends` say how days and months are counted, as in a plan's `basis`; nothing else regards them.
    """

    base: LimitBase
    amount: int
    day_zero: Literal["start", "before"] = "start"
    ends: Literal["end-of-day", "same-time", "end-of-hours"] = "end-of-day"

    @property
    def text(self) -> str:
        """As a plan writes it: `1h30m`, `4wh`, `15wd`, `2cd`, `same-day`, `1mo`. `parse_limit` reads it back."""
        match self.base:
            case LimitBase.ELAPSED:
                return _elapsed_text(self.amount)
            case LimitBase.WORKING_TIME:
                return f"{self.amount // _SECONDS['h']}wh"
            case LimitBase.WORKING_DAYS:
                return f"{self.amount}wd"
            case LimitBase.CALENDAR_DAYS:
                return f"{self.amount}cd" if self.amount else SAME_DAY
            case LimitBase.MONTHS:
                return f"{self.amount}mo"

    @property
    def elapsed(self) -> timedelta:
        """The length on the wall clock. Raises ValueError for every other base: only a calendar can tell."""
        if self.base is not LimitBase.ELAPSED:
            raise ValueError(f"a limit in {self.base} has no fixed length")
        return timedelta(seconds=self.amount)


@dataclass(frozen=True, slots=True)
class Threshold:
    """When a clock warns before it runs out: at a percentage of its limit or a lead before its end."""

    text: str
    percent: int | None
    lead: timedelta | None

    def offset(self, limit: timedelta) -> timedelta:
        """How long after the clock's start it warns; zero when the lead is longer than the limit."""
        if self.percent is not None:
            return limit * self.percent / 100
        return max(limit - (self.lead or timedelta()), timedelta())


def _elapsed_text(seconds: int) -> str:
    found = ""
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, _SECONDS[unit])
        found += f"{count}{unit}" if count else ""
    return found or "0s"


def parse_elapsed(text: str) -> timedelta:
    """`90s`, `15m`, `1h30m`, `2d`, `1w` as a length on the wall clock. Raises ValueError saying what is accepted."""
    if not _ELAPSED.fullmatch(text):
        raise ValueError(f"'{text[:40]}' is not a length of time such as 20s, 15m, 2h, 1h30m or 1d")
    length = timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text)))
    if length > MAX_ELAPSED:
        raise ValueError(f"'{text[:40]}' is longer than {MAX_ELAPSED.days} days")
    return length


def parse_limit(text: str) -> Limit:
    """A clock's limit with its base. Raises ValueError saying what is accepted, and for a limit of nothing."""
    other = _OTHER.fullmatch(text)
    if text == SAME_DAY:
        return Limit(LimitBase.CALENDAR_DAYS, 0)
    if other is None:
        try:
            limit = Limit(LimitBase.ELAPSED, round(parse_elapsed(text).total_seconds()))
        except ValueError as error:
            raise ValueError(
                f"{error} (or 4wh working hours, 15wd working days, 2cd calendar days, 1mo months, same-day)"
            ) from error
    else:
        limit = _calendar_limit(int(other[1]), other[2], text)
    if limit.amount == 0:
        raise ValueError("a limit must be longer than nothing")
    return limit


def _calendar_limit(count: int, unit: str, text: str) -> Limit:
    if unit == "wh":
        limit, ceiling = Limit(LimitBase.WORKING_TIME, count * 3_600), MAX_WORKING_DAYS * 24 * 3_600
    elif unit == "wd":
        limit, ceiling = Limit(LimitBase.WORKING_DAYS, count), MAX_WORKING_DAYS
    elif unit == "cd":
        limit, ceiling = Limit(LimitBase.CALENDAR_DAYS, count), MAX_ELAPSED.days
    else:
        limit, ceiling = Limit(LimitBase.MONTHS, count), MAX_MONTHS
    if limit.amount > ceiling:
        raise ValueError(f"'{text}' is too long")
    return limit


def parse_threshold(text: str) -> Threshold:
    """`50%` or `-10m`. Raises ValueError saying what is accepted."""
    percent = _PERCENT.fullmatch(text)
    if percent is not None:
        if not int(percent[1]) >= 1:
            raise ValueError("a warning at 0% is no warning")
        return Threshold(text, int(percent[1]), None)
    if text.startswith("-"):
        return Threshold(text, None, parse_elapsed(text[1:]))
    raise ValueError(f"'{text[:40]}' is neither a percentage such as 50% nor a lead such as -10m")


def checked_elapsed(text: str) -> str:
    """The same text when it is a length on the wall clock; raises ValueError otherwise."""
    parse_elapsed(text)
    return text


def checked_limit(text: str) -> str:
    """The same text when it is a limit; raises ValueError otherwise."""
    parse_limit(text)
    return text


def checked_threshold(text: str) -> str:
    """The same text when it is a warning threshold; raises ValueError otherwise."""
    parse_threshold(text)
    return text
