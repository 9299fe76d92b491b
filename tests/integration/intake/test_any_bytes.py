"""No byte sequence at any door is a 500: it is taken, or refused as problem details, or kept in quarantine."""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from tests.support.odd_requests import ODD_BODIES
from tests.support.register import Register, complaint
from tests.support.samples import sample_json, sample_path

_GET: Final = (
    "/v1/cases/{}",
    "/v1/cases/{}/originals",
    "/v1/quarantine?before={}",
    "/v1/quarantine?limit={}",
    "/v1/quarantine/{}",
    "/v1/receipts/{}",
    "/v1/sms/kannel?from={}&text={}",
    "/v1/hooks/kannel?from={}&id={}&text={}",
    "/a/{}",
)
_POST: Final = (
    "/v1/complaints",
    "/v1/incidents",
    "/v1/complaints:batch",
    "/v1/events",
    *(
        f"/v1/hooks/{kind}"
        for kind in [
            "alertmanager",
            "chatwoot",
            "generic",
            "grafana",
            "kannel",
            "pagerduty",
            "sns",
            "twilio",
            "zabbix",
            "zammad",
        ]
    ),
    "/v1/cases/0198f6a2-0000-7000-8000-000000000001/commands",
    "/v1/replays",
    "/v1/sms/kannel",
    "/v1/receipts/{}",
    "/v1/quarantine/{}/replay",
    "/a/{}",
)
_TYPES: Final = (
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-www-form-urlencoded",
    "text/plain; charset=\xff",
    "",
)
_ODD: Final = (
    *ODD_BODIES,
    b'{"source":"\\ud800"}',
    b'{"source":"\\u0000","reference":"1"}',
    b"%zz=%ff&a=%00",
    b"From=%00&Body=1&MessageSid=1",
)
_PATHS: Final = (
    "%00",
    "%FF",
    "..",
    "x" * 3000,
    "%F0%9F%94%A5",
    "-1",
    "2026-11-000001",
    "'; DROP TABLE cases; --",
    "\u0660",
)


def _bodies() -> Iterator[bytes]:
    chance = random.Random(20261122)  # noqa: S311  # repeatable, nothing secret
    valid = json.dumps(
        [complaint(), {"alerts": [{"status": "firing"}], "event_action": "trigger", "topic": "x"}]
    ).encode()
    yield from _ODD
    for _ in range(30):
        broken = bytearray(valid)
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(broken))
            broken[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        yield bytes(broken)
        yield chance.randbytes(chance.randrange(200))


def _check(answer: httpx.Response, what: object) -> None:
    assert answer.status_code < 500, (what, answer.status_code, answer.text)
    if answer.status_code >= 400 and "/a/" not in str(answer.url):
        assert answer.headers["content-type"] == "application/problem+json", what


async def test_any_body_at_any_door(register: Register) -> None:
    for number, body in enumerate(_bodies()):
        content_type = _TYPES[number % len(_TYPES)]
        for path in _POST:
            headers = {"content-type": content_type.encode("latin-1")} if content_type else {}
            answer = await register.client.post(path.format("x"), content=body, headers=headers)  # type: ignore[arg-type]  # raw header bytes
            _check(answer, (path, content_type, body[:80]))


async def test_any_word_in_any_address(register: Register) -> None:
    for path in _GET:
        for word in _PATHS:
            _check(await register.client.get(path.replace("{}", word)), (path, word[:40]))
    for path in _POST:
        for word in _PATHS:
            _check(await register.client.post(path.replace("{}", word), content=b"{}"), (path, word[:40]))


async def test_any_header_at_any_door(register: Register) -> None:
    for name in (
        b"ce-id",
        b"ce-specversion",
        b"ce-time",
        b"content-type",
        b"x-api-key",
        b"traceparent",
        b"authorization",
    ):
        for value in (b"\xff", b"%00", b"%", b"9" * 4000, "烽".encode()):
            headers = [(b"authorization", f"Bearer {register.key}".encode()), (name, value)]
            answer = await register.client.post("/v1/events", content=b"{}", headers=headers)
            _check(answer, (name, value[:20]))


async def test_public_parser_suite_at_the_door(register: Register) -> None:
    files = sorted(sample_path("conformance", "JSONTestSuite", "test_parsing").glob("*.json"))
    for start in range(0, len(files), 40):
        group = files[start : start + 40]
        answers = await asyncio.gather(
            *(register.client.post("/v1/complaints", content=file.read_bytes()) for file in group)
        )
        for file, answer in zip(group, answers, strict=True):
            assert answer.status_code in {400, 422}, (file.name, answer.text)
            assert answer.json()["errors"], file.name


async def test_naughty_strings_are_registered_as_they_are(register: Register) -> None:
    strings = [text for text in sample_json("conformance", "blns", "blns.json") if text.strip()]
    items = [complaint(f"N-{number}", title=text[:500], narrative=text) for number, text in enumerate(strings)]
    results = []
    for start in range(0, len(items), 250):
        answer = await register.post("/v1/complaints:batch", items[start : start + 250])
        results += answer.json()["results"]
    assert [result["status"] for result in results] == [201] * len(items)
    for number in (0, len(items) // 2, len(items) - 1):
        found = await register.client.get(f"/v1/cases/{results[number]['case_id']}/originals")
        assert found.json()["originals"][0]["body"] == items[number]


@pytest.mark.parametrize("path", ["/v1/complaints", "/v1/hooks/generic", "/v1/events"])
async def test_a_sender_that_goes_away_is_no_error_of_ours(register: Register, path: str) -> None:
    async def cut_off() -> object:
        yield b'{"source": "x", '

    answer = await register.client.post(path, content=cut_off())  # type: ignore[arg-type]  # a generator of bytes
    assert answer.status_code == 400
