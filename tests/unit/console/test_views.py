"""Histories name roles and people as the roster does."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from services.console.domain.views import told_view, with_names

TOLD: list[dict[str, Any]] = [
    {
        "role": "liaison",
        "role_words": {"zh": "接口人", "en": "Liaison"},
        "person": "liaison-a",
        "person_label": "接口人甲",
    },
    {"role": "office", "role_words": None, "person": None, "person_label": None},
]


def _line(kind: str, zh: str, en: str, **other: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "zh": zh,
        "en": en,
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "details": {},
        "actor": None,
    } | other


def test_roles_that_were_asked_for_have_the_names_of_the_roster_where_it_gave_them() -> None:
    line = _line(
        "notification-requested",
        "呼叫 liaison、office",
        "page: liaison, office",
        details={"roles": ["liaison", "office"]},
    )
    (shown,) = with_names([line], TOLD)
    assert (shown["zh"], shown["en"]) == ("呼叫 接口人、office", "page: Liaison, office")


def test_roles_that_are_to_decide_have_names_too_and_words_like_them_stay() -> None:
    line = _line(
        "approval-requested",
        "提请 liaison, liaison-head 审批：liaison案",
        "approval by liaison, liaison-head asked for",
        details={"roles": ["liaison", "liaison-head"]},
    )
    (shown,) = with_names([line], TOLD)
    assert shown["zh"] == "提请 接口人, liaison-head 审批：liaison案"
    assert shown["en"] == "approval by Liaison, liaison-head asked for"


def test_a_name_that_holds_the_id_of_another_role_stays_as_it_is() -> None:
    told = [
        {"role": role, "role_words": {"zh": words, "en": words}, "person": None, "person_label": None}
        for role, words in (("chief", r"head of office \1"), ("office", "General office"))
    ]
    line = _line("approval-requested", "chief, office", "chief, office", details={"roles": ["chief", "office"]})
    (shown,) = with_names([line], told)
    assert shown["en"] == r"head of office \1, General office"


def test_who_decided_has_a_name_when_they_were_told_before() -> None:
    lines = [
        _line("command", "liaison-a 操作：确认接手", "liaison-a: acknowledge", actor={"ref": "liaison-a"}),
        _line("command", "08fe65e7 操作：解决", "08fe65e7: resolve", actor={"ref": "08fe65e7"}),
    ]
    known, unknown = with_names(lines, TOLD)
    assert (known["zh"], known["en"]) == ("接口人甲 操作：确认接手", "接口人甲: acknowledge")
    assert unknown == lines[1]


def test_an_older_line_without_roles_stays_as_it_was_written() -> None:
    line = _line("notification-requested", "呼叫 liaison", "page: liaison")
    assert with_names([line], TOLD) == [line]


def test_who_acted_has_the_name_of_the_roster_in_commands_and_in_what_came_of_them() -> None:
    actor = {"kind": "link", "ref": "liaison-a"}
    command = _line("command", "liaison-a 操作：确认接手", "liaison-a: acknowledge", actor=actor)
    change = _line(
        "state-changed",
        "状态变化：liaison-a（消息链接）：已确认，原话：liaison-a",
        "State: liaison-a (link of a message): acknowledged",
        details={"actor": "liaison-a", "actor_kind": "link"},
    )
    other = _line("state-changed", "状态变化：liaison-ab：已确认", "", details={"actor": "liaison-ab"})
    shown = [line["zh"] for line in with_names([command, change, other], TOLD)]
    assert shown == [
        "接口人甲 操作：确认接手",
        "状态变化：接口人甲（消息链接）：已确认，原话：liaison-a",
        "状态变化：liaison-ab：已确认",
    ]


def test_a_message_on_its_way_names_its_role_as_an_earlier_one_did() -> None:
    row: dict[str, Any] = defaultdict(lambda: None, role="liaison", request_id="r")
    assert told_view(row, {"liaison": {"zh": "接口人", "en": "Liaison"}})["role_words"]["zh"] == "接口人"
    assert told_view(row, {})["role_words"] is None
    row["role_words"] = {"zh": "值班接口人", "en": "Liaison on duty"}
    assert told_view(row, {"liaison": {"zh": "接口人", "en": "Liaison"}})["role_words"]["zh"] == "值班接口人"
