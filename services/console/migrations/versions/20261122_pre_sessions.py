"""Sessions that can be ended."""

from alembic import op

revision = "20261122_pre_sessions"
down_revision = "20261122_pre_handled"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
    CREATE TABLE sessions (
        digest BYTEA NOT NULL,
        name TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        address TEXT NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_sessions PRIMARY KEY (digest),
        CONSTRAINT fk_sessions_name_users FOREIGN KEY(name) REFERENCES users (name) ON DELETE CASCADE
    )
    """)
    op.execute("CREATE INDEX ix_sessions_name ON sessions (name)")
