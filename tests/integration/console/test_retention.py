"""What the console forgets of an erased case, what it still shows, and who may ask for it."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from shared.access.api_keys import Scope
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseErasedV1, Change, ChangeKind, ErasedPart
from shared.db.engine import Database
from tests.integration.console.test_pages import IntakeDouble, browser, form_token, intake, sign_in
from tests.support.console import (
    IDS,
    create_command,
    create_escalated,
    create_event,
    create_key,
    create_story,
    create_user,
    project,
)

__all__ = ["browser", "intake"]

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MARK = "Zq7Wx9Kj3"
TABLES = ("cases", "timeline", "reports", "classifications", "requests", "deliveries")


def erased(case_id: UUID, part: ErasedPart = ErasedPart.PERSONAL_DATA) -> CaseErasedV1:
    return CaseErasedV1(number="N-1", part=part, last_changed_at=NOON, erased_at=NOON + timedelta(hours=2))


def change(kind: ChangeKind, because: str) -> Change:
    return Change(kind=kind, at=NOON, because=because, details={"level": "red", "text": MARK})


async def a_closed_case(database: Database, *further: Change) -> UUID:
    case_id = IDS.new()
    closed = create_escalated(
        "N-1",
        "red",
        NOON,
        revision=9,
        state="closed",
        title=f"{MARK} title",
        because=f"{MARK} because",
        changes=(change(ChangeKind.LEVEL_RAISED, f"{MARK}：why"), *further),
    )
    said = create_command(NOON, CommandKind.COMMENT, reason=f"{MARK} said")
    events = [create_event(one, case_id) for one in (closed, said)]
    await project(database, [*create_story("N-1", at=NOON, case_id=case_id), *events])
    return case_id


async def rows_with(database: Database, word: str) -> list[str]:
    async with database.transaction() as tx:
        return [
            table
            for table in TABLES
            if await tx.fetch(
                f"SELECT 1 FROM {table} AS t WHERE CAST(t AS text) LIKE :word",  # noqa: S608  # constants
                word=f"%{word}%",
            )
        ]


async def test_an_erased_case_is_still_shown_without_what_was_told(
    browser: httpx.AsyncClient, console_database: Database
) -> None:
    case_id = await a_closed_case(console_database)
    assert set(await rows_with(console_database, MARK)) == {"cases", "timeline"}
    event = create_event(erased(case_id), case_id)
    await project(console_database, [event])
    await project(console_database, [event])
    assert await rows_with(console_database, MARK) == []
    assert await rows_with(console_database, "customers_affected") in ([], ["classifications"])
    await create_user(console_database, "值班经理甲", "viewer")
    await sign_in(browser, "值班经理甲")
    for path in (f"/cases/{case_id}", f"/cases/{case_id}/content", "/", "/cases?open=false"):
        page = await browser.get(path)
        assert page.status_code in {200, 404}, f"{path}: {page.text[:300]}"
        assert MARK not in page.text
    page = await browser.get(f"/cases/{case_id}")
    for words in ("N-1", "级别提升", "各服务删除个人信息与所述内容"):
        assert words in page.text


async def test_of_a_case_whose_time_is_over_no_row_stays(console_database: Database) -> None:
    case_id = await a_closed_case(console_database)
    await project(console_database, [create_event(erased(case_id, ErasedPart.CASE), case_id)])
    async with console_database.transaction() as tx:
        for table in TABLES:
            assert not await tx.fetch(f"SELECT 1 FROM {table} WHERE case_id = :id", id=case_id), table  # noqa: S608  # constants
        assert await tx.fetch("SELECT 1 FROM erasures WHERE part = 'case'")


@pytest.mark.parametrize("role", ["operator", "admin"])
async def test_only_administrators_may_hold_and_erase(
    browser: httpx.AsyncClient, console_database: Database, intake: IntakeDouble, role: str
) -> None:
    case_id = await a_closed_case(console_database)
    await create_user(console_database, "值班经理甲", role)
    await sign_in(browser, "值班经理甲")
    page = (await browser.get(f"/cases/{case_id}")).text
    assert ('value="erase"' in page, 'value="hold"' in page) == (role == "admin", role == "admin")
    form = {"csrf": await form_token(browser, f"/cases/{case_id}"), "command": "erase", "reason": "as they asked"}
    answer = await browser.post(f"/cases/{case_id}/commands", data=form)
    assert answer.status_code == (303 if role == "admin" else 403)
    sent = [json.loads(body)["command"] for _, body in intake.posted]
    assert sent == (["erase"] if role == "admin" else [])


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ((ChangeKind.HELD,), {"release-hold"}),
        ((ChangeKind.HELD, ChangeKind.HOLD_RELEASED), {"hold", "erase"}),
        ((ChangeKind.ERASED,), set()),
    ],
)
async def test_what_would_be_refused_is_not_offered(
    browser: httpx.AsyncClient, console_database: Database, changes: tuple[ChangeKind, ...], offered: set[str]
) -> None:
    case_id = await a_closed_case(console_database, *(change(kind, "why") for kind in changes))
    await create_user(console_database, "管理员甲", "admin")
    await sign_in(browser, "管理员甲")
    page = (await browser.get(f"/cases/{case_id}")).text
    assert {name for name in ("hold", "release-hold", "erase") if f'value="{name}"' in page} == offered


async def test_a_key_needs_more_than_commands_to_erase(browser: httpx.AsyncClient, console_database: Database) -> None:
    case_id = await a_closed_case(console_database)
    key = await create_key(console_database, Scope.READ, Scope.COMMAND)
    answer = await browser.post(
        f"/v1/cases/{case_id}/commands",
        headers={"Authorization": f"Bearer {key}"},
        json={"command": "erase", "reason": "as they asked", "person": "privacy-officer-a"},
    )
    assert answer.status_code == 403
    assert "operate" in answer.text
