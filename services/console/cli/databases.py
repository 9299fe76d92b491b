"""Commands of an operator with a database address: outbox, keys, migrations."""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import typer
from sqlalchemy.exc import ArgumentError

from services.console.app.create_user import DEFAULT_ORG
from services.console.cli.connection import installation
from services.console.cli.output import OUT, print_json, table
from services.console.cli.wording import CommandError, say
from shared.access.api_keys import ApiKey, Scope
from shared.access.key_store import KeyStore
from shared.db import outbox_log
from shared.db.engine import DATABASE_ERRORS, Database
from shared.db.migrate import migrate as migrate_schema
from shared.db.migrate import services_with_a_schema
from shared.runtime.clock import SystemClock

outbox = typer.Typer(help="发件箱 / the outbox of a service", no_args_is_help=True)
keys = typer.Typer(help="API 密钥 / API keys", no_args_is_help=True)

Service = Annotated[str, typer.Option("--service", help="intake, classifier, escalator, notifier, console")]
Url = Annotated[str | None, typer.Option("--database-url", help="缺省取 FENGHUO_<SERVICE>_DATABASE_URL 或本机安装")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
T = TypeVar("T")
_AGO: Final = re.compile(r"^(\d{1,6})([smhd])$")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@outbox.command()
def status(service: Service, database_url: Url = None, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """积压与各主题数量 / backlog and counts per topic."""

    async def work(database: Database) -> dict[str, Any]:
        async with database.transaction() as tx:
            return await outbox_log.status(tx)

    found = with_database(database_address(service, database_url), work)
    found["oldest"] = found["oldest"].isoformat() if found["oldest"] else None
    if as_json:
        print_json({"service": service, **found})
        return
    OUT.print(say(f"{service}：{found['waiting']} 条待发布", f"{service}: {found['waiting']} waiting"), style="bold")
    rows = table(say("主题", "Topic"), say("保存", "Kept"), say("待发布", "Waiting"))
    for topic in found["topics"]:
        rows.add_row(topic["topic"], str(topic["kept"]), str(topic["waiting"]))
    OUT.print(rows)


@outbox.command()
def republish(  # noqa: PLR0917  # options are given by name
    service: Service,
    since: Annotated[str, typer.Option(help="RFC 3339 时刻，或 30m、2h、1d 之前 / instant, or 30m, 2h, 1d ago")],
    until: Annotated[str | None, typer.Option(help="同上；缺省到现在 / absent: until now")] = None,
    topic: Annotated[str | None, typer.Option(help="只此主题 / this topic only")] = None,
    database_url: Url = None,
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """重新发布已发布的记录；消费者会跳过已处理的 / publish again; consumers skip what they have applied."""
    now = SystemClock().now()
    first, last = instant_of(since, now), instant_of(until, now) if until else None

    async def work(database: Database) -> int:
        async with database.transaction() as tx:
            return await outbox_log.republish(tx, since=first, until=last, topic=topic)

    count = with_database(database_address(service, database_url), work)
    if as_json:
        print_json({"service": service, "since": first.isoformat(), "records": count})
    else:
        OUT.print(say(f"{service}：{count} 条将重新发布。", f"{service}: {count} records will be published again."))


@keys.command()
def issue(  # noqa: PLR0917  # options are given by name
    label: Annotated[str, typer.Option(help="用途，历史中以此称呼 / what it is for; histories call it so")],
    scope: Annotated[list[Scope], typer.Option(help="可重复 / may be repeated")],
    service: Annotated[list[str], typer.Option(help="在哪些服务有效，可重复 / where it is valid")],
    org: Annotated[str, typer.Option(help="组织 / organisation")] = DEFAULT_ORG,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="有效天数 / days until it expires")] = None,
    as_json: Json = False,  # noqa: FBT002  # a flag
) -> None:
    """签发密钥，只显示一次 / issue a key; it is shown once."""
    pepper = _pepper()
    expires = SystemClock().now() + timedelta(days=days) if days else None
    addresses = [database_address(name, None) for name in dict.fromkeys(service)]
    issued: str | None = None
    for address in addresses:

        async def work(database: Database, known: str | None = issued) -> str:
            store = KeyStore(database, pepper)
            if known is None:
                return await store.issue(org=org, scopes=scope, label=label, expires_at=expires)
            await store.put(known, org=org, scopes=scope, label=label, expires_at=expires)
            return known

        issued = with_database(address, work)
    if as_json:
        print_json({"api_key": issued, "org": org, "scopes": sorted(scope), "services": service})
    else:
        sys.stdout.write(f"{issued}\n")


@keys.command("list")
def listed(service: Service, database_url: Url = None, as_json: Json = False) -> None:  # noqa: FBT002  # a flag
    """一个服务的密钥；密钥本身不可再见 / the keys of a service; the secrets are not kept."""

    async def work(database: Database) -> list[ApiKey]:
        return await KeyStore(database, b"").listed()

    now = SystemClock().now()
    found = with_database(database_address(service, database_url), work)
    if as_json:
        print_json({"service": service, "keys": [_key_view(key, now) for key in found]})
        return
    rows = table(
        say("用途", "For"),
        say("前缀", "Prefix"),
        say("组织", "Organisation"),
        say("权限", "Scopes"),
        say("状态", "State"),
    )
    states = {"valid": ("有效", "valid"), "expired": ("过期", "expired"), "revoked": ("已吊销", "revoked")}
    for view in (_key_view(key, now) for key in found):
        scopes = ", ".join(view["scopes"])
        rows.add_row(view["label"], view["prefix"], view["org"], scopes, say(*states[view["state"]]))
    OUT.print(rows)


def _key_view(key: ApiKey, now: datetime) -> dict[str, Any]:
    expired = key.expires_at is not None and key.expires_at <= now
    return {
        "label": key.label,
        "prefix": key.prefix,
        "org": key.org,
        "scopes": sorted(scope.value for scope in key.scopes),
        "state": "revoked" if key.revoked_at else "expired" if expired else "valid",
    }


@keys.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="密钥的公开前缀 / the key's public prefix (fh_<prefix>_…)")],
    service: Annotated[list[str], typer.Option(help="可重复 / may be repeated")],
) -> None:
    """吊销密钥，15 秒内处处生效 / revoke a key; it takes effect everywhere within 15 seconds."""

    async def work(database: Database) -> bool:
        # The pepper is for proving keys; their prefix is public.
        return await KeyStore(database, b"").revoke(prefix)

    found = [name for name in dict.fromkeys(service) if with_database(database_address(name, None), work)]
    if not found:
        raise CommandError(f"没有有效的密钥 {prefix}。", f"There is no key {prefix} in force.")
    OUT.print(say(f"已吊销：{'、'.join(found)}", f"Revoked in {', '.join(found)}"))


