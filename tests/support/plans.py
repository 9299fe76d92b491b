"""Small plans for tests: a sound one as text, and cases to judge."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.contracts.values import CaseKind, FactValue, Place
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan
from shared.plans.windows import CaseView

PACKS = Path(__file__).resolve().parents[2] / "deploy" / "plans"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

SOUND = """\
plan: sample
version: 1
title: {zh: 样例, en: Sample}
timezone: Asia/Shanghai
applies: {kinds: [complaint, incident], default: true}
levels:
  - {id: mild, zh: 轻微, en: Mild}
  - {id: grave, zh: 严重, en: Grave}
milestones:
  - {id: answered, zh: 已答复, en: Answered}
parameters:
  wait: {value: 15m, assumed: true, note: {zh: 未规定, en: Not stated}}
  many: {value: 3}
facts:
  people: {int: {min: 0}}
  media: {enum: [city, province]}
  hurt: bool
  expected_at: instant
windows:
  today: {count: complaint, per: day, by: [topic]}
  by_person: {count: complaint, per: 24h sliding, by: [complainant, topic]}
criteria:
  - {id: many-people, level: grave, when: people >= 10, label: {zh: 人多, en: Many people}}
  - {id: some-people, level: mild, when: many <= people < 10, label: {zh: 有人, en: Some people}}
  - {id: many-today, level: mild, when: today > 2, label: {zh: 当日多件, en: Many today}}
  - {id: again, level: grave, when: by_person > 1 and hurt, label: {zh: 再次, en: Again}}
  - {id: soon, level: mild, when: until(expected_at) <= 3h, label: {zh: 临近, en: Soon}}
clocks:
  - {id: answer, label: {zh: 答复, en: Answer}, from: received, until: answered, limit: 2h, warn: ["50%", "-10m"]}
  - id: press
    label: {zh: 媒体, en: Press}
    from: classified
    until: closed
    limit: 15wd
    levels: [grave]
    when: media == 'province'
tiers:
  - {id: first, zh: 一线, en: First, roles: [clerk], acknowledge_within: {parameter: wait}, repeat: 1}
  - {id: second, zh: 主管, en: Second, roles: [head], levels: [grave]}
notify:
  grave: [director]
calendar: china
"""


def compiled(text: str = SOUND) -> CompiledPlan:
    return CompiledPlan.of(parse_plan(text, "plan.yaml"))


def create_case(facts: Mapping[str, FactValue] | None = None, **changes: Any) -> CaseView:
    values: dict[str, Any] = {
        "case_id": UUID(int=1),
        "kind": CaseKind.COMPLAINT,
        "org": "acme",
        "topic": "roaming",
        "category": None,
        "channel": "phone",
        "complainant_ref": "a" * 32,
        "place": Place(city="长春"),
        "occurred_at": NOW,
        "received_at": NOW,
        "facts": facts or {},
        "source": "crm",
    }
    return CaseView(**(values | changes))
