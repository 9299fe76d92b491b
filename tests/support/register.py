"""The intake service in this process, without relay, on a database of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import httpx
from pydantic import SecretStr

from services.intake.app.issue_api_key import issue_api_key
from services.intake.main import create_app
from services.intake.settings import IntakeSettings
from shared.access.api_keys import Scope
from shared.contracts.envelope import Event, decode
from shared.contracts.values import Contract
from shared.db.engine import Database as AppDatabase
from shared.db.migrate import migrate
from shared.db.outbox import headers_from_text
from shared.plans.library import PlanLibrary
from tests.support.postgres import Database

PEPPER: Final = "pepper-for-tests-only"
LINK_SECRET: Final = "link-secret-for-tests-only"
IDENTITY_KEY: Final = "identity-key-for-tests-only-0123456789"


async def migrate_intake(made: Database) -> None:
    """Builds the template of migrated registers."""
    await asyncio.to_thread(migrate, "intake", made.url("intake"))


def intake_settings(url: str, **changes: Any) -> IntakeSettings:
    """Settings for a register at this address."""
    return IntakeSettings(
        database_url=SecretStr(url),
        identity_key=SecretStr(IDENTITY_KEY),
        link_secret=SecretStr(LINK_SECRET),
        key_pepper=SecretStr(PEPPER),
        public_url="http://intake.example.org",
        **changes,
    )


@dataclass
class Register:
    """A client with every right, its organisation's key, and a look into the tables."""

    url: str
    client: httpx.AsyncClient
    key: str

    async def rows(self, sql: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        connection = await asyncpg.connect(self.url)
        try:
            found: Sequence[asyncpg.Record] = await connection.fetch(sql, *arguments)
        finally:
            await connection.close()
        return found

    async def published(self) -> list[Event[Contract]]:
        """The outbox, decoded as a consumer would."""
        rows = await self.rows("SELECT headers, value FROM outbox ORDER BY seq")
        return [decode(headers_from_text(row["headers"]), row["value"]) for row in rows]

    async def key_with(self, *scopes: Scope, org: str = "demo") -> dict[str, str]:
        """Headers of a fresh key."""
        database = AppDatabase.connect(self.url, application="tests", pool_size=2)
        try:
            text = await issue_api_key(database, PEPPER.encode(), org=org, scopes=scopes, label="test")
        finally:
            await database.close()
        return {"authorization": f"Bearer {text}"}

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """POST a JSON value."""
        content = json.dumps(body, ensure_ascii=False).encode()
        return await self.client.post(path, content=content, headers={"content-type": "application/json", **headers})


@asynccontextmanager
async def open_register(url: str, *, plans: PlanLibrary | None = None, **changes: Any) -> AsyncIterator[Register]:
    """The service behind an in-process transport. An unforeseen error raises in the test instead of being a 500.

    Facts are checked against `plans`; without them nothing is.
    """
    database = AppDatabase.connect(url, application="tests", pool_size=2)
    key = await issue_api_key(database, PEPPER.encode(), org="demo", scopes=list(Scope), label="test")
    await database.close()
    app = create_app(intake_settings(url, **changes))
    if plans is not None:
        app.state.check_facts.use(plans)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://intake", headers=headers) as client:
        try:
            yield Register(url, client, key)
        finally:
            await app.state.database.close()


def complaint(reference: str = "T-1", **changes: Any) -> dict[str, Any]:
    """A body that is accepted as it is."""
    return {
        "source": "call-centre",
        "reference": reference,
        "channel": "hotline",
        "topic": "宽带中断",
        "occurred_at": "2026-11-21T09:30:00+08:00",
        "title": "宽带中断三小时",
        "narrative": "客户来电反映宽带中断，请回电 13800001234。",
        "complainant": {"name": "投诉人甲", "phone": "+86 138-0000-1234"},
        **changes,
    }
