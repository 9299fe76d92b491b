"""Version 1 of the tables every service has, for each service's first migration. Never edited: a change is a `_v2`."""

from typing import Protocol

_STATEMENTS = (
    """
    CREATE TABLE inbox (
        event_id uuid NOT NULL,
        received_at timestamptz NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (event_id)
    ) PARTITION BY RANGE (event_id)
    """,
    "CREATE TABLE inbox_p_other PARTITION OF inbox DEFAULT",
    """
    CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        event_id uuid,
        topic text NOT NULL,
        key bytea,
        headers text NOT NULL,
        value bytea,
        published_at timestamptz,
        partition integer,
        "offset" bigint,
        CONSTRAINT pk_outbox PRIMARY KEY (seq, recorded_at)
    ) PARTITION BY RANGE (recorded_at)
    """,
    "CREATE TABLE outbox_p_other PARTITION OF outbox DEFAULT",
    "CREATE INDEX ix_outbox_waiting ON outbox (seq) WHERE published_at IS NULL",
    """
    CREATE TABLE outbox_heads (
        topic text NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        seq bigint NOT NULL,
        event_id uuid,
        CONSTRAINT pk_outbox_heads PRIMARY KEY (topic, partition)
    )
    """,
)


class Executes(Protocol):
    """What is needed of `alembic.op`, which is a module and no instance of `Operations`."""

    def execute(self, sqltext: str, /) -> object: ...


def create_messaging_tables_v1(op: Executes) -> None:
    """Inbox, outbox and outbox heads with their default partitions."""
    for statement in _STATEMENTS:
        op.execute(statement)
