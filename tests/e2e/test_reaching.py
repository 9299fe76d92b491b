"""Whether people are reached, as they see it: tests of themselves, the plan's words, nobody there; all of it real."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.e2e.test_whole_line import case, complaint
from tests.support.broker import Broker
from tests.support.line import ROOT, Line, running_line

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("line")]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Line]:
    with running_line(tmp_path_factory.mktemp("reaching"), broker) as running:
        yield running


def _follow(link: str) -> httpx.Response:
    """Open the link and press its button, as a person does."""
    page = httpx.get(link)
    return httpx.post(link, data=dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', page.text)))


def _link_of_test(line: Line) -> str | None:
    tests = line.messages(containing="【测试】")
    return next((link for message in tests for link in message["links"] if "/a/" in link), None)


def test_a_live_test_tells_who_answered_after_how_long(line: Line) -> None:
    command = [sys.executable, "-m", "services.command_line", "roster", "live-test"]
    wait = ["--role", "business-liaison", "--wait", "90s"]
    env = {
        **line._env,
        "FENGHUO_API_KEY": line.credentials["api_key"],
        "FENGHUO_NOTIFIER_URL": line.credentials["notifier_url"],
    }
    with subprocess.Popen(
        [*command, *wait], env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as asking:
        link = line.eventually(lambda: _link_of_test(line), within=60, what="the test's message with its link")
        assert _follow(link).is_success
        said, _ = asking.communicate(timeout=120)
    assert asking.returncode == 0, said
    assert re.search(r"liaison-[abc]\s+\d+ s", said)
    with line.client("console") as client:
        assert client.get("/v1/dead-letters").json()["dead_letters"] == []


def _roster(line: Line, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        **line._env,
        "FENGHUO_API_KEY": line.credentials["api_key"],
        "FENGHUO_NOTIFIER_URL": line.credentials["notifier_url"],
        "FENGHUO_INTAKE_URL": line.credentials["intake_url"],
    }
    command = [sys.executable, "-m", "services.command_line", "roster", *arguments]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def _sms(line: Line, sender: str, text: str) -> str:
    with line.client("intake") as client:
        answer = client.get("/v1/sms/kannel", params={"from": sender, "text": text, "id": text})
    assert answer.status_code == 200, answer.text
    return answer.text


def _code(line: Line, *, before: int) -> str:
    def texts() -> list[str]:
        found = [one["text"] for one in line.messages(containing="【验证】") if one["kind"] == "sms"]
        return found if len(found) > before else []

    found: list[str] = line.eventually(texts, what="the message with the code")
    return str(re.findall(r"验证 (\d{6})", found[-1])[0])


def test_a_contact_point_is_verified_by_a_code_handed_in_and_by_one_sent_back(line: Line) -> None:
    def state() -> dict[str, Any]:
        found = json.loads(_roster(line, "contacts", "liaison-b", "--json").stdout)
        return next(one for one in found["contacts"] if one["contact"] == "sms-1")

    assert state()["how"] == "roster"
    sent = _roster(line, "verify", "liaison-b", "sms-1")
    assert sent.returncode == 0, sent.stderr
    code = _code(line, before=0)
    wrong = _roster(line, "confirm", "liaison-b", "000000" if code != "000000" else "111111")
    assert (wrong.returncode, "4" in wrong.stdout) == (1, True), wrong.stdout + wrong.stderr
    right = _roster(line, "confirm", "liaison-b", code)
    assert right.returncode == 0, right.stdout + right.stderr
    assert state()["how"] == "code"
    assert _roster(line, "confirm", "liaison-b", code).returncode == 1, "a code counts once"
    assert _roster(line, "verify", "liaison-b", "sms-1").returncode == 0
    assert "已收到验证码" in _sms(line, state()["address"].replace("****", "0000"), f"验证 {_code(line, before=1)}")
    line.eventually(lambda: state()["how"] == "sms", what="verified by the reply")
    with line.client("console") as client:
        assert client.get("/v1/dead-letters").json()["dead_letters"] == []


def test_replies_by_sms_acknowledge_all_hand_on_and_resolve(line: Line) -> None:
    numbers = []
    for name in ("all", "beyond"):
        posted = line.post("/v1/complaints", complaint(f"sms-{name}", line="network", customers_affected=50_001))
        numbers.append(posted["number"])

    def page() -> dict[str, Any] | None:
        both = [{one["to"] for one in line.messages(containing=number) if one["kind"] == "sms"} for number in numbers]
        return next(({"to": to} for to in both[0] & both[1]), None)

    phone = line.eventually(page, what="two pages to one phone")["to"]
    assert "无法处理" not in case(line, numbers[1]).get("because", "")
    assert "已转交" in _sms(line, phone, f"无法处理 {numbers[1]} 不在职责范围")
    line.eventually(lambda: case(line, numbers[1]).get("tier") == "department", what="the next tier")
    assert "已签收" in _sms(line, phone, "全部签收")
    line.eventually(lambda: case(line, numbers[0]).get("acknowledged_at"), what="acknowledged by SMS")
    assert case(line, numbers[0])["acknowledged_by"]["kind"] == "sms"
    assert "已报解决" in _sms(line, phone, f"已解决 {numbers[0]} 已更换设备")
    line.eventually(lambda: case(line, numbers[0]).get("state") == "resolved", what="resolved by SMS")


def test_a_page_is_in_the_plan_s_words_as_the_preview_shows_them(line: Line) -> None:
    number = line.post("/v1/complaints", complaint("words", line="network", customers_affected=50_001))["number"]
    texts = line.eventually(
        lambda: [one["text"] for one in line.messages(containing=number) if one["kind"] == "sms"], what="the page"
    )
    assert f"【烽火】红色预警 {number}：宽带无法上网，四川 成都。请立即牵头处理" in texts[0]
    assert re.search(r"依据：[^。]*50001.*请于20\d\d-\d\d-\d\d \d\d:\d\d前确认", texts[0])


def test_a_complainant_who_asked_is_told_the_result_and_one_who_did_not_is_not(line: Line) -> None:
    numbers = {}
    for name, more in (("asked", {"tell": "sms"}), ("silent", {})):
        person = {"name": "投诉人甲", "phone": f"1380000{'77' if more else '88'}01"} | more
        body = complaint(f"notice-{name}", category="school-canteen", people=1) | {"complainant": person}
        numbers[name] = line.post("/v1/complaints", body | {"plans": ["school-canteen-complaint"]})
    for found in numbers.values():
        line.eventually(partial(case, line, found["number"]), what="the case on the board")
        line.post(f"/v1/cases/{found['case_id']}/commands", {"command": "resolve", "reason": "已当面答复"})
    (message,) = line.eventually(
        lambda: [one for one in line.messages(containing="您反映的事项") if one["to"] == "13800007701"],
        what="the notice",
    )
    assert f"（编号{numbers['asked']['number']}）：您的投诉已处理" in message["text"]

    def told() -> list[dict[str, Any]]:
        with line.client("console") as client:
            plans = client.get(f"/v1/cases/{numbers['asked']['case_id']}/explain").json()["plans"]
        return [one for plan in plans for one in plan["told"] if one["role"] == "complainant"]

    line.eventually(lambda: {one["settlement"] for one in told()} == {"delivered"}, what="told, in the explanation")
    assert not [one for one in line.messages() if one["to"] == "13800008801"]


def test_a_complainant_is_told_how_it_came_out_where_the_plan_says_so(line: Line) -> None:
    person = {"name": "投诉人甲", "phone": "13800007801", "tell": "sms"}
    body = complaint("outcome", category="customer-complaint") | {"complainant": person}
    found = line.post("/v1/complaints", body | {"plans": ["service-quality-accident"]})
    line.eventually(partial(case, line, found["number"]), what="the case on the board")
    outcome = {"outcome": "已更换光猫，退费30元，经办13800007802"}
    line.post(f"/v1/cases/{found['case_id']}/commands", {"command": "resolve", "reason": "内部", "arguments": outcome})

    def told() -> list[str]:
        return [one["text"] for one in line.messages(containing="处理结果：") if one["to"] == "13800007801"]

    (text,) = line.eventually(told, what="the outcome at the complainant's phone")
    assert "您反映的服务" in text
    assert "处理结果：已更换光猫，退费30元" in text
    assert "13800007802" not in text
    assert "内部" not in text


def test_a_role_without_anybody_is_seen_counted_and_passed_to_the_next_tier(line: Line) -> None:
    with line.client("notifier") as client:
        for person in ("liaison-a", "liaison-b", "liaison-c"):
            leave = {"kind": "leave", "person": person, "from": "2020-01-01T00:00:00+08:00", "reason": "全员休假"}
            answer = client.post("/v1/roster/changes", json=leave | {"to": "2099-01-01T00:00:00+08:00"})
            assert answer.is_success, answer.text
    number = line.post("/v1/complaints", complaint("nobody", line="network", customers_affected=50_001))["number"]
    line.eventually(lambda: case(line, number).get("tier") == "department", what="the next tier, without a wait")
    found = case(line, number)

    def nobody() -> list[dict[str, Any]]:
        with line.client("console") as client:
            told = client.get(f"/v1/cases/{found['case_id']}/explain").json()["plans"][0]["told"]
        return [one for one in told if one["settlement"] == "nobody"]

    (one,) = line.eventually(nobody, what="nobody told, in the explanation")
    assert one["role_words"]["zh"] == "部门接口人"
    assert "无人值班" in one["reason_words"]["zh"]
    assert line.metric("notifier", "fenghuo_nobody_reached_total", role="business-liaison") >= 1


def test_a_late_answer_to_a_merged_case_counts_for_the_one_that_goes_on_and_one_message_answers_for_both(
    line: Line,
) -> None:
    old, new, other = (
        line.post("/v1/complaints", complaint(f"merged-{name}", line="network", customers_affected=50_001))
        for name in ("old", "new", "other")
    )
    link, phone = line.eventually(
        lambda: next(
            ((found[0], one["to"]) for one in line.messages(containing=old["number"])
             if one["kind"] == "sms" and (found := [url for url in one["links"] if "/a/" in url])), None),
        what="the page of the case that will be merged",
    )  # fmt: skip
    merge = {"command": "merge", "actor": {"ref": "manager-a"}, "arguments": {"into": new["number"]}}
    line.post(f"/v1/cases/{old['case_id']}/commands", merge)
    line.eventually(lambda: case(line, old["number"]).get("state") == "merged", what="merged")
    line.eventually(lambda: f"已并入 {new['number']}" in httpx.get(link).text, what="the page names what goes on")
    assert f"已并入 {new['number']}" in httpx.post(link).text
    line.eventually(lambda: case(line, new["number"]).get("state") == "acknowledged", what="what goes on acknowledged")
    assert case(line, new["number"])["acknowledged_by"]["kind"] == "link"
    assert case(line, old["number"])["state"] == "merged"

    told = _sms(line, phone, f"签收 {old['number']}、{other['number']}").splitlines()
    assert told[0].startswith(f"已确认 {old['number']}")
    assert new["number"] in told[0]
    assert told[1] == f"已确认 {other['number']} / acknowledged"
    line.eventually(lambda: case(line, other["number"]).get("state") == "acknowledged", what="the second one named")
    with line.client("console") as client:
        assert client.get("/v1/dead-letters").json()["dead_letters"] == []
