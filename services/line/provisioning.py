"""Makes a PostgreSQL server ready for the five services: roles, schemas, tables, the first keys and the first user.

Everything can be run again: what is there already is brought up to date and nothing is lost.
"""

import asyncio
from collections.abc import Callable

from services.console.app.create_user import Role, provision_user
from services.console.cli.wording import say
from services.line.layout import SERVICES, Layout
from services.line.secret_values import SecretValues, write_private
from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.engine import Database
from shared.db.migrate import migrate, needs_migration
from shared.db.provision import provision_service, service_url

USER = "admin"
_KEYED_SERVICES = ("intake", "notifier", "console")


async def prepare_database(
    admin_url: str, layout: Layout, values: SecretValues, tell: Callable[[str], None]
) -> dict[str, str]:
    """Roles, schemas and tables of every service; the address each service uses, by its name."""
    urls: dict[str, str] = {}
    for service in SERVICES:
        password = values.database_passwords[service]
        urls[service] = service_url(admin_url, service, password)
        if not await _can_enter(urls[service]):
            urls[service] = await provision_service(admin_url, service, password)
        if await needs_migration(service, urls[service]):
            tell(say(f"建立 {service} 的表", f"making the tables of {service}"))
            # Alembic runs its own event loop.
            await asyncio.to_thread(migrate, service, urls[service])
    await _issue_access(urls, layout, values)
    return urls


async def _can_enter(url: str) -> bool:
    database = Database.connect(url, application="fenghuo-provision", pool_size=2)
    try:
        return await database.probe() is None
    finally:
        await database.close()


async def _issue_access(urls: dict[str, str], layout: Layout, values: SecretValues) -> None:
    pepper = values.key_pepper.encode()
    for service in _KEYED_SERVICES:
        database = Database.connect(urls[service], application="fenghuo-provision", pool_size=2)
        keys = KeyStore(database, pepper)
        await keys.put(values.operator_key, org=layout.organisation, scopes=list(Scope), label="operator")
        if service == "intake":
            await keys.put(
                values.console_key,
                org=layout.organisation,
                scopes=[Scope.COMMAND, Scope.READ, Scope.OPERATE],
                label="console",
            )
        if service == "console":
            await provision_user(
                database, org=layout.organisation, name=USER, password=values.user_password, role=Role.ADMIN
            )
        await database.close()


def write_credentials(layout: Layout, values: SecretValues) -> None:
    """What the command line reads to find and enter this installation; readable by its owner only."""
    write_private(
        layout.credentials_file,
        {
            "console_url": layout.url_of("console"),
            "intake_url": layout.url_of("intake"),
            "notifier_url": layout.url_of("notifier"),
            "sink_url": layout.sink_url,
            "api_key": values.operator_key,
            "user": USER,
            "password": values.user_password,
        },
    )
