"""Records that could not be applied: to the topic's dead-letter twin with everything needed to replay them.

They leave through the outbox like everything else, so a dead letter is durable before its offset is committed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.contracts.envelope import Header
from shared.db.engine import Database
from shared.runtime.metrics import DEAD_LETTERS

_PREFIX: Final = "dlq_"
_MAX_REASON: Final = 2000


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """A record as it was read, with where it stood."""

    topic: str  # contract name, without the cluster's prefix
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[Header, ...]
    value: bytes | None


async def bury(
    database: Database, record: DeadRecord, *, consumer: str, reason: str, attempts: int, first_failed_at: datetime
) -> None:
    """Make the record durable as a dead letter. Its own headers are kept; `dlq_*` headers say why and where."""
    headers = [header for header in record.headers if not header[0].startswith(_PREFIX)]
    headers += [
        (f"{_PREFIX}reason", reason[:_MAX_REASON].encode("utf-8", "replace")),
        (f"{_PREFIX}consumer", consumer.encode()),
        (f"{_PREFIX}topic", record.topic.encode()),
        (f"{_PREFIX}partition", str(record.partition).encode()),
        (f"{_PREFIX}offset", str(record.offset).encode()),
        (f"{_PREFIX}attempts", str(attempts).encode()),
        (f"{_PREFIX}first_failed_at", first_failed_at.isoformat().encode()),
    ]
    async with database.transaction() as tx:
        tx.outbox.add_raw(f"{record.topic}-dlq", record.key, headers, record.value, event_id=_event_id(record))
    DEAD_LETTERS.labels(record.topic).inc()


def _event_id(record: DeadRecord) -> UUID | None:
    """The event's own id, if it can be read at all."""
    for name, value in record.headers:
        if name == "ce_id":
            try:
                return UUID(value.decode("ascii"))
            except ValueError:
                return None
    return None


def original_headers(headers: tuple[Header, ...]) -> list[Header]:
    """The headers the record had before it died."""
    return [header for header in headers if not header[0].startswith(_PREFIX)]


def letter_headers(headers: tuple[Header, ...]) -> dict[str, str]:
    """What was noted at burial: reason, consumer, topic, partition, offset, attempts, first_failed_at."""
    return {
        name.removeprefix(_PREFIX): value.decode("utf-8", "replace")
        for name, value in headers
        if name.startswith(_PREFIX)
    }
