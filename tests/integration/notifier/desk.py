"""A notifier without Kafka: real PostgreSQL, a real mail server and SMS gateway, and intake's ear for receipts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from services.notifier.app.accept_requests import accept_requests
from services.notifier.app.apply_receipts import apply_receipts
from services.notifier.app.begin_attempts import Begun, begin_attempts
from services.notifier.app.call_provider import Providers, call_provider
from services.notifier.app.record_answers import record_answers
from services.notifier.app.rules import Links, Rules
from services.notifier.channels.channel import Channel
from services.notifier.channels.sms_http import SmsGateway
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.domain.delivery import Policy
from services.notifier.jobs.pace import Pace
from services.notifier.jobs.send_due import Capacity, SendDue
from services.notifier.store.roster_files import RosterFiles
from shared.access.links import ReceiptAddress, read_receipt_address
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1, Purpose, Subject
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.kafka.outcome import Outcome
from shared.runtime.clock import Clock, SystemClock, monotonic
from shared.runtime.ids import TimeOrderedIds

IDS: Final = TimeOrderedIds()
CLOCK: Final = SystemClock()
SECRET: Final = b"a-secret-for-tests-only"
ROSTER: Final = Path(__file__).with_name("roster.yaml")
_KANNEL: Final = {
    "1": ReceiptStatus.DELIVERED,
    "2": ReceiptStatus.UNDELIVERED,
    "4": ReceiptStatus.BUFFERED,
    "8": ReceiptStatus.ACCEPTED,
    "16": ReceiptStatus.REJECTED,
}
QUICK: Final = Policy(
    receipt_within={"sms-http": timedelta(seconds=5)},
    tries=2,
    first_wait=timedelta(milliseconds=50),
    longest_wait=timedelta(milliseconds=200),
    give_up_after=timedelta(seconds=20),
)


def request(
    *roles: str,
    channels: tuple[ChannelKind, ...] = (ChannelKind.SMS, ChannelKind.EMAIL),
    case_id: UUID | None = None,
    **more: Any,
) -> Event[NotificationRequestedV1]:
    """A request to page these roles about a case."""
    case = case_id or IDS.new()
    subject = more.pop("subject", None) or Subject(
        number=f"2026-11-{case.int % 1_000_000:06d}",
        plan="telecom-service-quality",
        plan_title="重大业务服务质量事件应急管理",
        level="red",
        level_label="红色预警",
        level_rank=3,
        highest_rank=3,
        because="客户数 60000 超过 50000",
        title="全市无法上网",
        expected="组织处理并签收",
        next_tier="业务管理部门领导",
        occurred_at=datetime(2026, 11, 22, 1, 0, tzinfo=UTC),
    )
    body: dict[str, Any] = {
        "request_id": IDS.new(),
        "purpose": Purpose.PAGE,
        "roles": roles,
        "channels": channels,
        "acknowledge": True,
        "step": 1,
        "subject": subject,
        "requested_at": CLOCK.now(),
    } | more
    return Event(IDS.new(), "/fenghuo/escalator", CLOCK.now(), "demo", case, NotificationRequestedV1(**body))


class Peers(Protocol):
    """Where a desk's mail and SMS go: the sink, or a gateway and the sink."""

    @property
    def smtp_port(self) -> int: ...

    @property
    def send_url(self) -> str: ...

    @property
    def user(self) -> str: ...

    @property
    def password(self) -> str: ...


