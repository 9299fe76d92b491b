"""Which case goes on for one that was merged."""

from alembic import op

revision = "20261122_pre_merged"
down_revision = "20261122_pre_outcomes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE merged_cases (
            org text NOT NULL,
            case_id uuid NOT NULL,
            plan text NOT NULL,
            goes_on uuid,
            revision integer NOT NULL,
            CONSTRAINT pk_merged_cases PRIMARY KEY (org, case_id, plan)
        )
        """
    )
