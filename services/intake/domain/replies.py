"""Replies by SMS: what a person wants, and about which case.

`签收 2026-11-000123` or `1 …` acknowledges, `全部签收` acknowledges everything this person was paged for,
`已解决 …` resolves, `无法处理 …` hands on, `停` asks for quiet, `验证 123456` gives the code back that proves whose the
number is. In English: ack, ack all, resolved, cannot, stop, verify. Who says that it is not so, or asks, has asked for
nothing: `解决不了` is no `解决`.

One message may answer for several cases: `签收 2026-11-000123、2026-11-000124`, `1 2026-11-000123 4 2026-11-000124`. A
number that stands after other words is only mentioned: nothing is done about it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.intake.domain.numbers import cut_numbers


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


_AND: Final = re.compile(r"(?:[\s,.:;!、。/+&]|和|及|以及|与|跟|还有|and)*", re.IGNORECASE)
_CLAUSE: Final = re.compile(r"[,;。!]")
_ASKED: Final = re.compile(r"\s*(?:了?(?:吗|么|没有?)\s*[?。!]*|\?+)\s*")
_COMPARED: Final = re.compile(r"(?:不?是)?(?:无关|有关|相关|重复|同一|一样|类似|不同)")
MOST_NUMBERS: Final = 20
"""So many cases may be answered for by one message; what is named beyond that counts as mentioned."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is asked for; `number` is None for what is about no single case. `rest`: what else stood there; a code."""

    wish: Wish
    number: str | None
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Replies:
    """Each case once, in the order named. `mentioned` are numbers with which nothing is to be done."""

    asked: tuple[Reply, ...]
    mentioned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnclearReply:
    """Not something to act on; `reason` says what is missing."""

    reason: str


def read_reply(text: str) -> Replies | UnclearReply:
    """What the text asks for. A bare number acknowledges nothing: it may be a question."""
    seen = (char for char in text if unicodedata.category(char) != _INVISIBLE)
    normal = unicodedata.normalize("NFKC", "".join(seen))
    folded = normal.translate(_WRITTEN)
    code = _CODE.match(folded)
    if code is not None:
        return Replies((Reply(Wish.VERIFY, None, code[1]),))
    for wish, pattern in _PATTERNS:
        found = pattern.match(folded)
        if found is None:
            continue
        if wish in _ABOUT_ALL:
            return Replies((Reply(wish, None, ""),))
        return _about_cases(wish, normal[found.end() :])
    return UnclearReply("does not begin with 1, 签收, ack, 全部签收, 已解决, 无法处理, 停 or 验证")


@dataclass(slots=True)
class _Group:
    """Cases of which the same is asked, and what else stood there."""

    wish: Wish
    numbers: list[str]
    words: list[str]


def _about_cases(wish: Wish, text: str) -> Replies | UnclearReply:
    numbers, between = cut_numbers(text)
    if not numbers:
        return UnclearReply("has no case number such as 2026-11-000123")
    if _ASKED.fullmatch(between[-1]):
        return UnclearReply("is a question")
    group = _Group(wish, [numbers[0]], [between[0]])
    groups, mentioned = [group], list[str]()
    is_list = True
    for number, before in zip(numbers[1:], between[1:-1], strict=True):
        joins = is_list and _AND.fullmatch(before) is not None
        named = sum(len(one.numbers) for one in groups)
        words, other = (before, None) if joins else _before_wish(before)
        if any(number in one.numbers for one in groups) or number in mentioned:
            group.words += [before, number]
        elif named < MOST_NUMBERS and joins:
            group.numbers.append(number)
        elif named < MOST_NUMBERS and other is not None:
            group.words.append(words)
            group = _Group(other, [number], [])
            groups.append(group)
            is_list = True
        else:
            group.words += [before, number]
            mentioned.append(number)
            is_list = False
    if len(group.numbers) > 1 and between[-2].endswith(("与", "和", "跟")) and _COMPARED.match(between[-1]):
        mentioned.append(group.numbers.pop())
        group.words += [between[-2], mentioned[-1]]
    group.words.append(between[-1])
    asked = tuple(Reply(one.wish, number, _rest(one.words)) for one in groups for number in one.numbers)
    return Replies(asked, tuple(mentioned))


def _before_wish(text: str) -> tuple[str, Wish | None]:
    """What stands before a wish that ends the text, and the wish."""
    clauses = [(0, text), *((found.end(), text[found.end() :]) for found in _CLAUSE.finditer(text))]
    for start, clause in clauses:
        folded = clause.strip(_BETWEEN).translate(_WRITTEN)
        for wish, pattern in _PATTERNS:
            found = pattern.match(folded)
            if found is not None and found.end() == len(folded) and wish not in _ABOUT_ALL:
                return text[:start], wish
    return text, None


def _rest(words: Sequence[str]) -> str:
    return " ".join(" ".join(words).split()).strip(_BETWEEN)[:_LONGEST_REASON]
