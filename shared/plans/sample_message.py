"""A made-up case of a plan at a level, and whom the plan tells: for previews of messages, never for sending."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import Language, Place
from shared.plans.compiled import CompiledPlan
from shared.plans.description_words import length
from shared.plans.words import Words

NUMBER: Final = "2026-11-000123"
_HAPPENED_AGO: Final = timedelta(minutes=5)
_INFORMED: Final = Words(zh="知会", en="Informed")
_DUE_IN: Final = timedelta(hours=2)


REASONS: Final = {
    Purpose.WARN: Words(zh="时限 {clock} 已到 {threshold}", en="clock {clock} passed {threshold}"),
    Purpose.BREACH: Words(zh="时限 {clock} 已超时，应于 {due} 前完成", en="clock {clock} ran out; it was due at {due}"),
    Purpose.STAND_DOWN: Words(zh="已解决", en="resolved"),
}
NEAR: Final = Words(zh="时限 {clock} 距到期不超过{left}", en="clock {clock} is within {left} of its end")
"""Why people are told where it is not the level, as the escalator words it; `NEAR` of a warning that leads the end."""


def sample_subject(
    plan: CompiledPlan, level: str, language: Language, now: datetime, purpose: Purpose = Purpose.PAGE
) -> Subject:
    """What a message about such a case would say. Raises UnknownLevelError for a level the plan does not have."""
    zh = language == "zh"
    known, rank = plan.level(level), plan.rank(level)
    expected, tiers = plan.expected(level), plan.tiers_for(level)
    return Subject(
        number=NUMBER,
        plan=plan.name,
        plan_title=getattr(plan.title, language),
        level=level,
        level_label=known.zh if zh else known.en,
        level_rank=rank,
        highest_rank=plan.highest_rank,
        because=_because(plan, level, language, now, purpose),
        title="示例事项标题" if zh else "Title of a sample case",
        topic="示例主题" if zh else "sample topic",
        place=Place(city="示例市" if zh else "Sample City", site="示例地点" if zh else "sample site"),
        expected=getattr(expected, language) if expected is not None else None,
        due_at=_due_at(now, purpose),
        next_tier=getattr(tiers[1].label, language) if len(tiers) > 1 else None,
        occurred_at=now - _HAPPENED_AGO,
    )


def _because(plan: CompiledPlan, level: str, language: Language, now: datetime, purpose: Purpose) -> str | None:
    clocks = [one for one in plan.clocks if not one.levels or level in one.levels]
    words = REASONS.get(purpose)
    clock = next((one for one in clocks if one.warn), clocks[0]) if clocks else None
    threshold = clock.warn[0].text if clock is not None and clock.warn else "50%"
    if purpose is Purpose.WARN and threshold.startswith("-"):
        words = NEAR
    if words is None or (purpose is not Purpose.STAND_DOWN and not clocks):
        criterion = next((one for one in plan.plan.criteria if one.level == level), None)
        return getattr(criterion.label, language) if criterion is not None else None
    due = _due_at(now, purpose)
    values = {
        "clock": getattr(clock.label, language) if clock is not None else "",
        "threshold": threshold,
        "left": getattr(length(threshold[1:]), language),
        "due": f"{due.astimezone(plan.zone):%Y-%m-%d %H:%M}" if due is not None else "",
    }
    return str(getattr(words, language)).format(**values)


def _due_at(now: datetime, purpose: Purpose) -> datetime | None:
    """What is over has no end any more; what ran out had one."""
    return {Purpose.STAND_DOWN: None, Purpose.BREACH: now - _HAPPENED_AGO}.get(purpose, now + _DUE_IN)


@dataclass(frozen=True, slots=True)
class Told:
    """Roles that a message goes to together, and as what: a tier, a limit, those informed."""

    label: Words
    roles: tuple[str, ...]


def told(plan: CompiledPlan, level: str, purpose: Purpose) -> tuple[Told, ...]:
    """Whom the plan has told at this level for this purpose, in its order; conditions on facts are taken to hold.

    Raises UnknownLevelError.
    """
    plan.rank(level)
    tiers = [one for one in plan.tiers if not one.levels or level in one.levels]
    ladder = [Told(one.label, one.roles) for one in tiers]
    ladder += [
        Told(Words(zh=f"{one.label.zh}（非工作时间）", en=f"{one.label.en} (off hours)"), one.off_hours)
        for one in tiers
        if one.off_hours
    ]
    informed = [Told(_INFORMED, plan.informed(level))]
    informed += [
        Told(one.words or Words(zh=one.id, en=one.id), one.roles)
        for one in plan.informs
        if not one.levels or level in one.levels
    ]
    first = tiers[0].roles if tiers else plan.informed(level)
    limits = [
        Told(one.label, one.notify_roles or first) for one in plan.clocks if not one.levels or level in one.levels
    ]
    found = {
        Purpose.PAGE: ladder,
        Purpose.INFORM: informed,
        Purpose.WARN: limits,
        Purpose.BREACH: limits,
        Purpose.STAND_DOWN: [*ladder, *informed],
    }[purpose]
    return tuple(one for one in found if one.roles)
