"""The console in tests: a migrated schema, events of a lively day, and the service as a process of its own.

Fixtures: `console_url` (address of a fresh, migrated schema) and `console_database`.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from services.console.app.create_user import provision_user
from services.console.app.project_events import project_events
from services.console.domain.plan_words import PlanWords
from services.console.main import create_app
from services.console.settings import ConsoleSettings
from shared.access.api_keys import Scope
from shared.access.key_store import KeyStore
from shared.contracts.classifications import CaseClassifiedV1, CriterionResult, Holds
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseEscalatedV1, CaseState, Change, ChangeKind, ClockState, ClockStatus
from shared.contracts.notifications import (
    NotificationRequestedV1,
    NotificationSettledV1,
    Purpose,
    Settlement,
    Subject,
)
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.contracts.reports import ComplaintReceivedV1
from shared.contracts.values import Actor, ActorKind, Bilingual, CaseKind, ChannelKind, Contract, Place, PlanRef
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.embedded.processes import free_port
from shared.runtime.ids import TimeOrderedIds
from tests.support.broker import Broker
from tests.support.postgres import Database as TestDatabase
from tests.support.postgres import PostgresServer

ROOT: Final = Path(__file__).resolve().parents[2]
ORG: Final = "demo"
PEPPER: Final = "only-for-tests"
SESSION_SECRET: Final = "a-secret-of-tests-with-more-than-32-characters"
PASSWORD: Final = "correct horse battery"
IDS: Final = TimeOrderedIds()
TELECOM: Final = PlanRef(name="telecom-service-quality", version=1, sha256=sha256(b"telecom").hexdigest())
LADDER: Final = (("business-liaison", "业务接口人"), ("business-department-head", "业务部门领导"))
WORDS: Final = PlanWords({})
_LEVELS: Final = {"yellow": (1, "黄色预警"), "orange": (2, "橙色预警"), "red": (3, "红色预警")}


def create_event(
    data: Contract, case_id: UUID, *, org: str = ORG, at: datetime | None = None, event_id: UUID | None = None
) -> Event[Any]:
    """An event as it would come from its topic."""
    return Event(
        id=event_id or IDS.new(),
        source="/fenghuo/test",
        time=at or datetime.now(UTC),
        org=org,
        case_id=case_id,
        data=data,
    )


def create_report(number: str, at: datetime, **fields: Any) -> ComplaintReceivedV1:
    given: dict[str, Any] = {
        "number": number,
        "sequence": 1,
        "source": "call-centre",
        "reference": f"CC-{number}",
        "channel": "hotline",
        "topic": "宽带中断",
        "category": "network",
        "occurred_at": at,
        "received_at": at,
        "place": Place(province="浙江", city="杭州"),
        "title": "城西片区宽带大面积中断",
        "narrative": "客户反映自上午九点起宽带无法使用，拨打 *** 未能解决。",
        "facts": {"line": "network", "customers_affected": 12000},
    }
    return ComplaintReceivedV1(**given | fields)


def create_criteria(level: str) -> tuple[CriterionResult, ...]:
    """Three criteria of which the one of the given level holds and one is not known."""
    wanted, _ = _LEVELS[level]
    bounds = (("red", 50000), ("orange", 20000), ("yellow", 10000))
    value = {"red": 62000, "orange": 31000, "yellow": 12000}[level]
    return (
        *(
            CriterionResult(
                id=f"{name}-network-customers",
                level=name,
                result=Holds.HELD if _LEVELS[name][0] <= wanted else Holds.NOT_HELD,
                when=f"line in ['network', 'support'] and customers_affected > {bound}",
                values={"line": "network", "customers_affected": value},
                source="002-01 table 1",
                label=Bilingual(
                    zh=f"网络或支撑线受影响客户超过 {bound} 户", en=f"More than {bound} customers on a network line"
                ),
            )
            for name, bound in bounds
        ),
        CriterionResult(
            id="red-area",
            level="red",
            result=Holds.NOT_KNOWN,
            when="cities_today >= 5",
            values={"cities_today": None},
            source="002-01 table 1",
            label=Bilingual(zh="当日波及 5 个及以上地市", en="Five or more cities in a day"),
        ),
    )


def create_classified(number: str, level: str, at: datetime, revision: int = 1, **fields: Any) -> CaseClassifiedV1:
    given: dict[str, Any] = {
        "number": number,
        "kind": CaseKind.COMPLAINT,
        "plan": TELECOM,
        "revision": revision,
        "level": level,
        "level_rank": _LEVELS[level][0],
        "criteria": create_criteria(level),
        "decided_by": f"{level}-network-customers",
        "source": "call-centre",
        "occurred_at": at,
        "received_at": at,
        "classified_at": at,
    }
    return CaseClassifiedV1(**given | fields)


def create_escalated(number: str, level: str | None, at: datetime, revision: int = 1, **fields: Any) -> CaseEscalatedV1:
    rank, label = _LEVELS[level] if level else (0, None)
    given: dict[str, Any] = {
        "number": number,
        "kind": CaseKind.COMPLAINT,
        "plan": TELECOM,
        "revision": revision,
        "state": CaseState.CLASSIFIED,
        "level": level,
        "level_label": label,
        "level_rank": rank,
        "highest_rank": 3,
        "tier": LADDER[0][0],
        "tier_label": LADDER[0][1],
        "next_tier": LADDER[1][0],
        "next_tier_at": at + timedelta(minutes=15),
        "decided_by": f"{level}-network-customers" if level else None,
        "because": "网络线受影响客户超过门限",
        "title": "城西片区宽带大面积中断",
        "topic": "宽带中断",
        "place": Place(province="浙江", city="杭州"),
        "opened_at": at,
        "changed_at": at,
        "changes": (Change(kind=ChangeKind.OPENED, at=at, because=f"定级为 {label or '无级别'}"),),
        "clocks": (
            create_clock("publish-warning", "发布预警", at, timedelta(hours=1)),
            create_clock("cause-and-plan", "原因和处理方案", at, timedelta(hours=24)),
        ),
    }
    return CaseEscalatedV1(**given | fields)


def create_clock(
    name: str, label: str, at: datetime, limit: timedelta, state: ClockState = ClockState.RUNNING
) -> ClockStatus:
    return ClockStatus(id=name, label=label, state=state, started_at=at, due_at=at + limit, until="acknowledged")


def create_requested(number: str, at: datetime, **fields: Any) -> NotificationRequestedV1:
    given: dict[str, Any] = {
        "request_id": IDS.new(),
        "purpose": Purpose.PAGE,
        "roles": ("business-liaison",),
        "channels": (ChannelKind.SMS, ChannelKind.EMAIL),
        "acknowledge": True,
        "step": 0,
        "subject": Subject(
            number=number,
            plan=TELECOM.name,
            plan_title="重大业务服务质量事件应急管理",
            level="red",
            level_label="红色预警",
            level_rank=3,
            highest_rank=3,
            because="受影响客户 62000 户",
            expected="请立即牵头处理",
            occurred_at=at,
        ),
        "requested_at": at,
    }
    return NotificationRequestedV1(**given | fields)


def create_settled(number: str, at: datetime, request_id: UUID, **fields: Any) -> NotificationSettledV1:
    given: dict[str, Any] = {
        "request_id": request_id,
        "intent_id": IDS.new(),
        "number": number,
        "plan": TELECOM.name,
        "purpose": Purpose.PAGE,
        "step": 0,
        "role": "business-liaison",
        "person": "liaison-a",
        "person_label": "业务接口人甲",
        "channel": ChannelKind.SMS,
        "provider": "kannel",
        "settlement": Settlement.DELIVERED,
        "attempts": 1,
        "reason": "运营商确认送达",
        "settled_at": at,
    }
    return NotificationSettledV1(**given | fields)


def create_command(at: datetime, kind: CommandKind = CommandKind.ACKNOWLEDGE, **fields: Any) -> CommandIssuedV1:
    given: dict[str, Any] = {
        "command": kind,
        "actor": Actor(kind=ActorKind.PERSON, ref="值班经理甲"),
        "issued_at": at,
        "reason": "已到现场",
    }
    return CommandIssuedV1(**given | fields)


def create_receipt(at: datetime) -> ReceiptReceivedV1:
    return ReceiptReceivedV1(
        attempt_id=IDS.new(),
        provider="kannel",
        channel=ChannelKind.SMS,
        status=ReceiptStatus.DELIVERED,
        received_at=at,
    )


def create_story(number: str, level: str = "red", *, at: datetime, case_id: UUID | None = None) -> list[Event[Any]]:
    """Everything that happens to one complaint until a person was told, one event of each topic."""
    case = case_id or IDS.new()
    request = create_requested(number, at + timedelta(seconds=2))
    facts: list[Contract] = [
        create_report(number, at),
        create_classified(number, level, at),
        create_escalated(number, level, at),
        request,
        create_settled(number, at + timedelta(seconds=4), request.request_id),
        create_receipt(at + timedelta(seconds=6)),
    ]
    return [create_event(fact, case) for fact in facts]


async def _build(database: TestDatabase) -> None:
    await asyncio.to_thread(migrate, "console", database.url("console"))


@asynccontextmanager
async def migrated_console(postgres: PostgresServer) -> AsyncIterator[str]:
    """Address of a fresh schema of the console, dropped afterwards."""
    made = await postgres.create("console", _build)
    yield made.url("console")
    await postgres.drop(made)


@pytest.fixture
async def console_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Address of a fresh schema of the console."""
    async with migrated_console(postgres) as url:
        yield url


