"""The criteria of each plan text, once: most classifications carry only the answers."""

from alembic import op

revision = "20261122_pre_criteria"
down_revision = "20261122_pre_reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE plan_criteria (
            sha256 TEXT NOT NULL,
            criteria JSONB NOT NULL,
            CONSTRAINT pk_plan_criteria PRIMARY KEY (sha256)
        )
        """
    )
