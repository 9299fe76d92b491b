import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import services.console.web.site as site_module
from services.console.app.read_messages import Messages, read_messages
from services.console.cli.databases import instant_of
from services.console.cli.wording import CommandError, language_of_environment
from services.console.domain.accounts import Person, Role, name_problem, password_problem
from services.console.domain.actions import actions_for, is_offered
from services.console.domain.words import word
from services.console.web.guard import local_path
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseState, ChangeKind, ClockState
from shared.contracts.notifications import Purpose, Settlement
from shared.contracts.receipts import ReceiptStatus

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
STATIC = Path(site_module.__file__).parent / "static"


def test_each_role_may_what_the_one_before_may() -> None:
    operator = Person("a", "demo", Role.OPERATOR)
    assert [operator.may(role) for role in Role] == [True, True, False]


@pytest.mark.parametrize("password", ["short", "x" * 201])
def test_passwords_have_a_shortest_and_a_longest_length(password: str) -> None:
    assert password_problem(password)
    assert password_problem("long enough for us") is None


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 61])
def test_names_must_be_printable(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/cases/1", "/cases/1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        (None, "/"),
    ],
)
def test_signing_in_leads_only_to_our_own_pages(asked: str | None, path: str) -> None:
    assert local_path(asked) == path


def test_an_acknowledgement_is_offered_first_while_nobody_took_the_case() -> None:
    assert actions_for([{"state": "classified"}])[0] == "acknowledge"
    assert "acknowledge" not in actions_for([{"state": "in-progress"}])
    assert actions_for([{"state": "merged"}]) == ["acknowledge", "reopen", "comment"]
    assert not is_offered("move-plan")


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("state", list(CaseState)),
        ("command", list(CommandKind)),
        ("purpose", list(Purpose)),
        ("settlement", list(Settlement)),
        ("clock", list(ClockState)),
        ("change", list(ChangeKind)),
        ("receipt", list(ReceiptStatus)),
        ("role", list(Role)),
    ],
)
def test_every_word_of_the_contracts_is_translated(table: str, keys: list[str]) -> None:
    untranslated = [key for key in keys if word(table, key).zh == key]
    assert untranslated == []


def test_files_of_others_are_served_as_they_were_taken() -> None:
    vendor = STATIC / "vendor"
    sums = dict(line.split()[::-1] for line in (vendor / "SHA256SUMS").read_text().splitlines())
    shipped = {path.name for path in vendor.iterdir() if path.suffix == ".js"}
    assert shipped <= set(sums)
    for name, expected in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == expected, name


def test_time_may_be_given_as_an_instant_or_as_a_time_ago() -> None:
    assert instant_of("2h", NOON) == NOON - timedelta(hours=2)
    assert instant_of("2026-11-22T12:00:00+08:00", NOON) == NOON
    with pytest.raises(CommandError):
        instant_of("2026-11-22T12:00:00", NOON)


def test_the_command_line_speaks_chinese_unless_the_locale_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert language_of_environment() == "zh"
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    assert language_of_environment() == "en"
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert language_of_environment() == "zh"


class _Sink:
    async def messages(self, since: int, limit: int) -> list[dict[str, object]]:
        del limit
        everything: list[dict[str, object]] = [
            {"seq": 1, "kind": "sms", "text": "a", "links": ["http://x.example/a/1", "javascript:alert(1)", 7]},
            {"seq": 2, "kind": "mail", "to": ["a@example.org", "b@example.org"], "subject": "s"},
        ]
        return [message for message in everything if int(str(message["seq"])) > since]


async def test_only_links_of_the_web_can_be_followed_from_the_message_page() -> None:
    found = await read_messages(_Sink())  # type: ignore[arg-type]  # only `messages` is used
    assert [message["seq"] for message in found.messages] == [2, 1]
    assert found.messages[1]["links"] == ["http://x.example/a/1"]
    assert found.messages[0]["to"] == "a@example.org, b@example.org"
    assert await read_messages(None) == Messages([], "none")
