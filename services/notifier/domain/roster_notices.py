"""What is said about rosters, to whom, and how it is told apart from what was said before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_check import Finding, FindingKind
from services.notifier.domain.roster_timeline import Handover
from shared.contracts.notifications import MessageTemplate, Subject
from shared.contracts.values import MAX_TEXT

PLAN: Final = "roster"
_LISTED: Final = 5
# About no case: number, level and plan would only take room from what is said.
TEMPLATES: Final = (
    MessageTemplate(
        form="sms",
        zh="{what}：{because}。{expected}[。本消息迟到{late}]",
        en="{what}: {because}. {expected}[. Late by {late}]",
    ),
    MessageTemplate(form="subject", zh="{what}", en="{what}"),
    MessageTemplate(form="voice", zh="{what}。{because}。{expected}。", en="{what}. {because}. {expected}."),
)
_HANDED_OVER: Final = "请当面或电话交接未办结事项"
_NOTHING_OPEN: Final = "请当面或电话交接班"
# These last until somebody puts them right: said again every week.
_LASTING: Final = frozenset({FindingKind.UNREACHABLE, FindingKind.UNVERIFIED, FindingKind.UNSTAFFED})


def keys_of(found: Finding, begins_at: datetime, ends_at: datetime) -> frozenset[str]:
    """By what a finding is known again while the checked time moves on: its beginning and its end, where they show.

    It is new only when none of its keys was announced.
    """
    what = f"{found.kind}/{found.role or ''}/{found.person or ''}"
    year, week, _ = begins_at.isocalendar()
    if found.kind in _LASTING:
        return frozenset({f"{what}/{year}-{week}"})
    keys = set()
    if found.begins_at > begins_at:
        keys.add(f"{what}/from {found.begins_at.isoformat()}")
    if found.ends_at < ends_at:
        keys.add(f"{what}/to {found.ends_at.isoformat()}")
    return frozenset(keys or {f"{what}/{year}-{week}"})


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that is handed over."""

    number: str
    level_label: str | None
    acknowledged: bool


def handover_key(handover: Handover, *, passed: bool) -> str:
    """One key for the notice ahead, one for the moment itself."""
    return f"handover{'-now' if passed else ''}/{handover.role}/{handover.at.isoformat()}"


def about_findings(found: Sequence[Finding], days: int, now: datetime) -> Subject:
    """The message to the owner of the roster: how many, and the first ones."""
    gaps = sum(one.is_gap for one in found)
    more = f"；另有{len(found) - _LISTED}处" if len(found) > _LISTED else ""
    return Subject(
        number="ROSTER",
        plan=PLAN,
        plan_title="值班表检查",
        level=None,
        level_label=None,
        level_rank=0,
        highest_rank=1,
        because=("；".join(one.what.zh for one in found[:_LISTED]) + more)[:MAX_TEXT],
        title=f"今后{days}天值班表有{len(found)}处问题，其中缺口{gaps}处",
        expected="请尽快安排人员或更正值班表",
        occurred_at=now,
    )


def about_handover(roster: Roster, handover: Handover, cases: Sequence[OpenCase], *, passed: bool) -> Subject:
    """The message to both sides: who hands over to whom, when, and which cases. `passed`: duty passes now."""
    role = roster.roles[handover.role].label.zh
    at = f"{handover.at.astimezone(roster.zone):%Y-%m-%d %H:%M}"
    return Subject(
        number="ROSTER",
        plan=PLAN,
        plan_title="值班交接",
        level=None,
        level_label=None,
        level_rank=0,
        highest_rank=1,
        because=(
            f"{at} {_named(roster, handover.leaving)}交班，{_named(roster, handover.coming)}接班；{_listed(cases)}"
        )[:MAX_TEXT],
        title=f"{role}{'现在' if passed else ''}交接班",
        expected=_HANDED_OVER if cases else _NOTHING_OPEN,
        due_at=handover.at,
        occurred_at=handover.at,
    )


def _listed(cases: Sequence[OpenCase]) -> str:
    if not cases:
        return "无未办结事项"
    shown = "、".join(
        f"{one.number}（{one.level_label or '未定级'}，{'已确认' if one.acknowledged else '未确认'}）"
        for one in cases[:_LISTED]
    )
    more = f"，另有{len(cases) - _LISTED}件" if len(cases) > _LISTED else ""
    return f"未办结{len(cases)}件：{shown}{more}"


def _named(roster: Roster, people: Sequence[str]) -> str:
    return "、".join(roster.people[one].label.zh for one in people) or "无人"
