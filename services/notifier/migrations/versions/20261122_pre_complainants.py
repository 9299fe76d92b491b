"""Notices to complainants: what they are to be told, and what came of it. No address is kept."""

from alembic import op

revision = "20261122_pre_complainants"
down_revision = "20261122_pre_live_tests"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE complainant_notices (
        notice_id uuid NOT NULL,
        org text NOT NULL,
        case_id uuid NOT NULL,
        plan text NOT NULL,
        notice text NOT NULL,
        number text NOT NULL,
        language text NOT NULL,
        text text NOT NULL,
        reason text,
        noted_at timestamptz NOT NULL,
        due_at timestamptz,
        attempts integer NOT NULL,
        settlement text,
        channel text,
        provider text,
        why text,
        settled_at timestamptz,
        CONSTRAINT pk_complainant_notices PRIMARY KEY (notice_id)
    )
    """,
    "CREATE INDEX ix_complainant_notices_due ON complainant_notices (due_at) WHERE due_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
