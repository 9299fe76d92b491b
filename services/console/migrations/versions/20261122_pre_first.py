"""The read model, people and keys."""

from alembic import op

from shared.db.messaging_v1 import create_messaging_tables_v1

revision = "20261122_pre_first"
down_revision = None

_STATEMENTS = (
    "CREATE SEQUENCE board_seq",
    """
    CREATE TABLE api_keys (
        prefix TEXT NOT NULL,
        digest BYTEA NOT NULL,
        org TEXT NOT NULL,
        scopes TEXT[] NOT NULL,
        label TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE,
        revoked_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_api_keys PRIMARY KEY (prefix)
    )
    """,
    """
    CREATE TABLE cases (
        case_id UUID NOT NULL,
        plan TEXT NOT NULL,
        org TEXT NOT NULL,
        number TEXT NOT NULL,
        kind TEXT NOT NULL,
        title TEXT,
        topic TEXT,
        place JSONB NOT NULL,
        plan_version INTEGER NOT NULL,
        plan_sha256 TEXT NOT NULL,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL,
        level TEXT,
        level_label TEXT,
        level_rank INTEGER NOT NULL,
        highest_rank INTEGER NOT NULL,
        tier TEXT,
        tier_label TEXT,
        next_tier TEXT,
        next_tier_at TIMESTAMP WITH TIME ZONE,
        acknowledged_by JSONB,
        acknowledged_at TIMESTAMP WITH TIME ZONE,
        decided_by TEXT,
        because TEXT,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE,
        clocks JSONB NOT NULL,
        is_open BOOLEAN NOT NULL,
        drill BOOLEAN NOT NULL,
        touched BIGINT NOT NULL,
        CONSTRAINT pk_cases PRIMARY KEY (case_id, plan)
    )
    """,
    "CREATE INDEX ix_cases_listed ON cases (org, opened_at, case_id, plan)",
    "CREATE INDEX ix_cases_number ON cases (number)",
    "CREATE INDEX ix_cases_open ON cases (org) WHERE is_open",
    "CREATE INDEX ix_cases_touched ON cases (touched)",
    """
    CREATE TABLE classifications (
        case_id UUID NOT NULL,
        plan TEXT NOT NULL,
        revision INTEGER NOT NULL,
        org TEXT NOT NULL,
        event_id UUID NOT NULL,
        number TEXT NOT NULL,
        classified_at TIMESTAMP WITH TIME ZONE NOT NULL,
        body JSONB NOT NULL,
        decided JSONB,
        CONSTRAINT pk_classifications PRIMARY KEY (case_id, plan, revision)
    )
    """,
    """
    CREATE TABLE dead_letters (
        id UUID NOT NULL,
        org TEXT,
        case_id UUID,
        topic TEXT NOT NULL,
        consumer TEXT NOT NULL,
        partition INTEGER,
        "offset" BIGINT,
        attempts INTEGER,
        reason TEXT NOT NULL,
        first_failed_at TIMESTAMP WITH TIME ZONE,
        buried_at TIMESTAMP WITH TIME ZONE NOT NULL,
        record_key BYTEA,
        headers TEXT NOT NULL,
        value BYTEA,
        replayed_at TIMESTAMP WITH TIME ZONE,
        replayed_by TEXT,
        CONSTRAINT pk_dead_letters PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_dead_letters_listed ON dead_letters (buried_at, id)",
    """
    CREATE TABLE deliveries (
        intent_id UUID NOT NULL,
        case_id UUID NOT NULL,
        plan TEXT NOT NULL,
        org TEXT NOT NULL,
        event_id UUID NOT NULL,
        request_id UUID NOT NULL,
        purpose TEXT NOT NULL,
        step INTEGER NOT NULL,
        role TEXT NOT NULL,
        person TEXT,
        person_label TEXT,
        channel TEXT,
        provider TEXT,
        settlement TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        reason TEXT NOT NULL,
        settled_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_deliveries PRIMARY KEY (intent_id)
    )
    """,
    "CREATE INDEX ix_deliveries_case_id ON deliveries (case_id)",
    """
    CREATE TABLE reports (
        case_id UUID NOT NULL,
        sequence INTEGER NOT NULL,
        org TEXT NOT NULL,
        event_id UUID NOT NULL,
        kind TEXT NOT NULL,
        number TEXT NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        body JSONB NOT NULL,
        CONSTRAINT pk_reports PRIMARY KEY (case_id, sequence)
    )
    """,
    "CREATE INDEX ix_reports_number ON reports (number)",
    """
    CREATE TABLE requests (
        request_id UUID NOT NULL,
        case_id UUID NOT NULL,
        plan TEXT NOT NULL,
        org TEXT NOT NULL,
        event_id UUID NOT NULL,
        purpose TEXT NOT NULL,
        step INTEGER NOT NULL,
        roles JSONB NOT NULL,
        channels JSONB NOT NULL,
        requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_requests PRIMARY KEY (request_id)
    )
    """,
    "CREATE INDEX ix_requests_case_id ON requests (case_id)",
    """
    CREATE TABLE timeline (
        event_id UUID NOT NULL,
        line INTEGER NOT NULL,
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        org TEXT NOT NULL,
        case_id UUID NOT NULL,
        plan TEXT,
        number TEXT,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        kind TEXT NOT NULL,
        tone TEXT NOT NULL,
        zh TEXT NOT NULL,
        en TEXT NOT NULL,
        details JSONB NOT NULL,
        actor JSONB,
        causation TEXT,
        CONSTRAINT pk_timeline PRIMARY KEY (event_id, line)
    )
    """,
    "CREATE INDEX ix_timeline_case_id ON timeline (case_id, seq)",
    "CREATE INDEX ix_timeline_seq ON timeline (seq)",
    """
    CREATE TABLE users (
        name TEXT NOT NULL,
        org TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        disabled_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_users PRIMARY KEY (name)
    )
    """,
)


def upgrade() -> None:
    create_messaging_tables_v1(op)
    for statement in _STATEMENTS:
        op.execute(statement)
