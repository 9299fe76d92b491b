"""What is said about rosters, to whom, and how it is told apart from what was said before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_check import Finding, FindingKind
from services.notifier.domain.roster_timeline import Handover
from shared.contracts.notifications import Subject
from shared.contracts.values import MAX_TEXT

PLAN: Final = "roster"
_LISTED: Final = 5
# These last until somebody puts them right: said again every week.
_LASTING: Final = frozenset({FindingKind.UNREACHABLE, FindingKind.UNSTAFFED})


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


def handover_key(handover: Handover) -> str:
    return f"handover/{handover.role}/{handover.at.isoformat()}"


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


def about_handover(roster: Roster, handover: Handover) -> Subject:
    """The message to both sides: who hands over to whom, and when."""
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
        because=f"{at} {_named(roster, handover.leaving)}交班，{_named(roster, handover.coming)}接班"[:MAX_TEXT],
        title=f"{role}交接班",
        expected="请当面或电话交接未办结事项",
        due_at=handover.at,
        occurred_at=handover.at,
    )


def _named(roster: Roster, people: Sequence[str]) -> str:
    return "、".join(roster.people[one].label.zh for one in people) or "无人"