@pytest.fixture
async def console_database(console_url: str) -> AsyncIterator[Database]:
    database = Database.connect(console_url, application="fenghuo-test", pool_size=3)
    yield database
    await database.close()


async def project(database: Database, events: list[Event[Any]]) -> None:
    """Put events into the read model; fails unless all were applied or known."""
    await project_events(events, database=database, words=WORDS)


async def create_key(database: Database, *scopes: Scope, org: str = ORG) -> str:
    return await KeyStore(database, PEPPER.encode()).issue(org=org, scopes=scopes or list(Scope), label="test")


async def create_user(database: Database, name: str = "admin", role: str = "admin", org: str = ORG) -> None:
    await provision_user(database, name, PASSWORD, role, org=org)


def console_env(url: str, **given: str) -> dict[str, str]:
    """Environment of the console's process, without the variables of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")}
    kept.pop("RUST_BACKTRACE", None)
    return kept | {
        "FENGHUO_DATABASE_URL": url,
        "FENGHUO_SESSION_SECRET": SESSION_SECRET,
        "FENGHUO_KEY_PEPPER": PEPPER,
        "FENGHUO_INTAKE_KEY": "fh_00000000_" + "x" * 43,
        "FENGHUO_PLANS_DIR": str(ROOT / "deploy" / "plans"),
        **given,
    }


def create_console(url: str, **given: Any) -> FastAPI:
    """The application without its process: pages and API answer, nothing is consumed."""
    settings: dict[str, Any] = {
        "database_url": url,
        "session_secret": SESSION_SECRET,
        "key_pepper": PEPPER,
        "intake_key": "fh_00000000_" + "x" * 43,
        "intake_url": "http://127.0.0.1:1",
        "plans_dir": ROOT / "deploy" / "plans",
        "plans_checked": Path(tempfile.gettempdir()) / "fenghuo-tests-checked-plans",
        **given,
    }
    return create_app(ConsoleSettings(**settings))


@dataclass(frozen=True)
class RunningConsole:
    """The console as a process."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_console(
    database_url: str, broker: Broker, topic_prefix: str, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[RunningConsole]:
    """Started with a real broker, ready when it yields, asked to end afterwards; fails when it does not end well."""
    port = free_port()
    environment = console_env(
        database_url,
        FENGHUO_PORT=str(port),
        FENGHUO_KAFKA=broker.bootstrap,
        FENGHUO_KAFKA_IDEMPOTENCE=str(broker.idempotent).lower(),
        FENGHUO_KAFKA_LONG_POLL_MS="10",
        FENGHUO_KAFKA_TOPIC_PREFIX=topic_prefix,
        FENGHUO_KAFKA_PARTITIONS="2",
        **(env or {}),
    )
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.console.main"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_ready(url, process, log)
        yield RunningConsole(url, process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _wait_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 40
    answer = "nothing"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            response = httpx.get(f"{url}/readyz", timeout=2)
            answer = response.text
            if response.status_code == 200:
                return
        except httpx.HTTPError as error:
            answer = repr(error)
        time.sleep(0.1)
    pytest.fail(f"the console did not become ready: {answer}\n{log.read_text(errors='replace')[-3000:]}")
