"""Cases are found by the number people call them by: a merge names the case that goes on."""

from alembic import op

revision = "20261122_pre_numbers"
down_revision = "20261122_pre_duties"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_cases_number ON cases (number)")
