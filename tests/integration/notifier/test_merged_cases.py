"""Which case goes on for one that was merged, as whoever answers late is told."""

from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from services.notifier.api.merged_cases import merged_cases_router
from services.notifier.app.note_merged_cases import note_merged_cases
from shared.access.api_keys import Scope
from shared.access.bearer import reader
from shared.access.key_store import KeyStore
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseMergedV1
from shared.contracts.values import PlanRef
from shared.runtime.problems import install_problem_handlers
from tests.integration.notifier.desk import CLOCK, IDS, Desk, request

PEPPER = b"pepper"


def merged(case: UUID, into: UUID | None, revision: int, plan: str = "telecom-service-quality") -> Event[CaseMergedV1]:
    data = CaseMergedV1(
        number="2026-11-000001",
        plan=PlanRef(name=plan, version=1, sha256="0" * 64),
        revision=revision,
        into=into,
        changed_at=CLOCK.now(),
    )
    return Event(IDS.new(), "/fenghuo/escalator", CLOCK.now(), "demo", case, data)


async def _asked(desk: Desk, case: UUID, org: str = "demo", plan: str | None = None) -> Any:
    app = FastAPI()
    keys = KeyStore(desk.database, PEPPER)
    app.include_router(merged_cases_router(desk.database, reader(keys, CLOCK, Scope.RECEIPT)))
    install_problem_handlers(app)
    key = await keys.issue(org=org, scopes=[Scope.RECEIPT], label="intake")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifier") as client:
        headers = {"authorization": f"Bearer {key}"}
        answer = await client.get(
            f"/v1/cases/{case}/survivor", headers=headers, params={"plan": plan} if plan else None
        )
    return answer.json() if answer.status_code == 200 else answer.status_code


async def test_the_end_of_a_chain_of_merges_is_named_by_what_its_people_were_told(still_desk: Desk) -> None:
    event = request("liaison")
    await still_desk.accept(event)
    first, second, last = IDS.new(), IDS.new(), event.case_id
    await note_merged_cases([merged(first, second, 3), merged(second, last, 2)], database=still_desk.database)
    wanted = {"case_id": str(last), "number": event.data.subject.number}
    assert [await _asked(still_desk, one) for one in (first, second)] == [wanted, wanted]
    assert await _asked(still_desk, first, plan="telecom-service-quality") == wanted
    assert await _asked(still_desk, first, plan="another-plan") == 404
    assert await _asked(still_desk, last) == 404
    assert await _asked(still_desk, first, org="other") == 404


async def test_a_case_that_stands_by_itself_again_is_followed_nowhere_in_whatever_order_it_is_heard(
    still_desk: Desk,
) -> None:
    case, other = IDS.new(), IDS.new()
    for event in (merged(case, None, 5), merged(case, other, 3)):
        await note_merged_cases([event], database=still_desk.database)
    assert await _asked(still_desk, case) == 404
    await note_merged_cases([merged(case, other, 7), merged(case, None, 6)], database=still_desk.database)
    assert await _asked(still_desk, case) == {"case_id": str(other), "number": None}


async def test_a_circle_of_merges_ends(still_desk: Desk) -> None:
    first, second = IDS.new(), IDS.new()
    await note_merged_cases([merged(first, second, 2), merged(second, first, 2)], database=still_desk.database)
    assert (await _asked(still_desk, first))["case_id"] in {str(first), str(second)}
