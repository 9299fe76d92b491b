"""What a case is explained by besides its own facts: the cases that were counted, and the version it was moved to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from services.console.cli.output import in_window
from shared.access.api_keys import Scope
from shared.contracts.classifications import CountedCases, PlanMove
from shared.contracts.values import Actor, ActorKind, Bilingual, CaseKind
from shared.db.engine import Database
from tests.support.console import (
    IDS,
    TELECOM,
    create_classified,
    create_console,
    create_escalated,
    create_event,
    create_key,
    create_story,
    project,
)

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
async def api(console_url: str, console_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_console(console_url))
    headers = {"Authorization": f"Bearer {await create_key(console_database, Scope.READ)}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://console.example", headers=headers) as client:
        yield client


async def test_the_cases_that_made_a_warning_are_called_by_their_numbers(
    api: httpx.AsyncClient, console_database: Database
) -> None:
    counted = [create_story(f"2026-11-00000{number}", at=NOON) for number in (1, 2)]
    foreign, warning = create_event(create_escalated("2026-11-000009", "red", NOON), IDS.new(), org="other"), IDS.new()
    ids = [counted[0][0].case_id, counted[1][0].case_id, foreign.case_id]
    classified = create_classified(
        "2026-11-W00001", "red", NOON, kind=CaseKind.WARNING, linked_cases=ids, linked_count=60
    )
    await project(
        console_database,
        [
            *(event for story in counted for event in story),
            foreign,
            create_event(classified, warning),
            create_event(create_escalated("2026-11-W00001", "red", NOON, kind=CaseKind.WARNING), warning),
        ],
    )
    [chain] = (await api.get("/v1/cases/2026-11-W00001/explain")).json()["plans"]
    assert chain["linked_count"] == 60
    assert [one["number"] for one in chain["linked"]] == ["2026-11-000001", "2026-11-000002", None]


async def test_the_cases_in_the_window_of_an_ordinary_case_are_called_by_their_numbers(
    api: httpx.AsyncClient, console_database: Database
) -> None:
    stories = [create_story(f"2026-11-00000{number}", at=NOON) for number in (1, 2)]
    ids, case_id = [story[0].case_id for story in stories], IDS.new()
    counted = CountedCases(
        window="complaints_today",
        group={"topic": "slow-data", "complainant": None},
        start=NOON,
        end=NOON + timedelta(days=1),
        value=60,
        cases=60,
        earliest=(ids[0],),
        latest=(ids[1], case_id),
    )
    await project(
        console_database,
        [
            *(event for story in stories for event in story),
            create_event(create_classified("N-8", "red", NOON, counted=(counted,)), case_id),
            create_event(create_escalated("N-8", "red", NOON), case_id),
        ],
    )
    found = (await api.get("/v1/cases/N-8/explain")).json()
    [one] = found["plans"][0]["counted"]
    assert one["words"] == {"zh": "当日同主题投诉", "en": "Complaints on the topic today"}
    assert (one["earliest"][0]["number"], one["latest"][0]["number"]) == ("2026-11-000001", "2026-11-000002")
    assert one["latest"][1] == {"case_id": str(case_id), "number": None}
    said = in_window(one)
    assert "2026-11-000001 … 2026-11-000002" in said
    assert "slow-data" in said


async def test_a_moved_case_says_from_where_by_whom_and_why_and_a_refused_move_does_not(
    api: httpx.AsyncClient, console_database: Database
) -> None:
    case_id, before = IDS.new(), TELECOM.model_copy(update={"sha256": "0" * 64})
    after = TELECOM.model_copy(update={"version": TELECOM.version + 1})
    move = PlanMove(
        asked=uuid4(),
        actor=Actor(kind=ActorKind.PERSON, ref="leader-a"),
        reason="the plan was revised",
        before=before,
        version=after.version,
    )
    refused = move.model_copy(update={"refused": Bilingual(zh="不", en="no"), "reason": "another wish"})
    await project(
        console_database,
        [
            create_event(create_classified("N-7", "red", NOON, 1), case_id),
            create_event(create_classified("N-7", "red", NOON, 2, plan=after, move=move), case_id),
            create_event(create_classified("N-7", "red", NOON, 3, plan=after, move=refused), case_id),
            create_event(create_escalated("N-7", "red", NOON, 2, plan=after), case_id),
        ],
    )
    [chain] = (await api.get("/v1/cases/N-7/explain")).json()["plans"]
    assert chain["moved"]["before"]["sha256"] == "0" * 64
    assert (chain["moved"]["actor"]["ref"], chain["moved"]["reason"]) == ("leader-a", "the plan was revised")
