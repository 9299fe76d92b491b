"""Alembic environment of the schema `console`."""

from services.console.store.tables import metadata
from shared.db.migrate import run_migrations

run_migrations(metadata)
