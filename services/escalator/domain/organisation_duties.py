"""Duties of an organisation itself, which no case brings about: when they are due, and what is said about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from services.escalator.domain import limits, wording
from services.escalator.domain.case_duties import working_day, zone_of
from services.escalator.domain.decision import INFORM_CHANNELS
from services.escalator.domain.time_bases import Rules
from shared.contracts.notifications import NotificationRequestedV1, Purpose, Subject, SubjectWords
from shared.plans.obligations import CompiledDuty
from shared.plans.rounds import due_between, next_due

_NAMESPACE: Final = UUID("6e0b9f0e-9a5e-5c55-8f0a-0d2b8a5d7c11")
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class DutyOf:
    """One duty of one organisation, by the rules as they hold for it."""

    org: str
    rules: Rules
    duty: CompiledDuty

    @property
    def key(self) -> tuple[str, str, str]:
        return self.org, self.rules.plan.name, self.duty.id

    @property
    def schedule(self) -> str:
        """What says when it comes round: another text is another schedule, which begins when it is first seen."""
        duty = self.duty
        parts = (duty.every, ",".join(duty.on), ",".join(duty.at), duty.if_day_off, self.rules.plan.plan.timezone)
        return " ".join(part or "-" for part in parts)

    def next_due(self, after: datetime) -> datetime | None:
        """The first instant after this one; None when never again."""
        return next_due(self.duty, after, zone_of(self.rules), working_day(self.rules))

    def due_between(self, after: datetime, until: datetime) -> tuple[datetime, ...]:
        """Every instant in (after, until]."""
        return tuple(due_between(self.duty, after, until, zone_of(self.rules), working_day(self.rules)))


def subject_id(duty: DutyOf, due_at: datetime) -> UUID:
    """What stands for the case in the envelope of a round: the same for the same round, whoever tells it."""
    return uuid5(_NAMESPACE, f"{'/'.join(duty.key)}/{due_at.isoformat()}")


def number_of(duty: DutyOf, due_at: datetime) -> str:
    """For example `D-2026-11-30-4F2A1C`, by the day of the plan's zone."""
    day = due_at.astimezone(zone_of(duty.rules)).date()
    return f"D-{day.isoformat()}-{subject_id(duty, due_at).hex[:_DIGITS].upper()}"


def request_for(duty: DutyOf, due_at: datetime, now: datetime) -> NotificationRequestedV1:
    """Tell the duty's roles of this round."""
    plan, spec = duty.rules.plan, duty.duty
    until = limits.end_of(duty.rules, spec.within, due_at) if spec.within is not None else None
    because = wording.both("duty_due", duty=spec.words or spec.id)
    title = spec.words
    return NotificationRequestedV1(
        request_id=uuid5(subject_id(duty, due_at), "request"),
        purpose=Purpose.INFORM,
        roles=spec.roles,
        channels=INFORM_CHANNELS,
        step=0,
        subject=Subject(
            number=number_of(duty, due_at),
            plan=plan.name,
            plan_title=plan.title.zh,
            level=None,
            level_label=None,
            level_rank=0,
            highest_rank=max(1, plan.highest_rank),
            because=because.zh,
            title=title.zh if title is not None else spec.id,
            due_at=until,
            occurred_at=due_at,
            en=SubjectWords(plan_title=plan.title.en, title=title.en if title is not None else None),
            because_other=because.en,
        ),
        requested_at=now,
        templates=plan.messages_for(Purpose.INFORM, None),
    )