def migrate(
    service: Annotated[list[str] | None, typer.Option(help="缺省为所有服务 / absent: every service")] = None,
) -> None:
    """把数据库结构升级到最新 / bring the schemas up to date."""
    for name in service or services_with_a_schema():
        address = database_address(name, None)
        try:
            migrate_schema(name, address)
        except DATABASE_ERRORS as error:
            raise _away(error) from error
        OUT.print(say(f"{name} 已是最新。", f"{name} is up to date."))


def database_address(service: str, given: str | None) -> str:
    """The address of a service's schema. Raises CommandError naming the variable to set."""
    known = services_with_a_schema()
    if service not in known:
        raise CommandError(
            f"没有服务 {service}（有：{'、'.join(known)}）。", f"No service {service} ({', '.join(known)}).", 2
        )
    variable = f"FENGHUO_{service.upper()}_DATABASE_URL"
    address = given or os.environ.get(variable) or (installation().get("databases") or {}).get(service)
    if not address:
        raise CommandError(f"请设置 {variable} 或 --database-url。", f"Set {variable} or --database-url.", 2)
    return address


def with_database(address: str, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do the work in the database and close it. Raises CommandError when it cannot be reached."""

    async def run() -> T:
        database = Database.connect(address, application="fenghuo-cli", pool_size=2)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except ArgumentError as error:
        raise _away(error) from error
    except DATABASE_ERRORS as error:
        raise _away(error) from error


def instant_of(text: str, now: datetime) -> datetime:
    """An RFC 3339 instant, or a time ago such as `2h`. Raises CommandError."""
    ago = _AGO.fullmatch(text)
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CommandError(
            f"{text!r} 不是带时区的时刻，也不是 2h 这样的时长。",
            f"{text!r} is neither an instant with an offset nor like 2h.",
            2,
        )
    return found.astimezone(UTC)


def _pepper() -> bytes:
    pepper = os.environ.get("FENGHUO_KEY_PEPPER") or installation().get("key_pepper")
    if not pepper:
        raise CommandError("请设置 FENGHUO_KEY_PEPPER。", "Set FENGHUO_KEY_PEPPER.", 2)
    return str(pepper).encode()


def _away(error: Exception) -> CommandError:
    return CommandError(
        f"数据库不可用：{type(error).__name__}。", f"The database cannot be used: {type(error).__name__}."
    )
