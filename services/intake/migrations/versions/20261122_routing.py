"""What decides which plans a case runs under stands with the case."""

from alembic import op

revision = "20261122_routing"
down_revision = "20261122_pre_first"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE cases ADD COLUMN topic text, ADD COLUMN category text, ADD COLUMN channel text, "
        "ADD COLUMN plans text NOT NULL DEFAULT ''"
    )
