"""Alembic environment of the schema `escalator`."""

from services.escalator.store.tables import metadata
from shared.db.migrate import run_migrations

run_migrations(metadata)
