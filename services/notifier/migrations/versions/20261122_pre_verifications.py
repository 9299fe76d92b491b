"""Verifications: codes sent to contact points, and what came of them."""

from alembic import op

revision = "20261122_pre_verifications"
down_revision = "20261122_pre_complainants"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE verifications (
        verification_id uuid NOT NULL,
        org text NOT NULL,
        number text NOT NULL,
        person text NOT NULL,
        contact text NOT NULL,
        channel text NOT NULL,
        address text NOT NULL,
        fingerprint text NOT NULL,
        made_by text NOT NULL,
        asked_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        tries integer NOT NULL,
        state text NOT NULL,
        ended_at timestamptz,
        answered_by text,
        CONSTRAINT pk_verifications PRIMARY KEY (verification_id)
    )
    """,
    "CREATE INDEX ix_verifications_person ON verifications (org, person, asked_at)",
    "CREATE INDEX ix_verifications_proven ON verifications (org, fingerprint) WHERE state = 'verified'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
