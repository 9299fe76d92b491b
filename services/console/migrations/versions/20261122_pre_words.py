"""Reasons and roles of deliveries in both languages."""

from alembic import op

revision = "20261122_pre_words"
down_revision = "20261122_pre_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE deliveries ADD COLUMN role_words jsonb, ADD COLUMN reason_words jsonb")
