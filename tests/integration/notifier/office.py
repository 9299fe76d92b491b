"""One notifier's roster doors on the real database, for tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI

from services.notifier.api.roster_calendars import roster_calendars_router
from services.notifier.api.roster_changes import roster_changes_router
from services.notifier.domain.roster_duty import on_duty
from services.notifier.store.roster_book import RosterBook
from services.notifier.store.roster_files import RosterFiles
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.db.engine import Database
from shared.runtime.clock import SystemClock
from shared.runtime.ids import TimeOrderedIds
from shared.runtime.problems import install_problem_handlers

TEXT = """\
# kept with its comments
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 甲, en: A}, contacts: [{channel: sms, to: "13800000001"}]}
  - {id: b, name: {zh: 乙, en: B}, contacts: [{channel: sms, to: "13800000002"}]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: a}]}
"""
TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
SPAN = {"from": TOMORROW.isoformat(), "to": (TOMORROW + timedelta(hours=8)).isoformat()}
OVERRIDE = {"kind": "override", "role": "head", "people": ["b"], "reason": "值守", **SPAN}


class Office:
    """One notifier's roster door on the real database."""

    def __init__(self, file: Path, database: Database) -> None:
        self.file = file
        files = RosterFiles(file)
        files.load()
        self.book = RosterBook(files, database, {})
        self.keys = KeyStore(database, b"pepper")
        app = FastAPI()
        clock = SystemClock()
        router = roster_changes_router(
            self.book, database, TimeOrderedIds(), reader(self.keys, clock), reader(self.keys, clock, Scope.ROSTER)
        )
        app.include_router(router)
        calendars = roster_calendars_router(
            self.book,
            database,
            TimeOrderedIds(),
            clock,
            secret=b"secret",
            may_read=reader(self.keys, clock),
            may_change=reader(self.keys, clock, Scope.ROSTER),
        )
        app.include_router(calendars)
        self.app = app
        install_problem_handlers(app)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier")

    async def sign_in(self, *scopes: Scope, org: str = "demo") -> None:
        key = await self.keys.issue(org=org, scopes=scopes, label="值班长")
        self.http.headers["authorization"] = f"Bearer {key}"

    def who(self, at: datetime = TOMORROW) -> list[str]:
        roster = self.book.of("demo")
        assert roster is not None
        return [duty.person.id for duty in on_duty(roster, "head", at)]
