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
# Names of schemas come from the contracts, never from outside.
_UNREAD: Final = (
    '(NOT EXISTS (SELECT 1 FROM "{consumer}".inbox i WHERE i.event_id = o.event_id) AND NOT EXISTS '
    '(SELECT 1 FROM "{consumer}".outbox d WHERE d.topic = $2 AND d.event_id = o.event_id))'
)
_PUBLISH_AGAIN: Final = (
    'UPDATE "{owner}".outbox o SET published_at = NULL WHERE o.published_at IS NOT NULL AND o.partition IS NOT NULL '
    "AND o.recorded_at >= now() - $3::interval AND {condition}"
)
_OWED_TO_NOBODY: Final = 'UPDATE "{owner}".outbox SET partition = NULL WHERE partition IS NOT NULL'
_NO_HEADS: Final = 'DELETE FROM "{owner}".outbox_heads'


async def renew_broker_memory(admin_url: str, database: str) -> int:
    """Mark what some consumer has neither applied nor buried as not published, and the rest as owed to nobody.

    Dead letters are always published again: whoever lists them knows each by its content. Rows older than three days
    are left alone. Returns the number of records to publish again.
    """
    connection = await asyncpg.connect(admin_url, database=database)
    owed = 0
    try:
        async with connection.transaction():
            for topic in TOPICS:
                unread = " OR ".join(_UNREAD.format(consumer=consumer) for consumer in topic.consumers)
                statement = _PUBLISH_AGAIN.format(owner=topic.owner, condition=f"o.topic = $1 AND ({unread})")
                owed += _count(await connection.execute(statement, topic.name, topic.dead_letters, _HORIZON))
            for service in sorted({name for topic in TOPICS for name in (topic.owner, *topic.consumers)}):
                letters = _PUBLISH_AGAIN.format(owner=service, condition="o.topic LIKE $1 || '%' || $2")
                owed += _count(await connection.execute(letters, "", "-dlq", _HORIZON))
                await connection.execute(_OWED_TO_NOBODY.format(owner=service))
                await connection.execute(_NO_HEADS.format(owner=service))
    finally:
        await connection.close()
    return owed


def _count(status: str) -> int:
    """PostgreSQL answers an update with `UPDATE <rows>`."""
    return int(status.rsplit(" ", 1)[1])
