"""The service as it is started, on the real broker: from a classification to a page, an answer and a dead letter."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.escalator.main import create_app
from services.escalator.settings import EscalatorSettings
from shared.contracts.commands import CommandKind
from shared.contracts.envelope import Event, decode
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import PlanRef
from shared.kafka.dead_letters import letter_headers
from shared.kafka.settings import KafkaSettings
from shared.plans.library import PlanLibrary
from shared.plans.problems import PlanLibraryError
from tests.support.broker import Broker
from tests.support.escalations import PLAN_TEXT
from tests.support.escalator import classification, order
from tests.support.messaging import eventually, kafka, produce_events, read_topic

__all__ = ["kafka"]


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """The test plan, whose tier must answer within a second."""
    pack = tmp_path / "ladder-test"
    pack.mkdir()
    text = PLAN_TEXT.replace("acknowledge_within: 15m, repeat: 1", "acknowledge_within: 1s")
    (pack / "plan.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
async def service(escalator_url: str, broker: Broker, kafka: KafkaSettings, packs: Path) -> AsyncIterator[FastAPI]:
    app = create_app(
        EscalatorSettings(
            database_url=SecretStr(escalator_url),
            kafka=kafka.bootstrap,
            kafka_topic_prefix=kafka.topic_prefix,
            kafka_idempotence=kafka.idempotence,
            kafka_long_poll_ms=kafka.long_poll_ms,
            kafka_session_timeout_ms=kafka.session_timeout_ms,
            kafka_partitions=kafka.partitions,
            plans_dir=packs,
        )
    )
    async with app.router.lifespan_context(app):
        yield app


async def read(kafka: KafkaSettings, topic: str, count: int) -> list[Event[Any]]:
    return [decode(record.headers, record.value) for record in await read_topic(kafka, topic, count)]


async def test_a_classification_becomes_a_page_then_the_next_tier_then_is_answered(
    service: FastAPI, kafka: KafkaSettings, packs: Path
) -> None:
    ref: PlanRef = PlanLibrary.load(packs).get("ladder-test").ref
    case_id: UUID = uuid4()
    now = datetime.now(UTC)
    await produce_events(
        kafka,
        [classification(case_id, plan=ref, when=now, occurred_at=now, received_at=now)],
    )
    first, second = await read(kafka, "notifications-requested", 2)
    assert [first.data.roles, second.data.roles] == [("liaison",), ("head", "deputy")]
    assert first.data.purpose is Purpose.PAGE
    assert 1.0 <= (second.data.requested_at - first.data.requested_at).total_seconds() < 2.0
    await produce_events(kafka, [order(case_id, CommandKind.ACKNOWLEDGE, datetime.now(UTC))])
    escalated = await read(kafka, "cases-escalated", 3)
    assert [event.data.revision for event in escalated] == [1, 2, 3]
    assert escalated[-1].data.state is CaseState.ACKNOWLEDGED
    assert ChangeKind.CLOCK_STOPPED in {change.kind for change in escalated[-1].data.changes}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://escalator") as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready, what="ready")
        metrics = (await client.get("/metrics")).text
    assert 'fenghuo_clocks_fired_total{purpose="ladder"}' in metrics


async def test_an_unknown_plan_ends_among_the_dead_letters_with_its_reason(
    service: FastAPI, kafka: KafkaSettings
) -> None:
    unknown = PlanRef(name="unheard-of", version=7, sha256="0" * 64)
    await produce_events(kafka, [classification(uuid4(), plan=unknown)])
    (dead,) = await read_topic(kafka, "cases-classified-dlq", 1, seconds=30)
    noted = letter_headers(tuple(dead.headers))
    assert "'unheard-of' version 7" in noted["reason"]
    assert noted["attempts"] == "5"


def test_a_service_without_plans_does_not_start(tmp_path: Path) -> None:
    settings = EscalatorSettings(database_url=SecretStr("postgresql://nobody@127.0.0.1:1/x"), plans_dir=tmp_path / "no")
    with pytest.raises(PlanLibraryError, match="no such folder"):
        create_app(settings)
