"""Warnings that end by themselves, and what makes two cases one event."""

from alembic import op

revision = "20261122_warning_ends"
down_revision = "20261122_pre_first"

_STATEMENTS = (
    "ALTER TABLE warnings ADD COLUMN may_end boolean NOT NULL DEFAULT false, ADD COLUMN ended_at timestamptz",
    "CREATE INDEX ix_warnings_may_end ON warnings (group_id) WHERE may_end AND ended_at IS NULL",
    """
    CREATE TABLE event_marks (
        mark uuid NOT NULL,
        case_id uuid NOT NULL,
        number text NOT NULL,
        received_at timestamptz NOT NULL,
        duplicate_of uuid,
        CONSTRAINT pk_event_marks PRIMARY KEY (mark, case_id)
    )
    """,
    "CREATE INDEX ix_event_marks_received_at ON event_marks (received_at)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
