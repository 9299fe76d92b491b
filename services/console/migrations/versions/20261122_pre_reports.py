"""Reports of an organisation in the order of their reception."""

from alembic import op

revision = "20261122_pre_reports"
down_revision = "20261122_pre_asked"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_reports_received", "reports", ["org", "received_at", "case_id", "sequence"])
