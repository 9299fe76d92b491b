"""Alembic environment of the schema `classifier`."""

from services.classifier.store.tables import metadata
from shared.db.migrate import run_migrations

run_migrations(metadata)
