"""Where a complainant wants to be told: only who asked, only to who may know, and not after they were forgotten."""

from services.intake.app.erase_person import erase_person
from services.intake.domain.bodies import Complainant
from services.intake.store.vault import Vault
from shared.access.api_keys import Scope
from shared.db.engine import Database
from tests.support.register import IDENTITY_KEY, Register, complaint

PERSON = {"name": "投诉人甲", "phone": "+86 138-0000-1234", "email": "who@example.org"}


async def _address(register: Register, case_id: str) -> tuple[int, dict[str, str]]:
    headers = await register.key_with(Scope.ADDRESS)
    answer = await register.client.get(f"/v1/cases/{case_id}/complainant-address", headers=headers)
    return answer.status_code, answer.json()


async def test_who_asked_is_named_with_their_channel_and_language(register: Register) -> None:
    body = complaint(complainant=PERSON | {"tell": "email"}, language="en")
    case_id = (await register.post("/v1/complaints", body)).json()["case_id"]
    assert await _address(register, case_id) == (
        200,
        {"channel": "email", "to": "who@example.org", "language": "en"},
    )
    other = await register.key_with(Scope.ADDRESS, org="other")
    assert (await register.client.get(f"/v1/cases/{case_id}/complainant-address", headers=other)).status_code == 404
    reader = await register.key_with(Scope.READ, Scope.COMMAND)
    assert (await register.client.get(f"/v1/cases/{case_id}/complainant-address", headers=reader)).status_code == 403


async def test_who_did_not_ask_or_changed_their_mind_has_no_address(register: Register) -> None:
    asked = (await register.post("/v1/complaints", complaint(complainant=PERSON | {"tell": "sms"}))).json()
    assert (await _address(register, asked["case_id"]))[0] == 200
    await register.post("/v1/complaints", complaint(complainant=PERSON, title="不必再告知"))
    assert (await _address(register, asked["case_id"]))[0] == 404
    silent = (await register.post("/v1/complaints", complaint("T-2", complainant=PERSON))).json()
    assert (await _address(register, silent["case_id"]))[0] == 404
    nobody = (await register.post("/v1/complaints", complaint("T-3", complainant=None))).json()
    assert (await _address(register, nobody["case_id"]))[0] == 404


async def test_who_was_forgotten_has_no_address(register: Register) -> None:
    case_id = (await register.post("/v1/complaints", complaint(complainant=PERSON | {"tell": "sms"}))).json()["case_id"]
    database = Database.connect(register.url, application="tests", pool_size=2)
    vault = Vault(IDENTITY_KEY.encode())
    assert await erase_person(database, vault, "demo", complainant=Complainant.model_validate(PERSON))
    await database.close()
    assert (await _address(register, case_id))[0] == 404


async def test_asking_without_an_address_is_refused_by_its_field(register: Register) -> None:
    answer = await register.post("/v1/complaints", complaint(complainant={"name": "甲", "tell": "sms"}))
    assert answer.status_code == 422
    assert "tell" in answer.text
