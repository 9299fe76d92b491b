"""A message centre, a gateway, intake and the notifier with a real broker between them: receipts decide who is next."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI
from pydantic import SecretStr

from services.notifier.main import create_app
from services.notifier.settings import NotifierSettings
from shared.contracts.envelope import Event, decode, encode
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.embedded.processes import Child, free_port, spawn, stop, wait_ready
from shared.embedded.readiness import http_answers
from tests.integration.notifier.desk import ROSTER, request
from tests.support.broker import Broker
from tests.support.centre import Centre, centre
from tests.support.postgres import PostgresServer
from tests.support.register import IDENTITY_KEY, LINK_SECRET, PEPPER, migrate_intake
from tests.support.sink import Sink

PHONE = "13800000001"
SMS = (ChannelKind.SMS,)


class Line:
    """Intake serving, and as many notifiers as a test starts one after the other."""

    def __init__(self, *, broker: Broker, prefix: str, notifier_url: str, intake: str, providers: Path) -> None:
        self.broker = broker
        self.prefix = prefix
        self._notifier_url = notifier_url
        self._intake = intake
        self._providers = providers

    @asynccontextmanager
    async def notifier(self, **changes: Any) -> AsyncIterator[FastAPI]:
        """A notifier at work."""
        settings = NotifierSettings(
            database_url=SecretStr(self._notifier_url),
            **_kafka(self.broker, self.prefix),
            key_pepper=SecretStr("pepper-of-the-notifier"),
            link_secret=SecretStr(LINK_SECRET),
            roster=ROSTER,
            receipt_url=self._intake,
            providers=self._providers,
            provider_timeout_s=2.0,
            providers_weighed_s=0.3,
            retry_first_wait_s=0.2,
            **changes,
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await _ready(app)
            yield app

    async def ask(self, *events: Event[NotificationRequestedV1]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.broker.bootstrap)
        await producer.start()
        for event in events:
            headers, value = encode(event)
            await producer.send_and_wait(f"{self.prefix}notifications-requested", value, event.key, headers=headers)
        await producer.stop()

    async def receipts(self) -> list[tuple[str, str]]:
        """Provider and status of every receipt in the ledger."""
        database = Database.connect(self._notifier_url, application="tests", pool_size=2)
        async with database.transaction() as tx:
            rows = await tx.fetch(
                "SELECT a.provider, r.status FROM receipts AS r JOIN attempts AS a ON a.attempt_id = r.attempt_id"
            )
        await database.close()
        return [(row["provider"], row["status"]) for row in rows]

    async def unanswered(self) -> int:
        """Calls that may have got through although no answer came, or whose receipt came too late."""
        database = Database.connect(self._notifier_url, application="tests", pool_size=2)
        async with database.transaction() as tx:
            row = await tx.fetch_one(
                "SELECT count(*) AS found FROM attempts AS a LEFT JOIN outcomes AS o ON o.attempt_id = a.attempt_id "
                "WHERE o.answer IS NULL OR o.answer = 'unknown' OR (o.answer = 'accepted' AND a.provider = 'centre' "
                "AND EXISTS (SELECT 1 FROM attempts AS b WHERE b.intent_id = a.intent_id AND b.number > a.number))"
            )
        await database.close()
        assert row is not None
        return int(row["found"])

    async def settled(self, enough: Callable[[Sequence[tuple[str, str | None]]], bool]) -> list[tuple[str, str | None]]:
        """Settlement and provider of everything published, once it is enough."""
        consumer = AIOKafkaConsumer(
            f"{self.prefix}notifications-settled",
            bootstrap_servers=self.broker.bootstrap,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=20,
        )
        await consumer.start()
        found: list[tuple[str, str | None]] = []
        try:
            async with asyncio.timeout(25):
                while not enough(found):
                    record = await consumer.getone()
                    data = decode(record.headers, record.value).data
                    assert isinstance(data, NotificationSettledV1)
                    found.append((data.settlement.value, data.provider))
        except TimeoutError:
            pytest.fail(f"only {found} was settled")
        finally:
            await consumer.stop()
        return found


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not happen in time")


def _kafka(broker: Broker, prefix: str) -> dict[str, Any]:
    return {
        "kafka": broker.bootstrap,
        "kafka_idempotence": broker.idempotent,
        "kafka_topic_prefix": prefix,
        "kafka_long_poll_ms": 10,
        "kafka_partitions": 1,
    }


@contextmanager
def _intake(database_url: str, broker: Broker, prefix: str, log: Path) -> Iterator[str]:
    """Intake as a process of its own: a process has one Kafka producer."""
    port = free_port()
    child = Child(
        name="intake",
        argv=(sys.executable, "-m", "services.intake.main"),
        ready=lambda: http_answers(f"http://127.0.0.1:{port}/readyz"),
        env={
            "FENGHUO_PORT": str(port),
            "FENGHUO_DATABASE_URL": database_url,
            "FENGHUO_IDENTITY_KEY": IDENTITY_KEY,
            "FENGHUO_LINK_SECRET": LINK_SECRET,
            "FENGHUO_KEY_PEPPER": PEPPER,
            "FENGHUO_KAFKA": broker.bootstrap,
            "FENGHUO_KAFKA_IDEMPOTENCE": str(broker.idempotent).lower(),
            "FENGHUO_KAFKA_TOPIC_PREFIX": prefix,
            "FENGHUO_KAFKA_LONG_POLL_MS": "10",
            "FENGHUO_KAFKA_PARTITIONS": "1",
        },
        cwd=Path(__file__).parents[3],
        log_file=log,
    )
    process = spawn(child)
    try:
        wait_ready(child, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(child, process)


async def _ready(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
        for _ in range(600):
            if (answer := await client.get("/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.05)
    raise AssertionError(answer.text)


@pytest.fixture
async def there() -> AsyncIterator[Centre]:
    async with centre() as made:
        yield made


@pytest.fixture
async def line(  # noqa: PLR0917  # everything that takes part
    notifier_url: str,
    postgres: PostgresServer,
    broker: Broker,
    topic_prefix: str,
    sink: Sink,
    there: Centre,
    tmp_path: Path,
) -> AsyncIterator[Line]:
    made = await postgres.create("intake", migrate_intake)
    gateway = sink.send_url.replace("://", f"://{sink.user}:{sink.password}@")
    providers = tmp_path / "providers.yaml"
    providers.write_text(
        f"""
