"""Room for a service in a PostgreSQL server: one database, and in it one schema and one login role per service.

A role owns its schema and sees no other: the import rules keep services apart in code, the roles keep them apart in
SQL. Works on any PostgreSQL >= 15, also where the administrator is not a superuser (managed servers); it needs
CREATEDB (unless the database exists and is its own) and CREATEROLE.
"""

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

DATABASE: Final = "fenghuo"
_IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_OLDEST_VERSION: Final = 15
_SCRAM_ITERATIONS: Final = 4096
_LOCK: Final = 0x46454E47  # any number of our own; two provisioners on one server take turns


class ProvisionError(Exception):
    """The server or an argument cannot be used; the text names what to change."""


def role_of(service: str) -> str:
    """The login role of a service. Roles are shared by all databases of a server, hence the prefix."""
    return f"fenghuo_{service}"


def service_url(admin_url: str, service: str, password: str, database: str = DATABASE) -> str:
    """The `postgresql://` address by which a service reaches its schema: the administrator's host with its own role."""
    parts = urlsplit(_plain(admin_url))
    host = parts.netloc.rpartition("@")[2]
    login = f"{quote(role_of(service))}:{quote(password, safe='')}"
    return urlunsplit(("postgresql", f"{login}@{host}", f"/{quote(database)}", parts.query, ""))


async def provision_service(admin_url: str, service: str, password: str, *, database: str = DATABASE) -> str:
    """Make, or bring up to date, the database, the service's role with this password and the schema that it owns.

    Returns the service's address. Safe to run again, and from several processes at once. The schema has the service's
    name and is the role's whole search path; of the database the role may only CONNECT, of other schemas nothing. The
    server never sees the password, only its SCRAM verifier, so no statement log can hold it.

    Raises ProvisionError for a server older than 15, an unusable name or a password outside printable ASCII; asyncpg's
    errors when the administrator may not do this.
    """
    for what, name in (("service", service), ("database", database)):
        if not _IDENTIFIER.fullmatch(name):
            raise ProvisionError(f"The {what} name {name!r} is not a lower-case identifier.")
    if not password or not password.isascii() or not password.isprintable():
        raise ProvisionError(f"The password of {service} must be printable ASCII and not empty.")
    role = role_of(service)
    admin = await asyncpg.connect(_plain(admin_url))
    try:
        if admin.get_server_version().major < _OLDEST_VERSION:
            raise ProvisionError(f"PostgreSQL {_OLDEST_VERSION} or newer is needed.")
        await admin.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await _ensure_role(admin, role, password, service)
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await admin.execute(f'CREATE DATABASE "{database}"')
        await admin.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC, "{role}"')
        await admin.execute(f'GRANT CONNECT ON DATABASE "{database}" TO "{role}"')
        await _ensure_schema(admin_url, database, role, service)
    finally:
        # Ending the session frees the lock.
        await admin.close()
    return service_url(admin_url, service, password, database)


async def _ensure_role(admin: asyncpg.Connection, role: str, password: str, service: str) -> None:
    # Names were checked against _IDENTIFIER and a verifier holds no quote, so both can stand in the statement.
    verb = "ALTER" if await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role) else "CREATE"
    await admin.execute(f"{verb} ROLE \"{role}\" LOGIN NOCREATEDB NOCREATEROLE PASSWORD '{_verifier(password)}'")
    await admin.execute(f'ALTER ROLE "{role}" SET search_path = "{service}"')
    if not await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        # Giving a schema to a role takes membership in it for an administrator who is not a superuser.
        await admin.execute(f'GRANT "{role}" TO CURRENT_USER')


async def _ensure_schema(admin_url: str, database: str, role: str, schema: str) -> None:
    inside = await asyncpg.connect(_plain(admin_url), database=database)
    try:
        async with inside.transaction():
            await inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            if await inside.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema):
                await inside.execute(f'ALTER SCHEMA "{schema}" OWNER TO "{role}"')
            else:
                await inside.execute(f'CREATE SCHEMA "{schema}" AUTHORIZATION "{role}"')
    finally:
        await inside.close()


def _plain(url: str) -> str:
    """The address without a driver's name (`postgresql+asyncpg://` and the like)."""
    scheme, colon, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{colon}{rest}"


def _verifier(password: str) -> str:
    """What PostgreSQL stores for SCRAM-SHA-256 (RFC 5803 form), computed here instead of in the server."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"
