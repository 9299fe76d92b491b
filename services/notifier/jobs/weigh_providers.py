"""Door: time to look how the providers stand."""

from services.notifier.app.weigh_providers import WeighedProviders
from services.notifier.app.weigh_providers import weigh_providers as weigh
from shared.db.engine import Database


async def weigh_providers(database: Database, providers: WeighedProviders) -> None:
    """Once."""
    await weigh(database=database, providers=providers)
