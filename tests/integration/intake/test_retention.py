"""What the register forgets of an erased case, and who may ask for it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.intake.store.retention import erase_personal_data, erase_whole_cases
from shared.access.api_keys import Scope
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseErasedV1, ErasedPart
from shared.db.engine import Database
from shared.kafka.erasing import Erasing, Share
from shared.kafka.outcome import DONE, DUPLICATE
from shared.runtime.clock import SystemClock
from shared.runtime.ids import TimeOrderedIds
from tests.support.clock import ManualClock
from tests.support.postgres import Database as OwnDatabase
from tests.support.register import Register, complaint

PERSON = {"name": "甲", "phone": "13800001234"}
ERASE = {"command": "erase", "reason": "as they asked", "actor": {"ref": "privacy-officer-a"}}


def erased(case_id: str, part: ErasedPart = ErasedPart.PERSONAL_DATA) -> Event[CaseErasedV1]:
    now = SystemClock().now()
    data = CaseErasedV1(number="N-1", part=part, last_changed_at=now - timedelta(minutes=1), erased_at=now)
    return Event(id=TimeOrderedIds().new(), source="/t", time=now, org="demo", case_id=UUID(case_id), data=data)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now())


@pytest.fixture
async def erasing(intake_database: OwnDatabase, clock: ManualClock) -> Erasing:
    database = Database.connect(intake_database.url("intake"), application="tests", pool_size=2, clock=clock)
    return Erasing(database, Share(erase_personal_data, erase_whole_cases))


async def posted(register: Register, reference: str, **changes: object) -> dict[str, Any]:
    answer = await register.post("/v1/complaints", complaint(reference, complainant=PERSON, **changes))
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_only_who_may_operate_may_hold_or_erase(register: Register) -> None:
    case_id = (await posted(register, "T-1"))["case_id"]
    path = f"/v1/cases/{case_id}/commands"
    commander = await register.key_with(Scope.COMMAND)
    for command in ("hold", "release-hold", "erase"):
        assert (await register.post(path, ERASE | {"command": command}, **commander)).status_code == 403
    both = await register.key_with(Scope.COMMAND, Scope.OPERATE)
    assert (await register.post(path, ERASE, **both)).status_code == 202
    for wrong in ({"plan": "telecom-service-quality"}, {"reason": " "}, {"actor": {"kind": "system", "ref": "x"}}):
        answer = await register.post(path, ERASE | wrong, **both)
        assert (answer.status_code, next(iter(wrong)) in answer.text) == (422, True), answer.text


async def test_the_key_of_a_person_goes_with_their_last_case(
    register: Register, erasing: Erasing, clock: ManualClock
) -> None:
    first, second = [(await posted(register, name))["case_id"] for name in ("T-1", "T-2")]
    event = erased(first)
    assert list(await erasing([event])) == [DONE]
    assert list(await erasing([event])) == [DUPLICATE]
    rows = await register.rows("SELECT original, identity, person_id FROM events WHERE case_id = $1", UUID(first))
    assert [tuple(row) for row in rows] == [(b"", None, None)]
    assert len(await register.rows("SELECT 1 FROM person_keys")) == 1

    await erasing([erased(second)])
    clock.advance(timedelta(minutes=2))
    await erasing.again()
    assert await register.rows("SELECT 1 FROM person_keys") == []
    assert await register.rows("SELECT 1 FROM persons") == []
    again = await posted(register, "T-3")
    assert again["case_id"] not in {first, second}


async def test_a_report_that_had_the_key_already_stays_readable(
    register: Register, erasing: Erasing, clock: ManualClock
) -> None:
    first, second = [(await posted(register, name))["case_id"] for name in ("T-1", "T-2")]
    (row,) = await register.rows("SELECT person_id FROM events WHERE case_id = $1", UUID(second))
    # As if the second report were not committed yet while the first one's case is erased.
    await register.rows("UPDATE events SET person_id = NULL WHERE case_id = $1", UUID(second))
    await erasing([erased(first)])
    await register.rows("UPDATE events SET person_id = $2 WHERE case_id = $1", UUID(second), row["person_id"])
    clock.advance(timedelta(minutes=2))
    await erasing.again()
    assert len(await register.rows("SELECT 1 FROM person_keys")) == 1


async def test_the_source_may_tell_it_anew_and_the_same_event_stays_known(register: Register, erasing: Erasing) -> None:
    event_id = str(uuid4())
    before = await posted(register, "T-1", id=event_id)
    await erasing([erased(before["case_id"])])
    repeated = await posted(register, "T-1", id=event_id)
    assert (repeated["case_id"], repeated["duplicate"]) == (before["case_id"], True)
    anew = await posted(register, "T-1", id=str(uuid4()))
    assert anew["case_id"] != before["case_id"]
    assert anew["number"] != before["number"]


async def test_nothing_of_a_case_stays_when_its_time_is_over(register: Register, erasing: Erasing) -> None:
    case_id = (await posted(register, "T-1"))["case_id"]
    await register.post(f"/v1/cases/{case_id}/commands", ERASE | {"command": "comment"})
    await erasing([erased(case_id, ErasedPart.CASE)])
    for table in ("cases", "events", "commands"):
        assert await register.rows(f"SELECT 1 FROM {table}") == [], table  # noqa: S608  # constants
    assert [row["part"] for row in await register.rows("SELECT part FROM erasures")] == ["case"]
