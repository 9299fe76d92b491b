"""Who works on a case."""

from alembic import op

revision = "20261122_pre_handled"
down_revision = "20261122_pre_criteria"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD COLUMN handled_by jsonb")
