"""What complainants are told of how it came out."""

from alembic import op

revision = "20261122_pre_outcomes"
down_revision = "20261122_pre_verifications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE complainant_notices ADD COLUMN outcome text")
