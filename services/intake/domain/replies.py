"""Replies by SMS: what a person wants, and about which case.

`签收 2026-11-000123` or `1 …` acknowledges, `全部签收` acknowledges everything this person was paged for,
`已解决 …` resolves, `无法处理 …` hands on, `停` asks for quiet, `验证 123456` gives the code back that proves whose the
number is. In English: ack, ack all, resolved, cannot, stop, verify. Who says that it is not so, or asks, has asked for
nothing: `解决不了` is no `解决`.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.intake.domain.numbers import cut_number


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
_MEANT: Final = r"(?!\s*(?:不|没|未|吗|么|了(?:吗|么|没)|但|\?))"
# In this order: the longer word of two that begin alike comes first.
_WORDS: Final = (
    (
        Wish.ACKNOWLEDGE_ALL,
        rf"全部(?:签收|确认|收到)|(?:签收|确认)全部|(?:1\s*a(?:ll)?|ack(?:nowledge)?\s*all|all){_END}",
    ),
    (
        Wish.CANNOT_HANDLE,
        rf"(?:收到,?但?)?(?:无法|不能)处理|(?:解决|处理|签收|确认)不了|(?:4|can(?:no|')?t(?:\s+handle)?|pass){_END}",
    ),
    (Wish.RESOLVE, rf"(?:已?解决|已处理完|(?:3|resolved?|fixed|done){_END}){_MEANT}"),
    (Wish.STOP, rf"停止?|退订|(?:stop|unsubscribe){_END}"),
    (Wish.ACKNOWLEDGE, rf"(?:签收|已签收|确认|收到|已收到|已确认|(?:1|ack(?:nowledged?)?|ok|y(?:es)?){_END}){_MEANT}"),
)
# What is about everything stands alone: `停电了` is no wish for quiet.
_ALONE: Final = r"\s*[。.!！]*\s*$"
_PATTERNS: Final = tuple(
    (wish, re.compile(rf"^\s*(?:{words}){_ALONE if wish in _ABOUT_ALL else ''}", re.IGNORECASE))
    for wish, words in _WORDS
)
_LONGEST_REASON: Final = 200
# Phones write the curly apostrophe; a keyboard may write the traditional form of our words.
_WRITTEN: Final = str.maketrans("’‘簽確認處無決驗證碼訂", "''签确认处无决验证码订")
_INVISIBLE: Final = "Cf"
_BETWEEN: Final = " ,.:;!、。"


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
    seen = (char for char in text if unicodedata.category(char) != _INVISIBLE)
    normal = unicodedata.normalize("NFKC", "".join(seen))
    folded = normal.translate(_WRITTEN)
    code = _CODE.match(folded)
    if code is not None:
        return Reply(Wish.VERIFY, None, code[1])
    for wish, pattern in _PATTERNS:
        found = pattern.match(folded)
        if found is None:
            continue
        rest = normal[found.end() :]
        if wish in _ABOUT_ALL:
            return Reply(wish, None, "")
        number, words = cut_number(rest)
        if number is None:
            return UnclearReply("has no case number such as 2026-11-000123")
        return Reply(wish, number, words.strip(_BETWEEN)[:_LONGEST_REASON])
    return UnclearReply("does not begin with 1, 签收, ack, 全部签收, 已解决, 无法处理, 停 or 验证")
