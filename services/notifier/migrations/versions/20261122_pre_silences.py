"""Silences, what noise control decided about intents, reasons in Chinese, and which cases were answered."""

from alembic import op

revision = "20261122_pre_silences"
down_revision = "20261122_pre_rosters"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE requests ADD COLUMN warning_topic text",
    "CREATE INDEX ix_requests_warnings ON requests (org, plan, warning_topic) WHERE warning_topic IS NOT NULL",
    """
    ALTER TABLE intents
        ADD COLUMN stopped_zh text,
        ADD COLUMN reason_zh text,
        ADD COLUMN noise_rule text,
        ADD COLUMN noise_because jsonb,
        ADD COLUMN held_at timestamptz,
        ADD COLUMN held_until timestamptz,
        ADD COLUMN bundle uuid
    """,
    "CREATE INDEX ix_intents_noise ON intents (org, intent_id) WHERE noise_rule IS NOT NULL",
    "CREATE INDEX ix_intents_bundle ON intents (bundle) WHERE bundle IS NOT NULL",
    """
    CREATE TABLE silences (
        silence_id uuid NOT NULL,
        org text NOT NULL,
        body jsonb NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        ended_by text,
        ended_at timestamptz,
        CONSTRAINT pk_silences PRIMARY KEY (silence_id)
    )
    """,
    "CREATE INDEX ix_silences_org ON silences (org, made_at)",
    """
    CREATE TABLE answered_cases (
        org text NOT NULL,
        case_id uuid NOT NULL,
        plan text NOT NULL,
        answered_at timestamptz NOT NULL,
        is_over boolean NOT NULL,
        CONSTRAINT pk_answered_cases PRIMARY KEY (org, case_id, plan)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
