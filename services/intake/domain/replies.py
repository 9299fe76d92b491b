"""Replies by SMS: what a person wants, and about which case.

`签收 2026-11-000123` or `1 …` acknowledges, `全部签收` acknowledges everything this person was paged for,
`已解决 …` resolves, `无法处理 …` hands on, `停` asks for quiet, `验证 123456` gives the code back that proves whose the
number is. In English: ack, ack all, resolved, cannot, stop, verify.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.intake.domain.numbers import find_number


class Wish(StrEnum):
    """What a reply asks for. Those about one case carry its number."""

    ACKNOWLEDGE = "acknowledge"
    ACKNOWLEDGE_ALL = "acknowledge-all"
    RESOLVE = "resolve"
    CANNOT_HANDLE = "cannot-handle"
    STOP = "stop"
    VERIFY = "verify"


_CODE: Final = re.compile(r"^\s*(?:验证码?|verify|code)\s*[:：]?\s*([0-9]{6})\s*[。.!！]*\s*$", re.IGNORECASE)
_ABOUT_ALL: Final = frozenset({Wish.ACKNOWLEDGE_ALL, Wish.STOP})
_END: Final = r"(?![0-9a-z])"
# In this order: the longer word of two that begin alike comes first.
_WORDS: Final = (
    (
        Wish.ACKNOWLEDGE_ALL,
        rf"全部(?:签收|确认|收到)|(?:签收|确认)全部|(?:1\s*a(?:ll)?|ack(?:nowledge)?\s*all|all){_END}",
    ),
    (Wish.RESOLVE, rf"已?解决|已处理完|(?:3|resolved?|fixed|done){_END}"),
    (Wish.CANNOT_HANDLE, rf"(?:无法|不能)处理|(?:4|can(?:no|')?t(?:\s+handle)?|cannot\s+handle|pass){_END}"),
    (Wish.STOP, rf"停止?|退订|stop{_END}"),
    (Wish.ACKNOWLEDGE, rf"签收|已签收|确认|收到|已收到|已确认|(?:1|ack(?:nowledged?)?|ok|y(?:es)?){_END}"),
)
# What is about everything stands alone: `停电了` is no wish for quiet.
_ALONE: Final = r"\s*[。.!！]*\s*$"
_PATTERNS: Final = tuple(
    (wish, re.compile(rf"^\s*(?:{words}){_ALONE if wish in _ABOUT_ALL else ''}", re.IGNORECASE))
    for wish, words in _WORDS
)
_LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """What is asked for; `number` is None for what is about no single case. `rest`: what else stood there; a code."""

    wish: Wish
    number: str | None
    rest: str = ""


@dataclass(frozen=True, slots=True)
class UnclearReply:
    """Not something to act on; `reason` says what is missing."""

    reason: str


def read_reply(text: str) -> Reply | UnclearReply:
    """What the text asks for. A bare number acknowledges nothing: it may be a question."""
    normal = unicodedata.normalize("NFKC", text)
    code = _CODE.match(normal)
    if code is not None:
        return Reply(Wish.VERIFY, None, code[1])
    for wish, pattern in _PATTERNS:
        found = pattern.match(normal)
        if found is None:
            continue
        rest = normal[found.end() :]
        if wish in _ABOUT_ALL:
            return Reply(wish, None, "")
        number = find_number(rest)
        if number is None:
            return UnclearReply("has no case number such as 2026-11-000123")
        return Reply(wish, number, " ".join(rest.replace(number, " ").split())[:_LONGEST_REASON])
    return UnclearReply("does not begin with 1, 签收, ack, 全部签收, 已解决, 无法处理, 停 or 验证")
