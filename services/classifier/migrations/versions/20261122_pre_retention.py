"""Which cases were erased."""

from alembic import op

from shared.db.erasures import create_erasures_table_v1

revision = "20261122_pre_retention"
down_revision = "20261122_warning_ends"


def upgrade() -> None:
    create_erasures_table_v1(op)
