"""Duties of organisations: who has them, when each comes round, and which round was told."""

from alembic import op

revision = "20261122_pre_duties"
down_revision = "20261122_pre_lanes"

_STATEMENTS = (
    (
        "CREATE TABLE plan_organisations (org text NOT NULL, plan text NOT NULL, "
        "CONSTRAINT pk_plan_organisations PRIMARY KEY (org, plan))"
    ),
    "INSERT INTO plan_organisations (org, plan) SELECT DISTINCT org, plan FROM cases",
    (
        "CREATE TABLE duty_rounds (org text NOT NULL, plan text NOT NULL, duty text NOT NULL, schedule text NOT NULL, "
        "through timestamptz NOT NULL, next_at timestamptz, CONSTRAINT pk_duty_rounds PRIMARY KEY (org, plan, duty))"
    ),
    (
        "CREATE TABLE duties_told (org text NOT NULL, plan text NOT NULL, duty text NOT NULL, "
        "due_at timestamptz NOT NULL, number text NOT NULL, told boolean NOT NULL, at timestamptz NOT NULL, "
        "CONSTRAINT pk_duties_told PRIMARY KEY (org, plan, duty, due_at))"
    ),
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