class Desk:
    """One notifier process, as its main puts it together. Several may work on one database."""

    def __init__(
        self,
        url: str,
        sink: Peers,
        receipts: str,
        *,
        policy: Policy = QUICK,
        timeout: float = 1.0,
        places: int = 20,
        clock: Clock = CLOCK,
    ) -> None:
        self.database = Database.connect(url, application="tests", pool_size=6, clock=clock)
        limit = timedelta(seconds=timeout)
        mail = f"smtp://127.0.0.1:{sink.smtp_port}?tls=none"
        gateway = sink.send_url.replace("://", f"://{sink.user}:{sink.password}@")
        self.channels: list[Channel] = [
            SmsGateway(gateway, sender="10690000", timeout=limit, connections=places),
            SmtpChannel(mail, sender="fenghuo@example.org", clock=CLOCK, timeout=limit, connections=5),
        ]
        rosters = RosterFiles(ROSTER)
        rosters.load()
        self.rules = Rules(
            rosters=rosters,
            providers={ChannelKind.SMS: ["sms-http"], ChannelKind.EMAIL: ["smtp"]},
            policy=policy,
            links=Links(secret=SECRET, public="http://127.0.0.1:8601", receipts=receipts),
            answer_within=limit + timedelta(seconds=0.5),
            max_sms_segments=6,
        )
        self.providers = Providers({channel.name: channel for channel in self.channels}, limit, clock)
        self.sender = SendDue(
            begin=self.begin,
            call=partial(call_provider, providers=self.providers),
            record=self.record,
            capacities={kind: Capacity(places, Pace(0)) for kind in ChannelKind},
            clock=clock,
        )
        self._stop = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def begin(
        self, fresh: Mapping[ChannelKind, int] | None = None, retries: Mapping[ChannelKind, int] | None = None
    ) -> Begun:
        every = dict.fromkeys(ChannelKind, 20)
        return await begin_attempts(
            database=self.database,
            rules=self.rules,
            ids=IDS,
            fresh=every if fresh is None else fresh,
            retries=every if retries is None else retries,
        )

    async def record(self, answers: Any) -> datetime | None:
        return await record_answers(answers, database=self.database, rules=self.rules, ids=IDS)

    def start(self) -> None:
        self._loop = asyncio.create_task(self.sender.run(self._stop))

    async def stop(self) -> None:
        self._stop.set()
        if self._loop is not None:
            await self._loop
        for channel in self.channels:
            await channel.close()
        await self.database.close()

    async def accept(self, *events: Event[NotificationRequestedV1]) -> list[Outcome]:
        return list(
            await accept_requests(events, database=self.database, rules=self.rules, ids=IDS, sender=self.sender)
        )

    async def receipt(self, address: ReceiptAddress, status: ReceiptStatus, *, event_id: UUID | None = None) -> Outcome:
        """Apply a receipt as the consumer does."""
        data = ReceiptReceivedV1(
            attempt_id=address.attempt_id,
            provider=address.provider,
            channel=ChannelKind.SMS,
            status=status,
            received_at=CLOCK.now(),
        )
        event = Event(event_id or IDS.new(), "/fenghuo/intake", CLOCK.now(), address.org, address.case_id, data)
        found = await apply_receipts([event], database=self.database, rules=self.rules, ids=IDS, wake=self.sender.wake)
        return found[0]

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch(sql, **parameters)]

    async def settlements(self) -> list[NotificationSettledV1]:
        """Everything published, in order."""
        rows = await self.rows("SELECT value FROM outbox WHERE topic = 'notifications-settled' ORDER BY seq")
        return [NotificationSettledV1.model_validate_json(bytes(row["value"])) for row in rows]

    async def attempts(self) -> list[dict[str, Any]]:
        return await self.rows(
            "SELECT a.*, o.answer, o.why FROM attempts a LEFT JOIN outcomes o ON o.attempt_id = a.attempt_id "
            "ORDER BY a.started_at, a.attempt_id"
        )

    async def settled(self, *expected: str, within: float = 15.0) -> list[NotificationSettledV1]:
        """The published settlements once they are exactly these, in this order."""

        async def as_expected() -> list[NotificationSettledV1] | None:
            found = await self.settlements()
            return found if [one.settlement.value for one in found] == list(expected) else None

        found: list[NotificationSettledV1] = await self.eventually(
            as_expected, what=lambda: f"settlements {expected}", within=within
        )
        return found

    async def eventually(self, condition: Any, *, what: Callable[[], str], within: float = 15.0) -> Any:
        deadline = monotonic() + within
        while not (found := await condition()):
            if monotonic() > deadline:
                raise AssertionError(f"{what()} did not come: {await self.settlements()} {await self.attempts()}")
            await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def ear(desks: list[Desk]) -> AsyncIterator[str]:
    """What intake does with receipts: checks the signed address and passes the status on to the first desk."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = urlsplit(head.split(" ")[1])
        address = read_receipt_address(target.path.removeprefix("/v1/receipts/"), SECRET)
        await desks[0].receipt(address, _KANNEL[parse_qs(target.query)["type"][0]])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def with_policy(**changes: Any) -> Policy:
    """The quick policy with other limits."""
    return replace(QUICK, **changes)
