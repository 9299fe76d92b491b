"""A dead letter as it comes back: the raw record and where it belongs. Pure."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from pydantic import AliasChoices, Field

from services.intake.domain.bodies import Body
from shared.contracts.envelope import Header
from shared.contracts.json_guard import UnreadableError
from shared.contracts.topics import TOPICS

_TOPICS: Final = frozenset(topic.name for topic in TOPICS)
_DEAD_LETTER: Final = "dlq_"


class LetterBody(Body):
    """The record of a dead letter. Header values are text, one character a byte (ISO 8859-1)."""

    topic: Annotated[str, Field(description="Contract name of the topic the record died on", max_length=120)]
    key_base64: Annotated[str | None, Field(max_length=4096, validation_alias=AliasChoices("key_base64", "key"))] = None
    headers: Annotated[dict[str, str], Field(max_length=100)] = Field(default_factory=dict)
    value_base64: Annotated[str | None, Field(validation_alias=AliasChoices("value_base64", "value"))] = None
    letter_id: Annotated[
        str | None, Field(pattern=r"^[A-Za-z0-9._:-]{1,200}$", description="Absent: the record's own hash")
    ] = None


@dataclass(frozen=True, slots=True)
class Letter:
    """The record as it goes out again."""

    letter_id: str
    topic: str
    key: bytes | None
    headers: tuple[Header, ...]
    value: bytes | None
    event_id: UUID | None
    org: str | None


def read_letter(body: LetterBody) -> Letter:
    """Raises UnreadableError naming the field."""
    topic = body.topic.removesuffix("-dlq")
    if topic not in _TOPICS:
        raise UnreadableError("is not one of the topics", field="topic")
    key = _bytes_of(body.key_base64, "key_base64")
    value = _bytes_of(body.value_base64, "value_base64")
    headers: list[Header] = []
    for name, text in body.headers.items():
        if name.startswith(_DEAD_LETTER):
            continue
        try:
            headers.append((name, text.encode("latin-1")))
        except UnicodeEncodeError as error:
            raise UnreadableError("one character a byte, ISO 8859-1", field=f"headers.{name[:60]}") from error
    named = dict(headers)
    return Letter(
        body.letter_id or _hash(topic, key, headers, value),
        topic,
        key,
        tuple(headers),
        value,
        _uuid(named.get("ce_id")),
        named["ce_org"].decode("utf-8", "replace") if "ce_org" in named else None,
    )


def _bytes_of(text: str | None, field: str) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError("must be base64", field=field) from error


def _hash(topic: str, key: bytes | None, headers: list[Header], value: bytes | None) -> str:
    digest = hashlib.sha256(topic.encode())
    for part in (key, *(item for name, raw in headers for item in (name.encode(), raw)), value):
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return digest.hexdigest()


def _uuid(raw: bytes | None) -> UUID | None:
    try:
        return UUID(raw.decode("ascii")) if raw is not None else None
    except ValueError:
        return None
