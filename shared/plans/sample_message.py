"""A made-up case of a plan at a level, with a value for every place of a message: for previews, never for sending."""

from datetime import datetime, timedelta
from typing import Final

from shared.contracts.notifications import Subject
from shared.contracts.values import Language, Place
from shared.plans.compiled import CompiledPlan

NUMBER: Final = "2026-11-000123"
_HAPPENED_AGO: Final = timedelta(minutes=5)
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
