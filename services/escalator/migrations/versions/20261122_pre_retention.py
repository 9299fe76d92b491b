"""Which cases are held, and which were erased."""

from alembic import op

from shared.db.erasures import create_erasures_table_v1

revision = "20261122_pre_retention"
down_revision = "20261122_pre_armed"


def upgrade() -> None:
    create_erasures_table_v1(op)
    op.execute(
        """
        CREATE TABLE holds (
            case_id uuid NOT NULL,
            org text NOT NULL,
            held_at timestamptz NOT NULL,
            CONSTRAINT pk_holds PRIMARY KEY (case_id)
        )
        """
    )
