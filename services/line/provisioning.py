"""Makes a PostgreSQL server ready for the five services: roles, schemas, tables, the first keys and the first user.

Everything can be run again: what is there already is brought up to date and nothing is lost.
"""

import asyncio
from collections.abc import Callable, Mapping

from services.console.app.create_user import Role
from services.console.app.ensure_user import ensure_user
from services.console.cli.wording import say
from services.line.children import Overrides
from services.line.layout import SERVICES, Layout
from services.line.secret_values import USER, SecretValues, write_private
from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.db.engine import Database
from shared.db.migrate import migrate, needs_migration
from shared.db.provision import provision_service, service_url

_KEYED_SERVICES = ("intake", "escalator", "notifier", "console")


async def prepare_database(
    admin_url: str, layout: Layout, values: SecretValues, tell: Callable[[str], None]
) -> dict[str, str]:
    """Roles, schemas and tables of every service; the address each service uses, by its name."""
    passwords = values.database_passwords
    urls = {service: service_url(admin_url, service, passwords[service]) for service in SERVICES}
    known = await asyncio.gather(*(_can_enter(url) for url in urls.values()))
    for service, is_known in zip(SERVICES, known, strict=True):
        if not is_known:
            urls[service] = await provision_service(admin_url, service, passwords[service])
    behind = await asyncio.gather(*(needs_migration(service, url) for service, url in urls.items()))
    for service, is_behind in zip(SERVICES, behind, strict=True):
        if is_behind:
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
    await asyncio.gather(*(_issue(service, urls[service], layout, values) for service in _KEYED_SERVICES))


async def _issue(service: str, url: str, layout: Layout, values: SecretValues) -> None:
    database = Database.connect(url, application="fenghuo-provision", pool_size=2)
    try:
        keys = KeyStore(database, values.key_pepper.encode())
        await keys.put(values.operator_key, org=layout.organisation, scopes=list(Scope), label="operator")
        if service == "intake":
            await keys.put(
                values.console_key,
                org=layout.organisation,
                scopes=[Scope.COMMAND, Scope.READ, Scope.OPERATE, Scope.ADDRESS],
                label="console",
            )
        if service == "escalator":
            await keys.put(
                values.console_key, org=layout.organisation, scopes=[Scope.READ, Scope.OPERATE], label="console"
            )
        if service == "notifier":
            await keys.put(
                values.console_key, org=layout.organisation, scopes=[Scope.READ, Scope.RECEIPT], label="console"
            )
        if service == "console":
            await ensure_user(
                database, org=layout.organisation, name=USER, password=values.user_password, role=Role.ADMIN
            )
    finally:
        await database.close()


def write_credentials(layout: Layout, values: SecretValues, urls: Mapping[str, str], overrides: Overrides) -> None:
    """What the command line reads to find and enter this installation; readable by its owner only."""
    write_private(
        layout.credentials_file,
        {
            "console_url": layout.url_of("console"),
            "intake_url": layout.url_of("intake"),
            "notifier_url": layout.url_of("notifier"),
            "escalator_url": layout.url_of("escalator"),
            "sink_url": layout.sink_url,
            "api_key": values.operator_key,
            "key_pepper": values.key_pepper,
            "user": USER,
            "password": values.user_password,
            "organisation": layout.organisation,
            "databases": dict(urls),
            "plan_overrides": {plan: dict(given) for plan, given in overrides.items()},
        },
    )
