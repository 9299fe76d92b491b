"""Live tests: who was asked to answer, and who did when."""

from alembic import op

revision = "20261122_pre_live_tests"
down_revision = "20261122_pre_silences"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE live_tests (
        test_id uuid NOT NULL,
        org text NOT NULL,
        number text NOT NULL,
        made_by text NOT NULL,
        asked_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        CONSTRAINT pk_live_tests PRIMARY KEY (test_id)
    )
    """,
    "CREATE INDEX ix_live_tests_org ON live_tests (org, ends_at)",
    """
    CREATE TABLE live_test_people (
        test_id uuid NOT NULL,
        person text NOT NULL,
        answered_at timestamptz,
        CONSTRAINT pk_live_test_people PRIMARY KEY (test_id, person)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
