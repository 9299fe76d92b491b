"""What providers cost a day; look-ups by a provider's message id, by time and of those not reached."""

from alembic import op

revision = "20261122_pre_providers"
down_revision = "20261122_pre_first"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE provider_days (
        provider text NOT NULL,
        day date NOT NULL,
        spent bigint NOT NULL,
        CONSTRAINT pk_provider_days PRIMARY KEY (provider, day)
    )
    """,
    "CREATE INDEX ix_attempts_started_at ON attempts USING brin (started_at)",
    """
    CREATE INDEX ix_outcomes_provider_message_id ON outcomes (provider_message_id)
    WHERE provider_message_id IS NOT NULL
    """,
    "CREATE INDEX ix_intents_not_reached ON intents (settled_at) WHERE settlement IN ('failed', 'nobody')",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
