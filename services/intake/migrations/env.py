"""Alembic environment of the schema `intake`."""

from services.intake.store.tables import metadata
from shared.db.migrate import run_migrations

run_migrations(metadata)
