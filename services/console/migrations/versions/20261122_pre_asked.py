"""What people were asked of a case: the gate, approvals, the checklist."""

from alembic import op

revision = "20261122_pre_asked"
down_revision = "20261122_pre_words"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD COLUMN asked jsonb")
