"""Who is to be told, and who was: topics `notifications-requested` and `notifications-settled`."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID, uuid5

from pydantic import Field

from shared.contracts.values import (
    Bilingual,
    CaseKind,
    ChannelKind,
    Contract,
    Instant,
    Language,
    LevelRank,
    Name,
    Place,
    Slug,
    Text,
)

COMPLAINANT: Final = "complainant"
"""In the place of a role in settlements of notices to complainants, who are in no roster."""

LIVE_TEST_PLAN: Final = "live-test"
"""In the place of a plan in tests of whether people can be reached: the notifier alone knows such a case."""

CONTACT_CHECK_PLAN: Final = "contact-check"
"""In the place of a plan where somebody is to prove that an address is theirs: the notifier alone knows such a case."""

KEPT_PLANS: Final = frozenset({LIVE_TEST_PLAN, CONTACT_CHECK_PLAN})
"""What no plan may be called: requests of these are of the people named in them, roles only say what for."""


class Purpose(StrEnum):
    PAGE = "page"  # act now and acknowledge
    INFORM = "inform"  # know it
    WARN = "warn"  # a clock is about to run out
    BREACH = "breach"  # a clock ran out
    STAND_DOWN = "stand-down"  # it is over


MessageForm = Literal["subject", "email", "sms", "voice"]


class MessageTemplate(Contract):
    """The plan's own text for one form of a message, in both languages, with named places such as `{case}`."""

    form: MessageForm
    zh: Text
    en: Text


class SubjectWords(Contract):
    """What stands in a message to readers of another language instead of the words of a subject; absent: the same."""

    plan_title: Text | None = None
    level_label: Text | None = None
    because: Text | None = None
    title: Text | None = None
    expected: Text | None = None
    next_tier: Text | None = None


class Subject(Contract):
    """What the message says: everything a template may use, so that the notifier asks nobody."""

    number: Annotated[str, Field(max_length=40)]
    plan: Slug
    plan_title: Text
    level: Slug | None
    level_label: Text | None
    level_rank: LevelRank
    highest_rank: Annotated[int, Field(ge=1)]
    because: Annotated[Text | None, Field(description="The criterion that fired with the values it read")]
    title: Text | None = None
    topic: Name | None = None
    kind: Annotated[CaseKind | None, Field(description="A warning case stands for the single cases of its topic")] = (
        None
    )
    place: Place = Place()
    expected: Annotated[Text | None, Field(description="What the receiver must do")] = None
    due_at: Instant | None = None
    next_tier: Text | None = None
    occurred_at: Instant
    en: Annotated[SubjectWords | None, Field(description="For readers of English, where they differ")] = None
    zh: Annotated[SubjectWords | None, Field(description="For readers of Chinese, where they differ")] = None
    because_other: Annotated[
        Text | None, Field(description="`because` for the readers whose words are in `en` or `zh`")
    ] = None


def notice_id(case_id: UUID, plan: str, notice: str, at: datetime) -> UUID:
    """What names one notice to a complainant: the plan's notice of this id that fell due at this instant."""
    return uuid5(case_id, f"{plan}/notice/{notice}/{at.astimezone(UTC).isoformat(timespec='microseconds')}")


class NotificationRequestedV1(Contract):
    """Tell these roles, by these channels in this order of preference. The notifier finds the people on duty.

    `step` identifies the step of the ladder: a later step of the same case supersedes an undelivered earlier one.
    """

    TYPE: ClassVar[str] = "fenghuo.notification.requested.v1"

    request_id: UUID
    purpose: Purpose
    roles: Annotated[tuple[Slug, ...], Field(min_length=1)]
    channels: Annotated[tuple[ChannelKind, ...], Field(min_length=1)]
    all_channels: Annotated[bool, Field(description="Message and call together, not one after the other")] = False
    acknowledge: Annotated[bool, Field(description="Carries an acknowledgement link")] = False
    step: Annotated[int, Field(ge=0)]
    subject: Subject
    language: Language = "zh"
    requested_at: Instant
    stale_after: Annotated[Instant | None, Field(description="After this the message says how late it is")] = None
    excluded: Annotated[tuple[Name, ...], Field(description="Recused people, by roster id")] = ()
    people: Annotated[tuple[Name, ...], Field(description="Told beside the roles, by roster id")] = ()
    contact: Annotated[Name | None, Field(description="Only this contact point of the people, by roster id")] = None
    in_place_of: Annotated[
        Name | None, Field(description="Only `people` are told, because this person could not be reached, by roster id")
    ] = None
    templates: Annotated[
        tuple[MessageTemplate, ...], Field(max_length=4, description="The plan's own texts for this message")
    ] = ()
    drill: bool = False


class Settlement(StrEnum):
    DELIVERED = "delivered"  # the provider confirmed
    SENT = "sent"  # accepted by the provider; the channel gives no receipt or none has come yet
    FAILED = "failed"  # every provider and channel was tried
    SUPPRESSED = "suppressed"  # by a rule, with its reason
    NOBODY = "nobody"  # the role resolves to nobody who can be reached


class NotificationSettledV1(Contract):
    """The outcome for one person (or for a role without a person). May follow with a better or worse one."""

    TYPE: ClassVar[str] = "fenghuo.notification.settled.v1"

    request_id: UUID
    intent_id: UUID
    number: Annotated[str, Field(max_length=40)]
    plan: Slug
    purpose: Purpose
    step: Annotated[int, Field(ge=0)]
    role: Slug
    role_words: Annotated[Bilingual | None, Field(description="The role as the roster calls it")] = None
    person: Annotated[Name | None, Field(description="Roster id; absent when nobody was found")]
    person_label: Text | None = None
    channel: ChannelKind | None = None
    provider: Name | None = None
    settlement: Settlement
    attempts: Annotated[int, Field(ge=0)]
    reason: Text
    reason_words: Annotated[Bilingual | None, Field(description="The reason in both languages")] = None
    stand_in: Annotated[Name | None, Field(description="Who is asked instead of a person not reached")] = None
    stand_in_label: Text | None = None
    settled_at: Instant
    drill: bool = False
