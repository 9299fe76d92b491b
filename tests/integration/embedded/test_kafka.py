import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.embedded.errors import EmbeddedPartMissingError
from shared.embedded.processes import free_port
from tests.support import kafka as module
from tests.support.kafka import ApacheKafka, available

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(
        os.environ.get("FENGHUO_TEST_KAFKA") != "apache", reason="runs with FENGHUO_TEST_KAFKA=apache (make test-kafka)"
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    made = ApacheKafka(tmp_path_factory.mktemp("kafka"), free_port())
    made.start()
    yield made
    made.stop()


async def test_acknowledged_records_survive_kill(server: ApacheKafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=server.bootstrap, enable_idempotence=True)
    await producer.start()
    for number in range(200):
        await producer.send_and_wait("kept", str(number).encode())
    await producer.stop()
    server.kill()
    server.start()
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    partition = TopicPartition("kept", 0)
    consumer.assign([partition])
    assert (await consumer.end_offsets([partition]))[partition] == 200
    values: list[bytes | None] = []
    while len(values) < 200:
        batch = await consumer.getmany(timeout_ms=1000)
        values += [record.value for record in batch.get(partition, [])]
    await consumer.stop()
    assert values == [str(number).encode() for number in range(200)]


async def test_topics_exist_only_when_somebody_made_them(server: ApacheKafka) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap)
    await consumer.start()
    assert "never-made" not in await consumer.topics()
    assert consumer.partitions_for_topic("never-made") is None
    await consumer.stop()


def test_the_class_path_needs_maven_only_once(server: ApacheKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "mvn" else f"/usr/bin/{name}")
    assert available() is None
    monkeypatch.setattr(module, "_kept_class_path", lambda: None)
    assert available() == "Maven is not installed, and the jars were not fetched before"


def test_without_java_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_java", lambda: None)
    with pytest.raises(EmbeddedPartMissingError, match="Apache Kafka cannot be started: Java is not installed"):
        ApacheKafka(tmp_path, free_port()).start()
