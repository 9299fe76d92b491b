"""Which cases were erased."""

from alembic import op

from shared.db.erasures import create_erasures_table_v1

revision = "20261122_pre_retention"
down_revision = "20261122_number_first"


def upgrade() -> None:
    create_erasures_table_v1(op)
    # The key of a person of whom no report is left goes too.
    op.execute("CREATE INDEX ix_events_person_id ON events (person_id) WHERE person_id IS NOT NULL")
    op.execute("CREATE INDEX ix_persons_erased_at ON persons (erased_at) WHERE erased_at IS NOT NULL")
