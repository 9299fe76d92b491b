"""A case is found by its number first: beside the key of the source no other index begins with the organisation.

While a table has no statistics the planner takes two indexes that begin alike for equally good, and the one of numbers
would make it read every case of the organisation.
"""

from alembic import op

revision = "20261122_number_first"
down_revision = "20261122_routing"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE cases DROP CONSTRAINT uq_cases_org_number, ADD CONSTRAINT uq_cases_number_org UNIQUE (number, org)"
    )
