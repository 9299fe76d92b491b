"""Cases, plan snapshots, windows, warnings and reconsiderations."""

from alembic import op

from shared.db.messaging_v1 import create_messaging_tables_v1

revision = "20261122_pre_first"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE cases (
        case_id uuid NOT NULL,
        org text NOT NULL,
        number text NOT NULL,
        state text NOT NULL,
        runs text NOT NULL,
        unrouted_since timestamptz,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_cases PRIMARY KEY (case_id)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX ix_cases_unrouted ON cases (case_id) WHERE unrouted_since IS NOT NULL",
    """
    CREATE TABLE plans (
        sha256 text NOT NULL,
        name text NOT NULL,
        version integer NOT NULL,
        snapshot text NOT NULL,
        stored_at timestamptz NOT NULL,
        CONSTRAINT pk_plans PRIMARY KEY (sha256)
    )
    """,
    """
    CREATE TABLE window_groups (
        group_id uuid NOT NULL,
        org text NOT NULL,
        plan text NOT NULL,
        drill boolean NOT NULL,
        group_key text NOT NULL,
        moved_at timestamptz NOT NULL,
        CONSTRAINT pk_window_groups PRIMARY KEY (group_id)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE window_counters (
        series_id uuid NOT NULL,
        bucket_start timestamptz NOT NULL,
        group_id uuid NOT NULL,
        window_id text NOT NULL,
        count bigint NOT NULL,
        CONSTRAINT pk_window_counters PRIMARY KEY (series_id, bucket_start)
    ) WITH (fillfactor = 50)
    """,
    "CREATE INDEX ix_window_counters_bucket_start ON window_counters (bucket_start)",
    """
    CREATE TABLE window_members (
        series_id uuid NOT NULL,
        bucket_start timestamptz NOT NULL,
        member text NOT NULL,
        case_id uuid NOT NULL,
        CONSTRAINT pk_window_members PRIMARY KEY (series_id, bucket_start, member, case_id)
    )
    """,
    """
    CREATE TABLE warnings (
        case_id uuid NOT NULL,
        group_id uuid NOT NULL,
        span text NOT NULL,
        bucket_start timestamptz NOT NULL,
        org text NOT NULL,
        plan text NOT NULL,
        sha256 text NOT NULL,
        number text NOT NULL,
        level text NOT NULL,
        rank integer NOT NULL,
        revision integer NOT NULL,
        opened_at timestamptz NOT NULL,
        raised_at timestamptz NOT NULL,
        CONSTRAINT pk_warnings PRIMARY KEY (case_id),
        CONSTRAINT uq_warnings_group_id_span_bucket_start UNIQUE (group_id, span, bucket_start)
    )
    """,
    """
    CREATE TABLE warning_numbers (
        org text NOT NULL,
        month text NOT NULL,
        last integer NOT NULL,
        CONSTRAINT pk_warning_numbers PRIMARY KEY (org, month)
    )
    """,
    """
    CREATE TABLE reconsiderations (
        case_id uuid NOT NULL,
        plan text NOT NULL,
        due_at timestamptz NOT NULL,
        CONSTRAINT pk_reconsiderations PRIMARY KEY (case_id, plan)
    )
    """,
    "CREATE INDEX ix_reconsiderations_due_at ON reconsiderations (due_at)",
)


def upgrade() -> None:
    create_messaging_tables_v1(op)
    for statement in _STATEMENTS:
        op.execute(statement)
