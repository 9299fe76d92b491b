"""Which cases were erased."""

from alembic import op

from shared.db.erasures import create_erasures_table_v1

revision = "20261122_pre_retention"
down_revision = "20261122_pre_merged"


def upgrade() -> None:
    create_erasures_table_v1(op)
    op.execute("CREATE INDEX ix_complainant_notices_case ON complainant_notices (org, case_id)")
