"""Alembic's entry for the notifier's schema."""

from services.notifier.store.tables import metadata
from shared.db.migrate import run_migrations

run_migrations(metadata)
