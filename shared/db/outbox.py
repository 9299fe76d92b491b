"""The outbox: every record this service ever published or still has to, kept for a retention.

It is a log, not a queue: rows are marked when published, so that whatever a broker loses can be published again.
"""

import json
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from shared.contracts.envelope import Event, Header, encode
from shared.contracts.values import Contract

_INSERT: Final = (
    "INSERT INTO outbox (event_id, topic, key, headers, value) "
    "SELECT * FROM unnest(CAST($1 AS uuid[]), CAST($2 AS text[]), CAST($3 AS bytea[]), "
    "CAST($4 AS text[]), CAST($5 AS bytea[])) AS t (event_id, topic, key, headers, value)"
)


def headers_to_text(headers: Iterable[Header]) -> str:
    """Headers as readable JSON; latin-1 keeps any bytes exactly."""
    return to_json([(name, value.decode("latin-1")) for name, value in headers]).decode()


def headers_from_text(stored: str) -> list[Header]:
    """Inverse of `headers_to_text`."""
    return [(name, value.encode("latin-1")) for name, value in json.loads(stored)]


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
    def count(self) -> int:
        return len(self._topics) + self._written

    def add(self, event: Event[Contract]) -> None:
        """Publish this event after the commit, on its contract's topic, keyed by its case."""
        headers, value = encode(event)
        self.add_raw(event.topic.name, event.key, headers, value, event_id=event.id)

    def add_raw(
        self, topic: str, key: bytes | None, headers: Iterable[Header], value: bytes | None, *, event_id: UUID | None
    ) -> None:
        """Publish bytes as they are. For dead letters and their replay, which may not be decodable."""
        self._event_ids.append(event_id)
        self._topics.append(topic)
        self._keys.append(key)
        self._headers.append(headers_to_text(headers))
        self._values.append(value)

    def note_written(self, count: int) -> None:
        """A statement of this transaction has written so many rows itself, so that the relay is woken for them."""
        self._written += count

    async def insert(self, connection: asyncpg.Connection) -> None:
        """Write the rows. Called by the transaction only."""
        if self._topics:
            await connection.execute(_INSERT, self._event_ids, self._topics, self._keys, self._headers, self._values)
