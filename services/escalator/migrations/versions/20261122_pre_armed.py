"""Cases say how many timers they have armed: one statement compares that with the table, whatever their number."""

from alembic import op

revision = "20261122_pre_armed"
down_revision = "20261122_pre_keys"

_STATEMENTS = (
    "ALTER TABLE cases ADD COLUMN timers_armed integer NOT NULL DEFAULT 0",
    (
        "UPDATE cases AS c SET timers_armed = t.armed FROM (SELECT case_id, plan, count(*) AS armed FROM timers "
        "GROUP BY case_id, plan) AS t WHERE t.case_id = c.case_id AND t.plan = c.plan"
    ),
    "DROP INDEX ix_cases_counting",
    "CREATE INDEX ix_cases_waiting ON cases (case_id, plan) WHERE is_open OR clocks_running > 0",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
