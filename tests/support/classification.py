"""The classifier as its use cases see it: a migrated schema, plans from text, events and what was published."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from services.classifier.app.classify_reports import classify_reports
from services.classifier.app.judge_cases import Ports
from services.classifier.store.plans import Plans
from shared.contracts.classifications import CaseClassifiedV1, in_full
from shared.contracts.envelope import Event, decode
from shared.contracts.reports import ComplaintReceivedV1, IncidentReportedV1
from shared.contracts.values import Place
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.db.outbox import headers_from_text
from shared.kafka.outcome import Outcome
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, parse_plan
from shared.runtime.ids import TimeOrderedIds
from tests.support.clock import ManualClock
from tests.support.postgres import Database as TestDatabase
from tests.support.postgres import PostgresServer

IDS: Final = TimeOrderedIds()
# A Monday, 09:00 in Shanghai.
MONDAY: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

BURSTS: Final = """
plan: bursts
version: 1
title: {zh: 批量投诉, en: Bursts of complaints}
timezone: Asia/Shanghai
applies: {kinds: [complaint, incident], categories: [service]}
levels:
  - {id: yellow, zh: 黄色, en: Yellow}
  - {id: orange, zh: 橙色, en: Orange}
  - {id: red, zh: 红色, en: Red}
facts:
  escalated: bool
  customers: {int: {min: 0}}
windows:
  today: {count: complaint, per: day, by: [topic]}
  escalated_week: {count: complaint, where: escalated, per: week, by: [topic]}
  cities_today: {distinct: place.city, of: complaint, per: day, by: [topic]}
  repeats: {count: complaint, per: month, by: [complainant]}
  hour: {count: complaint, per: 1h sliding, by: [source]}
criteria:
  - {id: many, level: red, when: customers > 100, label: {zh: 影响客户过百, en: More than 100 customers}}
  - {id: some, level: yellow, when: customers > 10, label: {zh: 影响客户过十, en: More than 10 customers}}
  - {id: again, level: orange, when: repeats >= 3, label: {zh: 第三次投诉, en: Third complaint}}
  - {id: orange-day, level: orange, when: today > 8, label: {zh: 一天过八件, en: More than 8 in a day}}
  - {id: yellow-day, level: yellow, when: today > 5, label: {zh: 一天过五件, en: More than 5 in a day}}
  - {id: yellow-week, level: yellow, when: escalated_week >= 3, label: {zh: 一周三件升级, en: 3 escalated in a week}}
  - {id: red-cities, level: red, when: cities_today >= 4, label: {zh: 四个城市, en: 4 cities}}
  - {id: yellow-hour, level: yellow, when: hour > 20, label: {zh: 一小时过二十件, en: More than 20 in an hour}}
tiers:
  - {id: desk, zh: 值班, en: Desk, roles: [desk]}
"""

FORECAST: Final = """
plan: forecast
version: 1
title: {zh: 预测, en: Forecast}
timezone: Asia/Shanghai
applies: {kinds: [incident], categories: [forecast]}
levels:
  - {id: blue, zh: 蓝色, en: Blue}
  - {id: yellow, zh: 黄色, en: Yellow}
  - {id: red, zh: 红色, en: Red}
facts:
  expected_at: instant
criteria:
  - {id: red-3h, level: red, when: until(expected_at) <= 3h, label: {zh: 三小时内, en: Within 3 hours}}
  - {id: yellow-12h, level: yellow, when: until(expected_at) <= 12h, label: {zh: 十二小时内, en: Within 12 hours}}
  - {id: blue-24h, level: blue, when: until(expected_at) <= 24h, label: {zh: 一天内, en: Within a day}}
tiers:
  - {id: desk, zh: 值班, en: Desk, roles: [desk]}
