"""Cases, their history, clock logs, timers, fires and plan snapshots."""

from alembic import op

from shared.db.messaging_v1 import create_messaging_tables_v1

revision = "20261122_pre_first"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE cases (
        case_id uuid NOT NULL,
        plan text NOT NULL,
        org text NOT NULL,
        number text NOT NULL,
        plan_sha256 text NOT NULL,
        state text NOT NULL,
        level text,
        revision integer NOT NULL,
        is_open boolean NOT NULL,
        clocks_running integer NOT NULL,
        opened_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        traceparent text,
        body jsonb NOT NULL,
        CONSTRAINT pk_cases PRIMARY KEY (case_id, plan)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX ix_cases_open ON cases (plan, level) WHERE is_open",
    "CREATE INDEX ix_cases_counting ON cases (case_id, plan) WHERE clocks_running > 0",
    """
    CREATE TABLE changes (
        case_id uuid NOT NULL,
        plan text NOT NULL,
        revision integer NOT NULL,
        position integer NOT NULL,
        at timestamptz NOT NULL,
        kind text NOT NULL,
        because text NOT NULL,
        details jsonb NOT NULL,
        cause text NOT NULL,
        CONSTRAINT pk_changes PRIMARY KEY (case_id, plan, revision, position)
    )
    """,
    """
    CREATE TABLE clock_entries (
        seq bigint GENERATED ALWAYS AS IDENTITY,
        case_id uuid NOT NULL,
        plan text NOT NULL,
        clock text NOT NULL,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        body jsonb NOT NULL,
        cause text NOT NULL,
        CONSTRAINT pk_clock_entries PRIMARY KEY (seq)
    )
    """,
    "CREATE INDEX ix_clock_entries_case ON clock_entries (case_id, plan, seq)",
    """
    CREATE TABLE timers (
        case_id uuid NOT NULL,
        plan text NOT NULL,
        subject text NOT NULL,
        generation integer NOT NULL,
        threshold text NOT NULL,
        due_at timestamptz NOT NULL,
        CONSTRAINT pk_timers PRIMARY KEY (case_id, plan, subject)
    ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)
    """,
    "CREATE INDEX ix_timers_due_at ON timers (due_at)",
    """
    CREATE TABLE fires (
        case_id uuid NOT NULL,
        plan text NOT NULL,
        subject text NOT NULL,
        generation integer NOT NULL,
        threshold text NOT NULL,
        due_at timestamptz NOT NULL,
        fired_at timestamptz NOT NULL,
        superseded boolean NOT NULL,
        event_id uuid NOT NULL,
        CONSTRAINT pk_fires PRIMARY KEY (case_id, plan, subject, generation, threshold)
    )
    """,
    "CREATE INDEX ix_fires_fired_at ON fires USING brin (fired_at)",
    """
    CREATE TABLE plan_snapshots (
        sha256 text NOT NULL,
        name text NOT NULL,
        version integer NOT NULL,
        snapshot text NOT NULL,
        stored_at timestamptz NOT NULL,
        CONSTRAINT pk_plan_snapshots PRIMARY KEY (sha256)
    )
    """,
)


def upgrade() -> None:
    create_messaging_tables_v1(op)
    for statement in _STATEMENTS:
        op.execute(statement)
