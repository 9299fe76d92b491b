"""Tables every service has, declared once for migrations: inbox and outbox, partitioned by day."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Metadata with the house's constraint names."""
    return MetaData(naming_convention=NAMING)


def inbox_table(metadata: MetaData) -> Table:
    """Events already applied. Partitioned by the time inside their UUIDv7, so that the key stays unique."""
    return Table(
        "inbox",
        metadata,
        Column("event_id", Uuid, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False),
        postgresql_partition_by="RANGE (event_id)",
    )


def outbox_table(metadata: MetaData) -> Table:
    """Records to publish and published, in the order they were written (`seq`)."""
    table = Table(
        "outbox",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("recorded_at", DateTime(timezone=True), primary_key=True, server_default=func.now()),
        Column("event_id", Uuid),
        Column("topic", Text, nullable=False),
        Column("key", LargeBinary),
        Column("headers", Text, nullable=False),
        Column("value", LargeBinary),
        Column("published_at", DateTime(timezone=True)),
        Column("partition", Integer),
        Column("offset", BigInteger),
        postgresql_partition_by="RANGE (recorded_at)",
    )
    # The relay's only question: what is not published yet, oldest first. Stays small, whatever is kept.
    Index("ix_outbox_waiting", table.c.seq, postgresql_where=text("published_at IS NULL"))
    return table


def outbox_heads_table(metadata: MetaData) -> Table:
    """The last record acknowledged in each partition: if the broker no longer has it, it lost something."""
    return Table(
        "outbox_heads",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("offset", BigInteger, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("event_id", Uuid),
    )


def messaging_tables(metadata: MetaData) -> None:
    """Declare inbox, outbox and outbox heads."""
    inbox_table(metadata)
    outbox_table(metadata)
    outbox_heads_table(metadata)
