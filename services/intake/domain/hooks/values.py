"""What a mapping makes of another system's payload, and how it reads the payload without trusting it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.intake.domain.bodies import Route
from services.intake.domain.replies import Replies
from shared.contracts.commands import CommandKind
from shared.contracts.values import MAX_FACTS, MAX_NARRATIVE, MAX_TEXT

MAX_NAME: Final = 120
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9_]+")
_MAX_FACT_NAME: Final = 63
_NO_TIME: Final = "0001-"
_EARLIEST: Final = 1970


class UnmappableError(ValueError):
    """The payload is readable but not what this kind sends. `field` names the place."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MappedReport:
    """A report in the form of the public door's body."""

    route: Route
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MappedCommand:
    """Another system asks for a change of the case it reported under `reference`."""

    source: str
    reference: str
    command: CommandKind


@dataclass(frozen=True, slots=True)
class MappedReply:
    """A person answered by SMS; `sender` is a phone number and must not travel."""

    sender: str
    replies: Replies
    message_id: str | None


Mapped = MappedReport | MappedCommand | MappedReply


@dataclass(frozen=True, slots=True)
class Payload:
    """A request's readable content: JSON object, form fields or query parameters, and the raw text for SMS."""

    fields: Mapping[str, Any]
    text: str = ""


def text_at(fields: Mapping[str, Any], path: str, limit: int = MAX_TEXT) -> str | None:
    """The non-empty text (or number as text) at a dotted path, cut to the limit; None when there is none."""
    value: Any = fields
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:limit].strip() or None


def required_text(fields: Mapping[str, Any], path: str, limit: int = MAX_NAME) -> str:
    """As `text_at`. Raises UnmappableError when there is none."""
    found = text_at(fields, path, limit)
    if found is None:
        raise UnmappableError(path, "is missing")
    return found


def mapping_at(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under `name`; an absent one is empty. Raises UnmappableError for anything else."""
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnmappableError(name, "must be an object")
    return value


def required_list(fields: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """The non-empty list of objects under `name`. Raises UnmappableError."""
    value = fields.get(name)
    if not isinstance(value, list) or not value:
        raise UnmappableError(name, "must be a non-empty list")
    for index, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise UnmappableError(f"{name}.{index}", "must be an object")
    return value


def moment_at(fields: Mapping[str, Any], path: str) -> str | None:
    """An instant in the forms alerting systems use, as RFC 3339 text in UTC; None for none, zero or no offset."""
    text = text_at(fields, path)
    if text is None or text.startswith(_NO_TIME):
        return None
    if text.isascii() and text.isdigit():
        return _from_epoch(int(text)) if len(text) <= len("1700000000000") else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or moment.year < _EARLIEST:
        return None
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        return None


def facts_from(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Labels as facts: names in our form, scalars kept, everything else left out."""
    facts: dict[str, Any] = {}
    for name, value in values.items():
        clean = _NOT_IN_NAMES.sub("_", f"{prefix}{name}".lower()).strip("_")[:_MAX_FACT_NAME]
        if not clean or not clean[0].isalpha() or len(facts) >= MAX_FACTS:
            continue
        if isinstance(value, str):
            facts[clean] = value[:MAX_TEXT]
        elif isinstance(value, bool | int | float):
            facts[clean] = value
    return facts


def without_nothing(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without what is absent."""
    return {name: value for name, value in body.items() if value is not None and value not in ({}, [])}


def narrative_of(*parts: str | None) -> str | None:
    """The parts that are there, each once, a line each."""
    kept = dict.fromkeys(part for part in parts if part)
    return "\n".join(kept)[:MAX_NARRATIVE] or None


def _from_epoch(number: int) -> str | None:
    seconds = number / 1000 if number > 10**11 else float(number)
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds > 0 else None
