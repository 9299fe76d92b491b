"""Light firings read a short head of the card, rewrite nothing that is indexed, and find room on the page."""

from alembic import op

revision = "20261122_pre_heads"
down_revision = "20261122_pre_numbers"

_STATEMENTS = (
    "ALTER TABLE cases ADD COLUMN card_head text, ADD COLUMN clocks_ended integer NOT NULL DEFAULT 0",
    (
        "UPDATE cases SET card_head = split_part(card, E'\\n', 1), card = substr(card, strpos(card, E'\\n') + 1) "
        "WHERE card IS NOT NULL"
    ),
    # More than half of each page is left for the next version of its rows: then no index has to be touched.
    "ALTER TABLE cases SET (fillfactor = 40)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
