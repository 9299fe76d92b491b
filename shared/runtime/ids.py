"""Identifiers enter the product here and nowhere else."""

import secrets
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7

FastUUID: Final = pgproto.UUID
"""The driver's UUID, which its rows hold anyway: a UUID like any other, and a tenth of the cost to turn into text, hash
and bytes, which an event's ids are several times on each hop. Takes 16 bytes, or text with or without hyphens."""

_RANDOM_BITS: Final = 80


class Ids(Protocol):
    """A source of identifiers that sort by the time they were made."""

    def new(self) -> UUID: ...


class TimeOrderedIds:
    """UUIDv7 (RFC 9562 §5.7): the first 48 bits are Unix milliseconds."""

    def new(self) -> UUID:
        return FastUUID(uuid7().bytes)


def lowest_id_at(instant: datetime) -> UUID:
    """The lower bound of the UUIDv7s made from `instant` on; tables are partitioned by it."""
    return UUID(int=int(instant.timestamp() * 1000) << _RANDOM_BITS)


def new_secret() -> str:
    """256 random bits, safe in URLs."""
    return secrets.token_urlsafe(32)
