"""The outbox as a log: what waits, and publishing again what was published before."""

from datetime import datetime
from typing import Any, Final

from shared.db.tx import Tx

PUBLISH_LOST_AGAIN: Final = (
    "UPDATE outbox SET published_at = NULL WHERE published_at IS NOT NULL AND topic = $1 AND partition = $2 "
    "AND recorded_at >= now() - $3::interval AND ($4::bigint IS NULL OR seq < $4)"
)
"""Parameters: topic, partition, horizon, and the row before which to look (or null).

The whole kept partition goes out again: a broker that lost its newest record may have lost any other, and consumers
skip by event id what they have applied.
"""


async def republish(tx: Tx, *, since: datetime, topic: str | None = None, until: datetime | None = None) -> int:
    """Mark rows recorded in [since, until) as not published; the relay sends them again in order.

    Consumers skip what they have applied. Returns the number of rows.
    """
    return await tx.execute(
        "UPDATE outbox SET published_at = NULL WHERE published_at IS NOT NULL AND recorded_at >= :since "
        "AND (CAST(:until AS timestamptz) IS NULL OR recorded_at < :until) "
        "AND (CAST(:topic AS text) IS NULL OR topic = :topic)",
        since=since,
        until=until,
        topic=topic,
    )


async def status(tx: Tx) -> dict[str, Any]:
    """Backlog, its oldest row and totals per topic, for people and metrics."""
    (waiting,) = await tx.fetch(
        "SELECT count(*) AS waiting, min(recorded_at) AS oldest FROM outbox WHERE published_at IS NULL"
    )
    topics = await tx.fetch(
        "SELECT topic, count(*) AS kept, count(*) FILTER (WHERE published_at IS NULL) AS waiting "
        "FROM outbox GROUP BY topic ORDER BY topic"
    )
    return {"waiting": waiting["waiting"], "oldest": waiting["oldest"], "topics": [dict(row) for row in topics]}
