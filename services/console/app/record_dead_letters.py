"""Keeps every dead letter of every service, so that people can see why and send it again."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.store.letters import add_letters
from services.console.store.projection import announce
from shared.db.engine import Database
from shared.db.outbox import headers_to_text
from shared.kafka.dead_letters import DeadRecord, letter_headers, original_headers

_ID_BYTES: Final = 16
_LARGEST: Final = 2**63 - 1


async def record_dead_letters(letters: Sequence[DeadRecord], *, database: Database) -> int:
    """Keep the letters in one transaction; how many were new. The same burial read twice is kept once."""
    async with database.transaction() as tx:
        added = await add_letters(tx, [_row(letter, tx.now) for letter in letters])
        if added:
            await announce(tx)
    return added


def _row(letter: DeadRecord, now: datetime) -> dict[str, Any]:
    noted = letter_headers(letter.headers)
    attributes = {name: value.decode("utf-8", "replace") for name, value in letter.headers}
    return {
        "id": str(_identity(letter)),
        "org": _clean(attributes.get("ce_org")),
        "case_id": _uuid(attributes.get("ce_caseid")),
        "topic": _clean(noted.get("topic")) or letter.topic.removesuffix("-dlq"),
        "consumer": _clean(noted.get("consumer")) or "unknown",
        "partition": _number(noted.get("partition")),
        "offset": _number(noted.get("offset")),
        "attempts": _number(noted.get("attempts")),
        "reason": _clean(noted.get("reason")) or "no reason was noted",
        "first_failed_at": _instant(noted.get("first_failed_at")),
        "buried_at": now.isoformat(),
        "record_key": _base64(letter.key),
        "headers": headers_to_text(original_headers(letter.headers)),
        "value": _base64(letter.value),
    }


def _identity(letter: DeadRecord) -> UUID:
    """The same for the same burial, wherever the broker puts the record when it is published again."""
    digest = hashlib.sha256(letter.topic.encode())
    for name, value in sorted(letter.headers):
        digest.update(b"\x00" + name.encode("utf-8", "replace") + b"\x01" + value)
    digest.update(b"\x02" + (letter.key or b"") + b"\x03" + (letter.value or b""))
    return UUID(bytes=digest.digest()[:_ID_BYTES])


def _clean(text: str | None) -> str | None:
    return text.replace("\x00", "�") if text else None


def _base64(value: bytes | None) -> str | None:
    return base64.b64encode(value).decode() if value is not None else None


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    number = int(text) if len(text) < 20 else _LARGEST  # noqa: PLR2004  # digits of the largest bigint
    return min(number, _LARGEST)


def _uuid(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None


def _instant(text: str | None) -> str | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found.isoformat() if found is not None and found.tzinfo is not None else None
