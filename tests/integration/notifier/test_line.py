"""The whole process between two topics: a request comes in, a message goes out, its settlement is published."""

import asyncio

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import SecretStr

from services.notifier.main import create_app
from services.notifier.settings import NotifierSettings
from shared.contracts.envelope import decode, encode
from shared.contracts.notifications import NotificationSettledV1, Settlement
from shared.contracts.values import ChannelKind
from tests.integration.notifier.desk import ROSTER, request
from tests.support.broker import Broker
from tests.support.sink import Sink


async def test_from_topic_to_topic(notifier_url: str, sink: Sink, broker: Broker, topic_prefix: str) -> None:
    settings = NotifierSettings(
        database_url=SecretStr(notifier_url),
        kafka=broker.bootstrap,
        kafka_idempotence=broker.idempotent,
        kafka_topic_prefix=topic_prefix,
        kafka_long_poll_ms=10,
        kafka_partitions=1,
        key_pepper=SecretStr("pepper"),
        link_secret=SecretStr("secret"),
        roster=ROSTER,
        smtp_url=SecretStr(f"smtp://127.0.0.1:{sink.smtp_port}?tls=none"),
    )
    app = create_app(settings)
    event = request("clerk", channels=(ChannelKind.EMAIL,))
    async with app.router.lifespan_context(app):
        await _ready(app)
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
        await producer.start()
        headers, value = encode(event)
        for _ in range(2):
            await producer.send_and_wait(f"{topic_prefix}notifications-requested", value, event.key, headers=headers)
        await producer.stop()
        settled = await _settled(broker, topic_prefix)

    assert (settled.settlement, settled.person) == (Settlement.SENT, "mail-only")
    assert len(sink.messages("clerk@example.org")) == 1


async def _ready(app: object) -> None:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # a FastAPI application
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
        for _ in range(600):
            if (answer := await client.get("/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.05)
    raise AssertionError(answer.text)


async def _settled(broker: Broker, prefix: str) -> NotificationSettledV1:
    consumer = AIOKafkaConsumer(
        f"{prefix}notifications-settled", bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
    )  # fmt: skip
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 20)
    finally:
        await consumer.stop()
    data = decode(record.headers, record.value).data
    assert isinstance(data, NotificationSettledV1)
    return data
