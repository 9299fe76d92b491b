"""Who decides in a role's name is looked up in the roster: what it says goes with the command, or refuses it."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from pydantic import SecretStr

from shared.contracts.commands import CommandIssuedV1
from tests.support.http_stub import QuietHandler, answering
from tests.support.postgres import Database
from tests.support.register import Register, open_register

ROLES: dict[str, list[str]] = {"leader": ["leader-a", "leader-b"], "nobody": []}


class _Roster(QuietHandler):
    """Answers like the notifier's door: who is on duty for a role."""

    def do_GET(self) -> None:  # noqa: N802  # the name the library calls
        role = parse_qs(urlsplit(self.path).query)["role"][0]
        people = ROLES.get(role)
        self.send_response(200 if people is not None else 404)
        self.end_headers()
        duties = [{"person": person} for person in people or ()]
        self.wfile.write(json.dumps({"organisation": "demo", "role": role, "on_duty": duties}).encode())


@pytest.fixture
def roster() -> Iterator[str]:
    with answering(_Roster) as url:
        yield url


@asynccontextmanager
async def register_with(database: Database, url: str, **changes: Any) -> AsyncIterator[Register]:
    settings = {"notifier_url": url, "notifier_key": SecretStr("k" * 20), **changes}
    async with open_register(database.url("intake"), **settings) as found:
        yield found


def approval(person: str = "leader-a", role: str = "leader", command: str = "approve", **more: Any) -> dict[str, Any]:
    reason = {"reason": "no"} if command in {"refuse", "decline", "extension-deny"} else {}
    arguments = {"role": role, **more.pop("arguments", {})}
    return {"command": command, "actor": {"ref": person}, "arguments": arguments, **reason, **more}


async def issued(register: Register, body: dict[str, Any]) -> CommandIssuedV1:
    answer = await register.post(f"/v1/cases/{uuid4()}/commands", body)
    assert answer.status_code == 202, answer.text
    data = (await register.published())[-1].data
    assert isinstance(data, CommandIssuedV1)
    return data


@pytest.mark.parametrize("command", ["approve", "refuse", "activate", "decline", "extension-approve", "extension-deny"])
async def test_what_the_roster_says_goes_with_the_command(intake_database: Database, roster: str, command: str) -> None:
    async with register_with(intake_database, roster) as register:
        assert (await issued(register, approval(command=command))).arguments["role_held"] is True
        assert (await issued(register, approval("clerk-a", command=command))).arguments["role_held"] is False


async def test_nobody_can_say_it_of_themselves(intake_database: Database, roster: str) -> None:
    async with register_with(intake_database, roster) as register:
        claim = approval("clerk-a", arguments={"role_held": True})
        assert (await issued(register, claim)).arguments["role_held"] is False
    async with register_with(intake_database, roster, role_check="off") as register:
        assert "role_held" not in (await issued(register, claim)).arguments


async def test_an_installation_may_refuse_it_by_name(intake_database: Database, roster: str) -> None:
    async with register_with(intake_database, roster, role_check="refuse") as register:
        answer = await register.post(f"/v1/cases/{uuid4()}/commands", approval("clerk-a"))
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["field"] == "arguments.role"
        assert not await register.published()
        assert (await issued(register, approval("leader-b"))).arguments["role_held"] is True


@pytest.mark.parametrize("role", ["unheard-of", "nobody"])
async def test_what_the_roster_cannot_tell_is_not_said(intake_database: Database, roster: str, role: str) -> None:
    async with register_with(intake_database, roster, role_check="refuse") as register:
        assert "role_held" not in (await issued(register, approval(role=role))).arguments


async def test_a_notifier_that_is_away_holds_nobody_up(intake_database: Database) -> None:
    async with register_with(intake_database, "http://127.0.0.1:9", role_check="refuse") as register:
        assert "role_held" not in (await issued(register, approval("clerk-a"))).arguments


async def test_the_same_command_again_is_the_same_though_the_duty_has_passed_on(
    intake_database: Database, roster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with register_with(intake_database, roster) as register:
        path, body = f"/v1/cases/{uuid4()}/commands", approval(id="once")
        assert (await register.post(path, body)).status_code == 202
        monkeypatch.setitem(ROLES, "leader", ["leader-b"])
        again = await register.post(path, body)
        assert (again.status_code, again.json()["duplicate"]) == (200, True)