providers:
  - {{name: centre, type: smpp, host: 127.0.0.1, port: {there.port}, system_id: fenghuo, password: secret,
     sender: "10690000", receipt_within_s: 1.5, enquire_every_s: 0.3, price: 0.05}}
  - {{name: backup, type: sms-http, url: "{gateway}", sender: "10690000", receipt_within_s: 10}}
""",
        encoding="utf-8",
    )
    with _intake(made.url("intake"), broker, topic_prefix, tmp_path / "intake.log") as intake:
        yield Line(
            broker=broker,
            prefix=topic_prefix,
            notifier_url=notifier_url,
            intake=intake,
            providers=providers,
        )
    await postgres.drop(made)


async def test_a_receipt_of_a_message_centre_settles_the_message_through_intake(
    line: Line, there: Centre, sink: Sink
) -> None:
    async with line.notifier():
        await line.ask(request("liaison", channels=SMS))
        found = await line.settled(lambda said: ("delivered", "centre") in said)

    assert found[0] in {("sent", "centre"), ("delivered", "centre")}
    assert {one.to for one in there.submitted} == {PHONE}
    assert sink.messages(PHONE) == []
    assert there.reported[-1] == 0


async def test_a_centre_that_accepts_and_never_delivers_is_passed_over_to_the_next_provider(
    line: Line, there: Centre, sink: Sink
) -> None:
    there.report = None
    async with line.notifier():
        await line.ask(request("liaison", channels=SMS))
        found = await line.settled(lambda said: ("delivered", "backup") in said)

    assert found[0] == ("sent", "centre")
    assert len(sink.messages(PHONE)) == 1


async def test_a_receipt_after_a_restart_is_found_in_the_ledger(line: Line, there: Centre, sink: Sink) -> None:
    there.report = None
    async with line.notifier():
        await line.ask(request("liaison", channels=SMS))
        await line.settled(lambda said: ("sent", "centre") in said)
    async with line.notifier():
        await _until(lambda: bool(there.sessions))
        last = [one for one in there.submitted if one.receipt == 1][-1]
        assert await there.report_on(last, "DELIVRD") == 0
        for _ in range(400):
            if ("centre", "delivered") in (found := await line.receipts()):
                break
            await asyncio.sleep(0.05)
    assert ("centre", "delivered") in found


async def test_messages_of_an_outage_go_to_the_next_provider_without_waiting_for_each(
    line: Line, there: Centre, sink: Sink
) -> None:
    await there.cut()
    async with line.notifier(circuit_failures=3, circuit_pause_s=60):
        await line.ask(*(request("liaison", channels=SMS) for _ in range(30)))
        found = await line.settled(lambda said: said.count(("delivered", "backup")) == 30)

    assert ("sent", "centre") not in found
    assert len(sink.messages(PHONE)) == 30


async def test_a_centre_lost_in_the_middle_of_a_burst_loses_no_message_and_repeats_only_the_doubtful(
    line: Line, there: Centre, sink: Sink
) -> None:
    asked = 80
    async with line.notifier(circuit_pause_s=0.5):
        await line.ask(*(request("liaison", channels=SMS) for _ in range(asked)))
        await _until(lambda: len(there.submitted) >= 20)
        await there.cut()
        await asyncio.sleep(0.3)
        await there.connect()
        await line.settled(lambda said: sum(one == "delivered" for one, _ in said) >= asked)
        doubtful = await line.unanswered()

    told = _wholes(there) + len(sink.messages(PHONE))
    assert asked <= told <= asked + doubtful


def _wholes(there: Centre) -> int:
    """Messages of which the last part arrived."""
    return sum(1 for one in there.submitted if one.receipt == 1)
