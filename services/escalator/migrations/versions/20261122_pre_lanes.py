"""Timers queue in lanes and know what lies ahead; cases carry what a light firing needs beside their state."""

from alembic import op

revision = "20261122_pre_lanes"
down_revision = "20261122_pre_first"

_STATEMENTS = (
    "ALTER TABLE timers ADD COLUMN lane smallint NOT NULL DEFAULT 16",
    "ALTER TABLE timers ADD COLUMN ahead text, ADD COLUMN wake_at timestamptz",
    "UPDATE timers SET wake_at = due_at",
    "ALTER TABLE timers ALTER COLUMN wake_at SET NOT NULL, ALTER COLUMN lane DROP DEFAULT",
    "DROP INDEX ix_timers_due_at",
    "CREATE INDEX ix_timers_lane_wake_at ON timers (lane, wake_at)",
    "ALTER TABLE cases ALTER COLUMN body TYPE json USING CAST(CAST(body AS text) AS json)",
    "ALTER TABLE cases ADD COLUMN card text, ADD COLUMN fired text",
    # A light firing rewrites the short part of the row only: what is long lies outside it, and is not compressed,
    # which took longer than writing it.
    "ALTER TABLE cases ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN card SET STORAGE EXTERNAL",
    "ALTER TABLE cases SET (toast_tuple_target = 512)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
