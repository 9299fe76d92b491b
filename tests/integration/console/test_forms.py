"""Forms of the case page as they are posted."""

import json

import httpx
import pytest

from shared.db.engine import Database
from tests.integration.console.test_pages import IntakeDouble, a_case, browser, form_token, intake, sign_in
from tests.support.console import create_user

__all__ = ["browser", "intake"]


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
