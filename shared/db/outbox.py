"""The outbox: every record this service ever published or still has to, kept for a retention.

It is a log, not a queue: rows are marked when published, so that whatever a broker loses can be published again.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from shared.contracts.envelope import CONTENT_TYPE, Event, Header, encode_data
from shared.contracts.values import Contract

_INSERT: Final = (
    "INSERT INTO outbox (event_id, topic, key, headers, value) "
    "SELECT * FROM unnest(CAST($1 AS uuid[]), CAST($2 AS text[]), CAST($3 AS bytea[]), "
    "CAST($4 AS text[]), CAST($5 AS bytea[])) AS t (event_id, topic, key, headers, value) "
    "RETURNING seq, recorded_at, event_id"
)


class OutboxRow(NamedTuple):
    """One record of the outbox, written and not yet published."""

    seq: int
    recorded_at: datetime
    event_id: UUID | None
    topic: str
    key: bytes | None
    headers: str
    value: bytes | None


def headers_to_text(headers: Iterable[Header]) -> str:
    """Headers as readable JSON; latin-1 keeps any bytes exactly."""
    return to_json([(name, value.decode("latin-1")) for name, value in headers]).decode()


def headers_from_text(stored: str) -> list[Header]:
    """Inverse of `headers_to_text`."""
    return [(name, value.encode("latin-1")) for name, value in json.loads(stored)]


def stored_headers(event: Event[Contract], key: str) -> str:
    """`headers_to_text` of the event's headers, put together at once: most of it is the same in every event.

    `key` is the case id as text.
    """
    text = (
        f'[["content-type",{_CONTENT_TYPE}],["ce_specversion","1.0"],["ce_id","{event.id}"],'
        f'["ce_source",{_often(event.source)}],["ce_type",{_often(event.type)}],["ce_time","{event.time.isoformat()}"],'
        f'["ce_subject","{key}"],["ce_partitionkey","{key}"],["ce_org",{_often(event.org)}],["ce_caseid","{key}"]'
    )
    if event.causation is not None:
        text += f',["ce_causation",{_quoted(event.causation)}]'
    if event.traceparent is not None:
        text += f',["ce_traceparent",{_quoted(event.traceparent)}]'
    return text + "]"


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return to_json(text.encode().decode("latin-1")).decode()


_often = lru_cache(maxsize=1024)(_quoted)
_CONTENT_TYPE: Final = _quoted(CONTENT_TYPE.decode())


class PendingRecords:
    """Records of one transaction, in the order they were added; inserted in one statement when it commits."""

    def __init__(self) -> None:
        self._event_ids: list[UUID | None] = []
        self._topics: list[str] = []
        self._keys: list[bytes | None] = []
        self._headers: list[str] = []
        self._values: list[bytes | None] = []
        self._written = 0

    @property
    def written(self) -> int:
        """Rows that statements of this transaction wrote themselves."""
        return self._written

    def add(self, event: Event[Contract], value: bytes | None = None) -> None:
        """Publish this event after the commit, on its contract's topic, keyed by its case.

        `value` is its data as JSON, where the caller has that already.
        """
        key = str(event.case_id)
        data = encode_data(event) if value is None else value
        self._add(event.id, event.topic.name, key.encode(), stored_headers(event, key), data)

    def add_raw(
        self, topic: str, key: bytes | None, headers: Iterable[Header], value: bytes | None, *, event_id: UUID | None
    ) -> None:
        """Publish bytes as they are. For dead letters and their replay, which may not be decodable."""
        self._add(event_id, topic, key, headers_to_text(headers), value)

    def _add(self, event_id: UUID | None, topic: str, key: bytes | None, headers: str, value: bytes | None) -> None:
        self._event_ids.append(event_id)
        self._topics.append(topic)
        self._keys.append(key)
        self._headers.append(headers)
        self._values.append(value)

    def note_written(self, count: int) -> None:
        """A statement of this transaction has written so many rows itself, so that the relay is woken for them."""
        self._written += count

    def insertion(self) -> tuple[str, list[Any]] | None:
        """The statement that writes the records, with its values; None without records. For the transaction only."""
        if not self._topics:
            return None
        return _INSERT, [self._event_ids, self._topics, self._keys, self._headers, self._values]

    def recorded(self, answered: Sequence[asyncpg.Record]) -> list[OutboxRow] | None:
        """The rows as that statement answered them; None when they, or others of the transaction, have to be read."""
        if self._written or [row["event_id"] for row in answered] != self._event_ids:
            return None
        return [
            OutboxRow(row["seq"], row["recorded_at"], *columns)
            for row, *columns in zip(
                answered, self._event_ids, self._topics, self._keys, self._headers, self._values, strict=True
            )
        ]
