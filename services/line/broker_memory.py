"""Fills a broker that starts empty with exactly what somebody still has to read.

The embedded broker keeps its log in memory. What each consumer has applied is in its inbox, and everything published
is in the outboxes, so one look at both says what has to be published again. This crosses the services' schemas with the
administrator's role: it is a tool of the installation, not a way for services to meet.
"""

from datetime import timedelta
from typing import Final

import asyncpg

from shared.contracts.topics import TOPICS

_HORIZON: Final = timedelta(days=3)


async def renew_broker_memory(admin_url: str, database: str) -> int:
    """Mark what some consumer has not applied yet as not published, and the rest as owed to nobody.

    Rows older than three days are left alone. Returns the number of records to publish again.
    """
    connection = await asyncpg.connect(admin_url, database=database)
    owed = 0
    try:
        async with connection.transaction():
            for topic in TOPICS:
                unread = " OR ".join(
                    f'NOT EXISTS (SELECT 1 FROM "{consumer}".inbox i WHERE i.event_id = o.event_id)'
                    for consumer in topic.consumers
                )
                # Names of schemas come from the contracts, never from outside.
                status = await connection.execute(
                    f'UPDATE "{topic.owner}".outbox o SET published_at = NULL '  # noqa: S608
                    f"WHERE o.topic = $1 AND o.published_at IS NOT NULL AND o.recorded_at >= now() - $2::interval "
                    f"AND o.partition IS NOT NULL AND ({unread})",
                    topic.name,
                    _HORIZON,
                )
                owed += int(status.rsplit(" ", 1)[1])
            for owner in sorted({topic.owner for topic in TOPICS}):
                await connection.execute(
                    f'UPDATE "{owner}".outbox SET partition = NULL WHERE partition IS NOT NULL'  # noqa: S608
                )
                await connection.execute(f'DELETE FROM "{owner}".outbox_heads')  # noqa: S608
    finally:
        await connection.close()
    return owed
