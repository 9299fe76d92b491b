"""The register: cases, events, people, numbers, commands, quarantine, keys."""

from alembic import op

from shared.db.messaging_v1 import create_messaging_tables_v1

revision = "20261122_pre_first"
down_revision = None

_STATEMENTS = (
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
        org TEXT NOT NULL,
        source TEXT NOT NULL,
        reference TEXT NOT NULL,
        kind TEXT NOT NULL,
        number TEXT NOT NULL,
        last_sequence INTEGER NOT NULL,
        last_event_id TEXT NOT NULL,
        last_body_hash BYTEA NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_cases PRIMARY KEY (case_id),
        CONSTRAINT uq_cases_org_source_reference UNIQUE (org, source, reference),
        CONSTRAINT uq_cases_org_number UNIQUE (org, number)
    )
    """,
    """
    CREATE TABLE commands (
        org TEXT NOT NULL,
        request_key TEXT NOT NULL,
        event_id UUID NOT NULL,
        case_id UUID NOT NULL,
        command TEXT NOT NULL,
        actor_kind TEXT NOT NULL,
        actor_ref TEXT NOT NULL,
        key_prefix TEXT,
        body_hash BYTEA NOT NULL,
        issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_commands PRIMARY KEY (org, request_key)
    )
    """,
    "CREATE INDEX ix_commands_case_id ON commands (case_id)",
    """
    CREATE TABLE events (
        org TEXT NOT NULL,
        source TEXT NOT NULL,
        event_id TEXT NOT NULL,
        case_id UUID NOT NULL,
        sequence INTEGER NOT NULL,
        body_hash BYTEA NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        person_id UUID,
        original BYTEA NOT NULL,
        identity BYTEA,
        CONSTRAINT pk_events PRIMARY KEY (org, source, event_id),
        CONSTRAINT uq_events_case_id_sequence UNIQUE (case_id, sequence)
    )
    """,
    """
    CREATE TABLE number_counters (
        org TEXT NOT NULL,
        month TEXT NOT NULL,
        last INTEGER NOT NULL,
        CONSTRAINT pk_number_counters PRIMARY KEY (org, month)
    )
    """,
    """
    CREATE TABLE persons (
        person_id UUID NOT NULL,
        org TEXT NOT NULL,
        ref TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        erased_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_persons PRIMARY KEY (person_id)
    )
    """,
    "CREATE UNIQUE INDEX uq_persons_living ON persons (org, ref) WHERE erased_at IS NULL",
    """
    CREATE TABLE quarantine (
        quarantine_id UUID NOT NULL,
        org TEXT NOT NULL,
        kind TEXT NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        field TEXT NOT NULL,
        reason TEXT NOT NULL,
        size INTEGER NOT NULL,
        key_prefix TEXT NOT NULL,
        payload BYTEA NOT NULL,
        replayed_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_quarantine PRIMARY KEY (quarantine_id)
    )
    """,
    "CREATE INDEX ix_quarantine_org_quarantine_id ON quarantine (org, quarantine_id)",
    """
    CREATE TABLE replays (
        org TEXT NOT NULL,
        letter_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        key_prefix TEXT NOT NULL,
        replayed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_replays PRIMARY KEY (org, letter_id)
    )
    """,
    """
    CREATE TABLE used_links (
        intent_id UUID NOT NULL,
        org TEXT NOT NULL,
        case_id UUID NOT NULL,
        person TEXT NOT NULL,
        event_id UUID NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_used_links PRIMARY KEY (intent_id)
    )
    """,
    """
    CREATE TABLE person_keys (
        person_id UUID NOT NULL,
        wrapped_key BYTEA NOT NULL,
        CONSTRAINT pk_person_keys PRIMARY KEY (person_id),
        CONSTRAINT fk_person_keys_person_id_persons FOREIGN KEY(person_id) REFERENCES persons (person_id)
    )
    """,
)


def upgrade() -> None:
    create_messaging_tables_v1(op)
    for statement in _STATEMENTS:
        op.execute(statement)
