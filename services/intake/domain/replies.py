"""Replies by SMS: `1 2026-11-000123`, `确认 2026-11-000123`, `ack 2026-11-000123`."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from services.intake.domain.numbers import find_number

_ACKNOWLEDGED: Final = re.compile(
    r"^\s*(?:确认|收到|已收到|已确认|(?:1|ack(?:nowledged?)?|ok|y(?:es)?)(?![0-9a-z]))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class AcknowledgementReply:
    """The sender acknowledges the case with this number."""

    number: str


@dataclass(frozen=True, slots=True)
class UnclearReply:
    """Not something to act on; `reason` says what is missing."""

    reason: str


def read_reply(text: str) -> AcknowledgementReply | UnclearReply:
    """What the text asks for. A bare number acknowledges nothing: it may be a question."""
    normal = unicodedata.normalize("NFKC", text)
    word = _ACKNOWLEDGED.match(normal)
    if word is None:
        return UnclearReply("does not begin with 1, 确认 or ack")
    number = find_number(normal[word.end() :])
    if number is None:
        return UnclearReply("has no case number such as 2026-11-000123")
    return AcknowledgementReply(number)
