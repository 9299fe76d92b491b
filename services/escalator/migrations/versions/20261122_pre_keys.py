"""API keys: whoever asks why a clock is due, or what the auditor found, shows one."""

from alembic import op

revision = "20261122_pre_keys"
down_revision = "20261122_pre_heads"

_STATEMENT = """
    CREATE TABLE api_keys (
        prefix text NOT NULL,
        digest bytea NOT NULL,
        org text NOT NULL,
        scopes text[] NOT NULL,
        label text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_api_keys PRIMARY KEY (prefix)
    )
"""


def upgrade() -> None:
    op.execute(_STATEMENT)
