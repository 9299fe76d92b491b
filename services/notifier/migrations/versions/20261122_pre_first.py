"""Requests, the delivery ledger, API keys, inbox and outbox."""

from alembic import op

from shared.db.messaging_v1 import create_messaging_tables_v1

revision = "20261122_pre_first"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE api_keys (
        prefix text NOT NULL,
        digest bytea NOT NULL,
        org text NOT NULL,
        scopes text[] NOT NULL,
        label text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_api_keys PRIMARY KEY (prefix)
    )
    """,
    """
    CREATE TABLE requests (
        request_id uuid NOT NULL,
        event_id uuid NOT NULL,
        org text NOT NULL,
        case_id uuid NOT NULL,
        plan text NOT NULL,
        purpose text NOT NULL,
        step integer NOT NULL,
        body jsonb NOT NULL,
        traceparent text,
        accepted_at timestamptz NOT NULL,
        CONSTRAINT pk_requests PRIMARY KEY (request_id)
    )
    """,
    "CREATE INDEX ix_requests_case ON requests (org, case_id, plan)",
    """
    CREATE TABLE intents (
        intent_id uuid NOT NULL,
        request_id uuid NOT NULL,
        org text NOT NULL,
        case_id uuid NOT NULL,
        plan text NOT NULL,
        purpose text NOT NULL,
        step integer NOT NULL,
        role text NOT NULL,
        recipient text NOT NULL,
        person text,
        person_label text,
        because jsonb NOT NULL,
        lane smallint NOT NULL,
        urgency integer NOT NULL,
        next_channel text,
        due_at timestamptz,
        stopped text,
        attempts integer NOT NULL DEFAULT 0,
        settlement text,
        channel text,
        provider text,
        contact text,
        reason text,
        settled_at timestamptz,
        CONSTRAINT pk_intents PRIMARY KEY (intent_id),
        CONSTRAINT fk_intents_request_id_requests FOREIGN KEY (request_id) REFERENCES requests (request_id),
        CONSTRAINT uq_intents_request_id_recipient UNIQUE (request_id, recipient)
    )
    """,
    "CREATE INDEX ix_intents_case ON intents (org, case_id, plan)",
    "CREATE INDEX ix_intents_claim ON intents (next_channel, lane, urgency DESC, due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX ix_intents_due ON intents (due_at) WHERE due_at IS NOT NULL",
    """
    CREATE TABLE attempts (
        attempt_id uuid NOT NULL,
        intent_id uuid NOT NULL,
        number integer NOT NULL,
        channel text NOT NULL,
        provider text NOT NULL,
        contact text NOT NULL,
        address text NOT NULL,
        token text NOT NULL,
        doubtful boolean NOT NULL,
        started_at timestamptz NOT NULL,
        answer_until timestamptz NOT NULL,
        CONSTRAINT pk_attempts PRIMARY KEY (attempt_id),
        CONSTRAINT fk_attempts_intent_id_intents FOREIGN KEY (intent_id) REFERENCES intents (intent_id),
        CONSTRAINT uq_attempts_intent_id_number UNIQUE (intent_id, number)
    )
    """,
    """
    CREATE TABLE outcomes (
        attempt_id uuid NOT NULL,
        answer text NOT NULL,
        provider_message_id text,
        code text,
        why text NOT NULL,
        retry_after_ms integer NOT NULL DEFAULT 0,
        ended_at timestamptz NOT NULL,
        CONSTRAINT pk_outcomes PRIMARY KEY (attempt_id),
        CONSTRAINT fk_outcomes_attempt_id_attempts FOREIGN KEY (attempt_id) REFERENCES attempts (attempt_id)
    )
    """,
    """
    CREATE TABLE receipts (
        event_id uuid NOT NULL,
        attempt_id uuid NOT NULL,
        status text NOT NULL,
        provider_message_id text,
        code text,
        detail text,
        received_at timestamptz NOT NULL,
        CONSTRAINT pk_receipts PRIMARY KEY (event_id),
        CONSTRAINT fk_receipts_attempt_id_attempts FOREIGN KEY (attempt_id) REFERENCES attempts (attempt_id)
    )
    """,
    "CREATE INDEX ix_receipts_attempt_id ON receipts (attempt_id)",
)


def upgrade() -> None:
    create_messaging_tables_v1(op)
    for statement in _STATEMENTS:
        op.execute(statement)
