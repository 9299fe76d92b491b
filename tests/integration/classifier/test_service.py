"""The service whole: reports on Kafka in, classifications on Kafka out, through its own lifespan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.classifier.main import create_app
from services.classifier.settings import ClassifierSettings
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.envelope import decode
from shared.kafka.settings import KafkaSettings
from shared.plans.problems import PlanLibraryError
from tests.support.broker import Broker
from tests.support.classification import BURSTS, FORECAST, create_complaint, create_incident
from tests.support.messaging import eventually, kafka, produce, produce_events, read_topic

__all__ = ["kafka"]


@pytest.fixture
def settings(classifier_url: str, broker: Broker, topic_prefix: str, tmp_path: Path) -> ClassifierSettings:
    for name, text in {"bursts": BURSTS, "forecast": FORECAST}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.yaml").write_text(text, encoding="utf-8")
    return ClassifierSettings(
        database_url=SecretStr(classifier_url),
        kafka=broker.bootstrap,
        kafka_idempotence=broker.idempotent,
        kafka_long_poll_ms=10,
        kafka_session_timeout_ms=6000,
        kafka_topic_prefix=topic_prefix,
        kafka_partitions=2,
        plans_dir=tmp_path,
    )


@asynccontextmanager
async def at_work(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://classifier") as client,
    ):
        yield client


async def test_reports_come_out_classified_and_a_poison_record_is_set_aside(
    settings: ClassifierSettings, kafka: KafkaSettings
) -> None:
    burst = [create_complaint(at=datetime.now(UTC), topic="billing") for _ in range(6)]
    await produce(kafka, [("complaints-received", b"x", [("ce_specversion", b"1.0")], b"{")])
    await produce_events(kafka, [*burst, burst[0]])
    async with at_work(create_app(settings)) as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready, what="readiness")
        soon = datetime.now(UTC) + timedelta(hours=24, seconds=2)
        await produce_events(kafka, [create_incident(category="forecast", facts={"expected_at": soon.isoformat()})])
        records = await read_topic(kafka, "cases-classified", 9)
        metrics = (await client.get("/metrics")).text
    events = [decode(record.headers, record.value) for record in records]
    classified = [event.data for event in events if isinstance(event.data, CaseClassifiedV1)]
    found = [(data.kind, data.plan.name, data.level) for data in classified]
    assert sorted(found, key=str) == sorted(
        [
            *[("complaint", "bursts", None)] * 6,
            ("warning", "bursts", "yellow"),
            ("incident", "forecast", None),
            ("incident", "forecast", "blue"),
        ],
        key=str,
    )
    assert all(record.key == str(event.case_id).encode() for record, event in zip(records, events, strict=True))
    assert 'fenghuo_warnings_raised_total{level="yellow",plan="bursts"}' in metrics
    (dead,) = await read_topic(kafka, "complaints-received-dlq", 1)
    assert dead.value == b"{"


async def test_what_was_committed_before_a_restart_is_not_applied_again(
    settings: ClassifierSettings, kafka: KafkaSettings
) -> None:
    reports = [create_complaint(topic=f"t{n}") for n in range(5)]
    await produce_events(kafka, reports)
    async with at_work(create_app(settings)):
        assert len(await read_topic(kafka, "cases-classified", 5)) == 5
    await produce_events(kafka, reports)
    last = create_complaint(topic="last")
    await produce_events(kafka, [last])
    async with at_work(create_app(settings)):
        records = await read_topic(kafka, "cases-classified", 6)
    assert len(records) == 6
    assert decode(records[-1].headers, records[-1].value).case_id == last.case_id


def test_a_broken_plan_stops_the_start_with_its_place(settings: ClassifierSettings, tmp_path: Path) -> None:
    (tmp_path / "bursts" / "plan.yaml").write_text(
        BURSTS.replace("customers > 10,", "custmers > 10,"), encoding="utf-8"
    )
    with pytest.raises(PlanLibraryError, match="custmers"):
        create_app(settings)