"""


def library_of(*texts: str) -> PlanLibrary:
    return PlanLibrary([CompiledPlan.of(parse_plan(text, "test")) for text in texts])


def create_complaint(case_id: UUID | None = None, **given: Any) -> Event[ComplaintReceivedV1]:
    """A registered complaint with the least a contract asks for; anything else by keyword."""
    return _event(ComplaintReceivedV1, case_id, given)


def create_incident(case_id: UUID | None = None, **given: Any) -> Event[IncidentReportedV1]:
    """A reported incident with the least a contract asks for; anything else by keyword."""
    return _event(IncidentReportedV1, case_id, given)


def _event(model: type[Any], case_id: UUID | None, given: dict[str, Any]) -> Event[Any]:
    org = given.pop("org", "demo")
    city = given.pop("city", None)
    at = given.pop("at", MONDAY)
    report = {
        "number": "2026-03-000001",
        "sequence": 1,
        "source": "call-centre",
        "reference": "r-1",
        "category": "service",
        "topic": "slow-data",
        "occurred_at": at,
        "received_at": at,
        "place": Place(city=city),
    } | given
    return Event(
        id=IDS.new(),
        source="/fenghuo/intake",
        time=at,
        org=org,
        case_id=case_id or IDS.new(),
        data=model(**report),
        traceparent=None,
    )


@dataclass
class Published:
    """One event of the outbox."""

    case_id: UUID
    org: str
    causation: str | None
    data: CaseClassifiedV1


@dataclass
class Classifier:
    """The use cases on a real database with a clock that the test moves."""

    database: Database
    clock: ManualClock
    ports: Ports
    url: str
    armed: list[datetime] = field(default_factory=list)

    async def classify(self, *events: Event[Any]) -> list[Outcome]:
        """Apply the events as one batch."""
        return await classify_reports(events, self.database, self.ports)

    async def published(self, kind: str | None = None) -> list[Published]:
        """Everything in the outbox, in order, with every criterion in full as a reader of the topic has it."""
        events = await self.sent()
        words = {event.data.plan.sha256: event.data.criteria for event in events if _brings_words(event.data)}
        for event in events:
            criteria = in_full(event.data.criteria, event.data.answers, words.get(event.data.plan.sha256, ()))
            event.data = event.data.model_copy(update={"criteria": criteria, "answers": None})
        return [event for event in events if kind is None or event.data.kind == kind]

    async def sent(self) -> list[Published]:
        """Everything in the outbox, in order, as it is sent."""
        async with self.database.transaction() as tx:
            rows = await tx.fetch("SELECT headers, value FROM outbox ORDER BY seq")
        found = [decode(headers_from_text(row["headers"]), row["value"]) for row in rows]
        return [Published(event.case_id, event.org, event.causation, _classified(event)) for event in found]

    async def warnings(self) -> list[CaseClassifiedV1]:
        return [event.data for event in await self.published("warning")]

    async def cases(self) -> list[CaseClassifiedV1]:
        return [event.data for event in await self.published() if event.data.kind != "warning"]

    async def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch(sql, **parameters)]

    async def state(self) -> dict[str, Any]:
        """Everything kept besides revisions and times of writing, for comparison with another classifier."""
        cases = await self.rows("SELECT case_id, org, state, runs FROM cases ORDER BY case_id")
        for row in cases:
            row["state"] = json.loads(row["state"])
            row["runs"] = [{**run, "revision": None} for run in json.loads(row["runs"])]
        counters = await self.rows(
            "SELECT series_id, bucket_start, count FROM window_counters WHERE count > 0 ORDER BY 1, 2"
        )
        members = await self.rows("SELECT * FROM window_members ORDER BY 1, 2, 3, 4")
        warnings = await self.rows("SELECT group_id, span, bucket_start, level FROM warnings ORDER BY 1, 2, 3")
        return {"cases": cases, "counters": counters, "members": members, "warnings": warnings}


def _brings_words(data: CaseClassifiedV1) -> bool:
    return data.answers is None and data.kind != "warning"


def _classified(event: Event[Any]) -> CaseClassifiedV1:
    assert isinstance(event.data, CaseClassifiedV1)
    return event.data


async def _build(database: TestDatabase) -> None:
    await asyncio.to_thread(migrate, "classifier", database.url("classifier"))


@pytest.fixture
async def classifier_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Address of a freshly migrated schema of the classifier."""
    made = await postgres.create("classifier", _build)
    yield made.url("classifier")
    await postgres.drop(made)


@pytest.fixture
async def classifier(classifier_url: str) -> AsyncIterator[Classifier]:
    """The use cases with the two test plans."""
    made = create_classifier(classifier_url, BURSTS, FORECAST)
    yield made
    await made.database.close()


def create_classifier(url: str, *plans: str, clock: ManualClock | None = None) -> Classifier:
    """Another replica on the same database."""
    clock = clock or ManualClock(MONDAY + timedelta(minutes=1))
    database = Database.connect(url, application="tests", pool_size=4, clock=clock)
    armed: list[datetime] = []
    return Classifier(database, clock, Ports(Plans(library_of(*plans)), IDS, armed.append), url, armed)


async def one_by_one(classifier: Classifier, events: Sequence[Event[Any]]) -> None:
    for event in events:
        await classifier.classify(event)
