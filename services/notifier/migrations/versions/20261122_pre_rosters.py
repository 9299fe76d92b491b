"""Versions of rosters, changes beside them with who and when, and what was announced."""

from alembic import op

revision = "20261122_pre_rosters"
down_revision = "20261122_pre_providers"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE roster_versions (
        org text NOT NULL,
        number integer NOT NULL,
        sha256 text NOT NULL,
        text text NOT NULL,
        origin text NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL,
        CONSTRAINT pk_roster_versions PRIMARY KEY (org, number)
    )
    """,
    """
    CREATE TABLE roster_changes (
        change_id uuid NOT NULL,
        org text NOT NULL,
        kind text NOT NULL,
        body jsonb NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        withdrawn_by text,
        withdrawn_at timestamptz,
        CONSTRAINT pk_roster_changes PRIMARY KEY (change_id)
    )
    """,
    "CREATE INDEX ix_roster_changes_org ON roster_changes (org, made_at)",
    """
    CREATE TABLE roster_notices (
        org text NOT NULL,
        key text NOT NULL,
        announced_at timestamptz NOT NULL,
        CONSTRAINT pk_roster_notices PRIMARY KEY (org, key)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
