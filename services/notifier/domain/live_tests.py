"""A live test asks people whether messages reach them: who is asked, what they read, when the next one is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_duty import on_duty
from shared.contracts.notifications import LIVE_TEST_PLAN, Subject, SubjectWords

SCHEDULE: Final = "schedule"
_HOUR: Final = 10
_NUMBERS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to ask: those on duty for a role now, one person, or (neither given) everybody who is not on leave."""

    role: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one person; `answered_at` is absent until there is one."""

    person: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class LiveTest:
    """An answer counts until `ends_at`; a later one is kept and shown."""

    id: UUID
    org: str
    number: str
    made_by: str
    asked_at: datetime
    ends_at: datetime
    answers: tuple[Answer, ...]

    def unanswered(self) -> tuple[str, ...]:
        """Those who did not answer in time."""
        return tuple(one.person for one in self.answers if one.answered_at is None or one.answered_at > self.ends_at)

    def is_over(self, now: datetime) -> bool:
        """True when everybody has answered or the time is up: the outcome does not change any more."""
        return now > self.ends_at or not self.unanswered()


def people_to_ask(roster: Roster, wanted: Wanted, now: datetime) -> tuple[str, ...]:
    """Roster ids. Raises LookupError with the name of a role or person that the roster does not have."""
    if wanted.role is not None:
        if wanted.role not in roster.roles:
            raise LookupError(wanted.role)
        return tuple(one.person.id for one in on_duty(roster, wanted.role, now))
    if wanted.person is not None:
        if wanted.person not in roster.people:
            raise LookupError(wanted.person)
        return (wanted.person,)
    return tuple(one.id for one in roster.people.values() if one.contacts and one.absence_at(now) is None)


def number_of(test_id: UUID, now: datetime) -> str:
    """What people call it by; it looks like no case of intake's."""
    return f"T-{now:%Y-%m}-{test_id.int % _NUMBERS:06d}"


def about_test(number: str, now: datetime) -> Subject:
    """Of the highest rank: a test that quiet hours keep back would prove nothing."""
    return Subject(
        number=number,
        plan=LIVE_TEST_PLAN,
        plan_title="值班联络测试",
        level=None,
        level_label="测试",
        level_rank=1,
        highest_rank=1,
        because=None,
        title="联络测试，没有发生事件",
        expected="只需点开链接确认收到",
        occurred_at=now,
        en=SubjectWords(
            plan_title="Test of the duty roster",
            level_label="Test",
            title="A test of whether you can be reached; nothing happened",
            expected="Only follow the link to confirm",
        ),
    )


def due_key(roster: Roster, now: datetime, every_days: int) -> str | None:
    """By what the scheduled test of today is told apart; None when none is due. Local days, from ten o'clock on."""
    local = now.astimezone(roster.zone)
    if every_days < 1 or local.hour < _HOUR or local.toordinal() % every_days:
        return None
    return f"live-test/{local:%Y-%m-%d}"


def role_for(roster: Roster, wanted: Wanted, people: Sequence[str], now: datetime) -> str:
    """The role that the request names: the one asked for, else one that somebody of them holds now, else any."""
    if wanted.role is not None:
        return wanted.role
    held = (one for one in roster.roles if {duty.person.id for duty in on_duty(roster, one, now)} & set(people))
    return next(held, next(iter(roster.roles)))
