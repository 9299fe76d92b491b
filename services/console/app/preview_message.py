"""A message of a plan as the notifier would send it now, with made-up values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from services.console.channels.duty import DutyReader
from services.console.channels.questions import AwayError
from shared.contracts.notifications import Purpose
from shared.contracts.values import ChannelKind, Language
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary
from shared.plans.sample_message import sample_subject, told

CHANNELS: Final = tuple(ChannelKind)
PURPOSES: Final = tuple(Purpose)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person picked; what does not fit is replaced by the nearest that does."""

    plan: str
    level: str
    channel: ChannelKind
    purpose: Purpose
    language: Language


@dataclass(frozen=True, slots=True)
class PreviewView:
    """`problem`: why there is no message: no plan with levels, no notifier, it does not answer, or not for us."""

    plans: tuple[CompiledPlan, ...]
    choice: Choice | None
    plan: CompiledPlan | None
    message: dict[str, Any] | None
    problem: Literal["none", "away", "empty", "foreign"] | None = None


async def preview_message(
    org: str, wanted: dict[str, str], now: datetime, *, library: PlanLibrary, duty: DutyReader | None
) -> PreviewView:
    """`wanted` has plan, level, channel, purpose and language as they were written; any may be absent or wrong."""
    plans = tuple(one for one in library.plans if one.plan.levels)
    if not plans:
        return PreviewView((), None, None, None, "empty")
    plan = next((one for one in plans if one.name == wanted.get("plan")), plans[0])
    choice = _choice(plan, wanted)
    if duty is None:
        return PreviewView(plans, choice, plan, None, "none")
    body = {
        "purpose": choice.purpose.value,
        "channel": choice.channel.value,
        "language": choice.language,
        "subject": sample_subject(plan, choice.level, choice.language, now, choice.purpose).model_dump(mode="json"),
        "templates": [one.model_dump(mode="json") for one in plan.messages_for(choice.purpose, choice.level)],
        "groups": [
            {"label": one.label.as_contract().model_dump(), "roles": list(one.roles)}
            for one in told(plan, choice.level, choice.purpose)
        ],
    }
    try:
        found = await duty.preview(body)
    except AwayError:
        return PreviewView(plans, choice, plan, None, "away")
    if found.get("organisation") != org:
        return PreviewView(plans, choice, plan, None, "foreign")
    return PreviewView(plans, choice, plan, found)


def _choice(plan: CompiledPlan, wanted: dict[str, str]) -> Choice:
    levels = [one.id for one in plan.plan.levels]
    channels, purposes = {one.value: one for one in CHANNELS}, {one.value: one for one in PURPOSES}
    return Choice(
        plan.name,
        wanted["level"] if wanted.get("level") in levels else levels[-1],
        channels.get(wanted.get("channel", ""), ChannelKind.SMS),
        purposes.get(wanted.get("purpose", ""), Purpose.PAGE),
        "en" if wanted.get("language") == "en" else "zh",
    )
