"""Whether a plan's own texts for messages can be sent: places, marks, length, one text for each message."""

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

from shared.contracts.notifications import Purpose
from shared.plans.message_spec import MAX_SMS, MessageSpec
from shared.plans.message_texts import PLACES, MessageText
from shared.plans.model import Plan
from shared.plans.sms_segments import segments
from shared.plans.yaml_text import KeyPath

OPENINGS: Final[Mapping[str, str]] = {"zh": "【演练】【烽火】", "en": "[DRILL][Fenghuo]"}
"""What stands before every message in a drill, where it is longest."""

ENDINGS: Final[Mapping[str, str]] = {"zh": "。确认：", "en": ". Acknowledge: "}
LINK_LENGTH: Final = 200
"""Characters of an acknowledgement link with room to spare."""

SHORTEST: Final = 12
"""To how many characters a value is cut before an SMS is sent with the usual text instead."""

_ONE_LINE: Final = frozenset({"subject", "sms", "voice"})
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_NAMES_THE_CASE: Final = frozenset({"sms", "email"})


def message_problems(plan: Plan) -> Iterator[tuple[KeyPath, str]]:
    """Path and message of each thing that is wrong with the plan's texts."""
    levels = {level.id for level in plan.levels}
    for index, spec in enumerate(plan.messages):
        path: KeyPath = ("messages", index)
        for place, level in enumerate(spec.levels):
            if level not in levels:
                yield (*path, "levels", place), f"there is no level '{level}'"
        read: dict[str, MessageText] = {}
        for language, text in (("zh", spec.text.zh), ("en", spec.text.en)):
            try:
                read[language] = MessageText.parse(text)
            except ValueError as error:
                yield (*path, "text", language), str(error)
                continue
            yield from (((*path, "text", language), problem) for problem in _of_one(spec, language, read[language]))
        if len(read) > 1 and (missing := read["zh"].places ^ read["en"].places):
            named = ", ".join(f"{{{name}}}" for name in sorted(missing))
            yield (*path, "text"), f"only one of the languages says {named}"
    yield from _standing_twice(plan)


def _of_one(spec: MessageSpec, language: str, text: MessageText) -> Iterator[str]:
    for char in text.fixed:
        line_end = char == "\n" and spec.channel not in _ONE_LINE
        if unicodedata.category(char) in _CONTROL and not line_end:
            yield f"the character U+{ord(char):04X} cannot stand in a message"
    if "【" in text.fixed or "】" in text.fixed:
        yield "【 and 】 mark drills and our name: they are added and cannot be written"
    if "://" in text.fixed or "www." in text.fixed.lower():
        yield "a link cannot be written: the link to acknowledge by is added"
    if spec.channel in _NAMES_THE_CASE and "case" not in text.always:
        yield "{case} must stand outside brackets: answers name the case"
    if spec.channel == "sms" and (cost := _cost(spec, language, text)) > MAX_SMS:
        yield (
            f"costs {cost} SMS even with every value cut to {SHORTEST} characters, at most {MAX_SMS}: "
            "it would never be sent"
        )


def _cost(spec: MessageSpec, language: str, text: MessageText) -> int:
    filled = text.put(dict.fromkeys(PLACES, "字" * SHORTEST))
    ending = ENDINGS[language] + "x" * LINK_LENGTH if spec.purpose in {None, Purpose.PAGE} else ""
    return segments(OPENINGS[language] + filled + ending)


def _standing_twice(plan: Plan) -> Iterator[tuple[KeyPath, str]]:
    for (_, first), (index, second) in combinations(enumerate(plan.messages), 2):
        alike = first.channel == second.channel and first.purpose == second.purpose
        shared = set(first.levels) & set(second.levels) or not (first.levels or second.levels)
        if alike and shared:
            yield ("messages", index), f"stands for the same messages as '{first.id}'"
