"""Forms of the case page as they are posted."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from shared.db.engine import Database
from tests.integration.console.test_pages import IntakeDouble, a_case, browser, form_token, intake, sign_in
from tests.support.console import IDS, create_escalated, create_event, create_user, project

__all__ = ["browser", "intake"]

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ({"command": "wait", "until": "2026-11-23T09:00", "reason_code": "customer"},
         {"reason_code": "customer", "until": "2026-11-23T09:00:00+08:00"}),
        ({"command": "extension-request", "clock": "reply", "by": "15wd"}, {"clock": "reply", "by": "15wd"}),
        ({"command": "extension-approve", "clock": "reply", "role": "head"}, {"clock": "reply", "role": "head"}),
        ({"command": "merge", "into": " 2026-11-000002 "}, {"into": "2026-11-000002"}),
        ({"command": "split", "reports": "2", "facts": ""}, {"reports": "2"}),
        ({"command": "cannot-handle", "into": "x"}, None),
        ({"command": "withdraw"}, None),
    ],
)  # fmt: skip
async def test_forms_send_what_their_command_takes_and_nothing_else(
    browser: httpx.AsyncClient,
    console_database: Database,
    intake: IntakeDouble,
    form: dict[str, str],
    arguments: dict[str, str] | None,
) -> None:
    case = await a_case(console_database)
    await create_user(console_database, "值班经理甲", "operator")
    await sign_in(browser, "值班经理甲")
    token = await form_token(browser, f"/cases/{case}")
    answer = await browser.post(f"/cases/{case}/commands", data={"csrf": token, "reason": "因故", **form})
    assert answer.status_code == 303
    body = json.loads(intake.posted[0][1])
    assert (body["command"], body["reason"], body.get("arguments")) == (form["command"], "因故", arguments)


async def test_an_acknowledgement_of_a_merged_case_names_the_one_it_counts_for(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble
) -> None:
    case = IDS.new()
    await project(console_database, [create_event(create_escalated("N-1", "red", NOON, state="merged"), case)])
    await create_user(console_database, "值班经理甲", "operator")
    await sign_in(browser, "值班经理甲")
    assert 'value="acknowledge"' in (await browser.get(f"/cases/{case}")).text
    token = await form_token(browser, f"/cases/{case}")
    intake.answer = httpx.Response(202, json={"survivor": "2026-11-000009"})
    answer = await browser.post(f"/cases/{case}/commands", data={"csrf": token, "command": "acknowledge"})
    page = await browser.get(answer.headers["location"])
    assert "本案已并入" in page.text
    assert 'href="/cases/2026-11-000009"' in page.text
    forged = await browser.get(f"/cases/{case}?done=acknowledge&survivor=call-0900-1234")
    assert "0900" not in forged.text
