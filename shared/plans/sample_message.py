"""A made-up case of a plan at a level, and whom the plan tells: for previews of messages, never for sending."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import Language, Place
from shared.plans.compiled import CompiledPlan
from shared.plans.words import Words

NUMBER: Final = "2026-11-000123"
_HAPPENED_AGO: Final = timedelta(minutes=5)
_INFORMED: Final = Words(zh="知会", en="Informed")
_DUE_IN: Final = timedelta(hours=2)


def sample_subject(plan: CompiledPlan, level: str, language: Language, now: datetime) -> Subject:
    """What a message about such a case would say. Raises UnknownLevelError for a level the plan does not have."""
    zh = language == "zh"
    known, rank = plan.level(level), plan.rank(level)
    expected, tiers = plan.expected(level), plan.tiers_for(level)
    criterion = next((one for one in plan.plan.criteria if one.level == level), None)
    because = getattr(criterion.label, language) if criterion is not None else None
    return Subject(
        number=NUMBER,
        plan=plan.name,
        plan_title=getattr(plan.title, language),
        level=level,
        level_label=known.zh if zh else known.en,
        level_rank=rank,
        highest_rank=plan.highest_rank,
        because=because,
        title="示例事项标题" if zh else "Title of a sample case",
        topic="示例主题" if zh else "sample topic",
        place=Place(city="示例市" if zh else "Sample City", site="示例地点" if zh else "sample site"),
        expected=getattr(expected, language) if expected is not None else None,
        due_at=now + _DUE_IN,
        next_tier=getattr(tiers[1].label, language) if len(tiers) > 1 else None,
        occurred_at=now - _HAPPENED_AGO,
    )


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
