"""The outbox: every record this service ever published or still has to, kept for a retention.

It is a log, not a queue: rows are marked when published, so that whatever a broker loses can be published again.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import Event, Header, encode
from shared.contracts.values import Contract

_INSERT: Final = text(
    "INSERT INTO outbox (event_id, topic, key, headers, value) "
    "SELECT * FROM unnest(CAST(:event_ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS bytea[]), "
    "CAST(:headers AS text[]), CAST(:values AS bytea[])) AS t (event_id, topic, key, headers, value)"
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

    @property
    def count(self) -> int:
        return len(self._topics)

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

    async def insert(self, connection: AsyncConnection) -> None:
        """Write the rows. Called by the transaction only."""
        if self._topics:
            await connection.execute(
                _INSERT,
                {
                    "event_ids": self._event_ids,
                    "topics": self._topics,
                    "keys": self._keys,
                    "headers": self._headers,
                    "values": self._values,
                },
            )


async def republish(
    connection: AsyncConnection, *, since: datetime, topic: str | None = None, until: datetime | None = None
) -> int:
    """Mark rows recorded in [since, until) as not published; the relay sends them again in order.

    Consumers skip what they have applied. Returns the number of rows. The caller commits.
    """
    result = await connection.execute(
        text(
            "UPDATE outbox SET published_at = NULL WHERE published_at IS NOT NULL AND recorded_at >= :since "
            "AND (CAST(:until AS timestamptz) IS NULL OR recorded_at < :until) "
            "AND (CAST(:topic AS text) IS NULL OR topic = :topic)"
        ),
        {"since": since, "until": until, "topic": topic},
    )
    return result.rowcount


async def republish_lost(
    connection: AsyncConnection, *, topic: str, partition: int, below_seq: int | None, horizon: timedelta
) -> int:
    """Mark what one partition got within the horizon (before row `below_seq`, if given) as not published.

    The whole kept partition goes out again: a broker that lost its newest record may have lost any other, and
    consumers skip by event id what they have applied.
    """
    result = await connection.execute(
        text(
            "UPDATE outbox SET published_at = NULL WHERE published_at IS NOT NULL AND topic = :topic "
            "AND partition = :partition AND recorded_at >= now() - CAST(:horizon AS interval) "
            "AND (CAST(:below AS bigint) IS NULL OR seq < :below)"
        ),
        {"topic": topic, "partition": partition, "below": below_seq, "horizon": horizon},
    )
    return result.rowcount


async def status(connection: AsyncConnection) -> dict[str, Any]:
    """Backlog, its oldest row and totals per topic, for people and metrics."""
    waiting = (
        (
            await connection.execute(
                text("SELECT count(*) AS waiting, min(recorded_at) AS oldest FROM outbox WHERE published_at IS NULL")
            )
        )
        .mappings()
        .one()
    )
    topics = await connection.execute(
        text(
            "SELECT topic, count(*) AS kept, count(*) FILTER (WHERE published_at IS NULL) AS waiting "
            "FROM outbox GROUP BY topic ORDER BY topic"
        )
    )
    return {
        "waiting": waiting["waiting"],
        "oldest": waiting["oldest"],
        "topics": [dict(row) for row in topics.mappings()],
    }
