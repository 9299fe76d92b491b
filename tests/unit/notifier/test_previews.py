"""Previews: the very text that would be sent, who would get it now, and nothing that could be used."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from services.escalator.domain.wording import both
from services.notifier.api.previews import previews_router
from services.notifier.app.rules import Choice, Links, Rosters, Rules
from services.notifier.domain.delivery import Bar, Policy
from services.notifier.domain.reach import Reach
from services.notifier.domain.roster_text import parse_roster
from services.notifier.domain.templates import read_templates
from shared.access.api_keys import ApiKey, Scope
from shared.contracts.notifications import Purpose
from shared.contracts.values import ChannelKind
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan
from shared.plans.sample_message import NEAR, REASONS, sample_subject, told
from shared.runtime.problems import install_problem_handlers
from tests.support.plans import SOUND

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ORG = "example"
ROSTER = """\
organisation: example
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 值班经理甲, en: Manager A}, contacts: [{channel: sms, to: "13800000001"}]}
  - {id: b, name: {zh: 值班经理乙, en: Manager B}, contacts: [{channel: email, to: b@example.org}]}
roles:
  - {id: clerk, name: {zh: 一线客服, en: Front line}, duty: [{person: a}]}
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: b}]}
"""
MESSAGES = """
messages:
  - {id: page, channel: sms, purpose: page, text: {zh: "本预案 {case}[，{place}]", en: "Ours {case}[, {place}]"}}
"""


async def _ask(wanted: dict[str, Any], org: str = ORG, choice: Choice | None = None) -> httpx.Response:
    roster = parse_roster(ROSTER, file="r.yaml")
    rules = Rules(
        rosters=cast("Rosters", SimpleNamespace(of=lambda asked: roster if asked == ORG else None)),
        providers={ChannelKind.SMS: ["gateway"], ChannelKind.EMAIL: ["mail"]},
        policy=Policy({}),
        links=Links(b"s" * 32, "https://fenghuo.example.org", "https://fenghuo.example.org", timedelta(hours=1)),
        answer_within=timedelta(seconds=10),
        max_sms_segments=6,
        choice=choice,
        templates=read_templates({}),
    )

    async def may_read() -> ApiKey:
        return ApiKey("00000000", b"", org, frozenset({Scope.READ}), "console", NOW)

    app = FastAPI()
    clock = SimpleNamespace(now=lambda: NOW)
    app.include_router(previews_router(rules, cast("Any", clock), cast("Any", may_read)))
    install_problem_handlers(app)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
        return await client.post("/v1/messages/preview", json=wanted)


def _wanted(**other: object) -> dict[str, Any]:
    plan = CompiledPlan.of(parse_plan(SOUND + MESSAGES, "plan.yaml"))
    purpose = Purpose(str(other.get("purpose", "page")))
    return {
        "purpose": "page",
        "channel": "sms",
        "language": "zh",
        "subject": sample_subject(plan, "grave", "zh", NOW, purpose).model_dump(mode="json"),
        "templates": [one.model_dump(mode="json") for one in plan.messages_for(purpose, "grave")],
        "groups": [
            {"label": one.label.as_contract().model_dump(), "roles": list(one.roles)}
            for one in told(plan, "grave", purpose)
        ],
    } | other


async def test_the_plan_s_text_is_shown_with_its_cost_and_with_the_people_of_this_moment() -> None:
    shown = (await _ask(_wanted())).json()
    assert shown["text"].startswith(
        "【烽火】本预案 2026-11-000123，示例市 示例地点。确认：https://fenghuo.example.org/a/xxx"
    )
    assert shown["sms"]["alphabet"] == "UCS-2"
    assert shown["sms"]["segments"] == -(-shown["sms"]["characters"] // 67)
    first, second = shown["readers"]
    assert (first["group"]["zh"], first["label"]["zh"]) == ("一线", "一线客服")
    assert [(one["label"]["zh"], one["to"], one["provider"]) for one in first["people"]] == [
        ("值班经理甲", "138****0001", "gateway")
    ]
    assert (second["people"][0]["to"], second["people"][0]["problem"]["zh"]) == (None, "没有这个渠道的联系方式")


async def test_a_telephone_number_in_a_title_is_blacked_out_as_in_the_message_itself() -> None:
    wanted = _wanted(channel="email", purpose="breach")
    wanted["subject"]["title"] = "请回电13800001234"
    shown = (await _ask(wanted)).json()
    assert "请回电" in shown["text"]
    assert "13800001234" not in shown["text"]


class _Routes:
    """Sends every number by these providers, whatever was in use."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def routed(self, ways: Reach, _: Mapping[str, str]) -> Reach:
        return Reach(tuple(replace(way, provider=name) for way in ways.routes for name in self._names), ways.skipped)

    def barred(self, _: datetime) -> Mapping[str, Bar]:
        return {}


async def test_the_provider_is_the_one_that_a_number_s_prefix_and_health_give_now() -> None:
    front, _ = (await _ask(_wanted(), choice=_Routes("second", "gateway"))).json()["readers"]
    assert front["people"][0]["provider"] == "second"
    front, _ = (await _ask(_wanted(), choice=_Routes())).json()["readers"]
    assert (front["people"][0]["to"], front["people"][0]["problem"]["zh"]) == (None, "没有服务商受理该号段")


async def test_a_role_that_nobody_has_is_said_to_have_nobody() -> None:
    (informed,) = (await _ask(_wanted(purpose="inform"))).json()["readers"]
    assert (informed["role"], informed["known"], informed["people"]) == ("director", False, [])


async def test_mail_is_shown_with_its_headline_and_only_pages_have_a_link() -> None:
    mail = (await _ask(_wanted(channel="email", purpose="breach"))).json()
    assert "已超时限" in mail["headline"]
    assert "示例事项标题" in mail["text"]
    assert "/a/" not in mail["text"]


@pytest.mark.parametrize(
    ("purpose", "sentence"),
    [(Purpose.WARN, "clock_warn"), (Purpose.BREACH, "clock_breach"), (Purpose.STAND_DOWN, "resolved")],
)
def test_a_preview_gives_the_reason_in_the_words_of_what_is_sent(purpose: Purpose, sentence: str) -> None:
    sent = both(sentence, clock="{clock}", threshold="{threshold}", due="{due}")
    assert (REASONS[purpose].zh, REASONS[purpose].en) == (sent.zh, sent.en)
    near = both("clock_warn_lead", clock="{clock}", left="{left}")
    assert (NEAR.zh, NEAR.en) == (near.zh, near.en)
    plan = CompiledPlan.of(parse_plan(SOUND, "plan.yaml"))
    shown = sample_subject(plan, "grave", "en", NOW, purpose)
    assert shown.because is not None
    assert "{" not in shown.because
    assert shown.because.split()[0] == sent.en.split()[0]


async def test_another_organisation_s_roster_is_not_read() -> None:
    shown = (await _ask(_wanted(), "other")).json()
    assert shown["roster_sha256"] is None
    assert all(not one["people"] for one in shown["readers"])


async def test_a_body_that_does_not_fit_is_refused_by_name() -> None:
    refused = await _ask(_wanted(channel="pigeon"))
    assert refused.status_code == 422
    assert "channel" in refused.text
