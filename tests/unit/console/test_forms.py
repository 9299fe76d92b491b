"""Forms of the case page: offered where they make sense, with the plan's own names to choose from."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.console.domain.actions import actions_for, is_offered
from services.console.domain.forms import FORMS, form_arguments, forms_for
from shared.contracts.commands import WITH_REASON, CommandKind
from shared.contracts.escalations import CaseState
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan
from tests.support.escalations import PLAN_TEXT

WITH_ALL = PLAN_TEXT.replace(
    "    breach: record\n", "    breach: record\n    extension: {approve_by: [head], by: 24h, to: 96h, count: 1}\n"
)
PLAN = CompiledPlan.of(
    parse_plan(
        WITH_ALL
        + """
bypass:
  - {id: police, words: {zh: 报警, en: Call the police}, dial: "110"}
""",
        "plan.yaml",
    )
)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def view(state: CaseState = CaseState.IN_PROGRESS, **fields: Any) -> dict[str, Any]:
    words = {"zh": "办结", "en": "Finish"}
    return {
        "plan": "ladder-test",
        "state": state.value,
        "level_rank": 2,
        "clocks": [
            {"id": "finish", "state": "running", "words": words},
            {"id": "submit", "state": "met", "words": words},
        ],
        **fields,
    }


def offered(case: dict[str, Any], plan: CompiledPlan | None = PLAN) -> dict[str, dict[str, Any]]:
    return {form["command"]: form for form in forms_for(case, plan)}


def options(form: dict[str, Any], name: str) -> list[str]:
    field = next(field for field in form["fields"] if field["name"] == name)
    return [one["id"] for one in field["options"]]


def test_choices_are_what_the_plan_and_the_case_have() -> None:
    forms = offered(view())
    assert options(forms["extension-request"], "clock") == ["finish"]
    assert options(forms["extension-approve"], "role") == ["head"]
    assert options(forms["lower-level"], "level") == ["yellow"]
    assert options(forms["milestone"], "milestone") == ["plan-submitted"]
    assert options(forms["bypass"], "way") == ["police"]
    assert options(forms["exclude"], "clock") == ["finish"]


def test_what_has_nothing_to_choose_from_is_left_out() -> None:
    stopped = view(clocks=[], level_rank=1)
    assert not {"extension-request", "extension-approve", "exclude", "restart", "lower-level"} & set(offered(stopped))
    assert "milestone" not in offered(view(), None)
    assert {"merge", "split", "withdraw", "cannot-handle"} <= set(offered(view(), None))


@pytest.mark.parametrize(
    ("state", "some", "none"),
    [
        (CaseState.CLASSIFIED, {"take-over", "cannot-handle", "merge"}, {"wait", "unacknowledge"}),
        (CaseState.IN_PROGRESS, {"wait", "unacknowledge", "withdraw"}, set()),
        (CaseState.RESOLVED, {"extension-request", "merge", "invalidate"}, {"wait", "cannot-handle", "take-over"}),
        (CaseState.MERGED, {"split", "complainant-told"}, {"merge", "withdraw", "wait"}),
    ],
)
def test_pointless_forms_are_kept_away(state: CaseState, some: set[str], none: set[str]) -> None:
    found = set(offered(view(state)))
    assert some <= found
    assert not none & found


def test_every_command_but_the_move_between_versions_can_be_sent_from_the_page() -> None:
    assert {kind for kind in CommandKind if not is_offered(kind)} == {CommandKind.MOVE_PLAN}
    buttons = {command for state in CaseState for command in actions_for([{"state": state.value}])}
    assert not buttons & {form.command.value for form in FORMS} - {"wait", "resolve"}


def test_a_reason_is_asked_for_exactly_where_the_contract_needs_one() -> None:
    forms = {name: form for state in CaseState for name, form in offered(view(state)).items()}
    assert {name for name, form in forms.items() if form["reason_needed"]} == {
        "cannot-handle",
        "extension-request",
        "extension-deny",
        "exclude",
        "restart",
        "lower-level",
        "split",
        "invalidate",
    }
    assert all(form.reason_needed == (form.command in WITH_REASON) for form in FORMS)


def test_an_instant_of_a_browser_is_one_of_the_consoles_zone() -> None:
    given = {"until": "2026-11-23T09:00", "reason_code": "", "into": "x"}
    assert form_arguments("wait", given, SHANGHAI) == {"until": "2026-11-23T09:00:00+08:00"}
    with pytest.raises(ValueError, match="tomorrow"):
        form_arguments("wait", {"until": "tomorrow"}, SHANGHAI)
