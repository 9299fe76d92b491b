"""A message as it would be sent now, and who would get it: nothing is sent, nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.notifier.app.rules import Rules
from services.notifier.domain.ledger import shortened
from services.notifier.domain.reach import Reach, reach
from services.notifier.domain.roster import Person, Roster
from services.notifier.domain.roster_duty import on_duty
from services.notifier.domain.texts import Message, Rendered, redacted
from shared.access.links import AcknowledgementLink, sign_acknowledgement
from shared.contracts.notifications import MessageTemplate, Purpose, Subject
from shared.contracts.values import Bilingual, ChannelKind, Language
from shared.plans.sms_segments import is_gsm, segments

_NOBODY_S_ID: Final = UUID(int=0)
_ZONE: Final = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The message to show. `groups` are the roles that get it together, each under its name."""

    purpose: Purpose
    channel: ChannelKind
    language: Language
    subject: Subject
    templates: tuple[MessageTemplate, ...]
    groups: Sequence[tuple[Bilingual, Sequence[str]]]
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who would get it. `to` is shortened; None with the reason why this channel does not reach them."""

    person: str
    label: Bilingual
    because: Bilingual
    to: str | None
    provider: str | None
    problem: Bilingual | None


@dataclass(frozen=True, slots=True)
class Readers:
    """A role of a group with who is on duty for it now. `known`: whether the roster has the role."""

    group: Bilingual
    role: str
    label: Bilingual
    known: bool
    people: tuple[Reader, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """`segments` and `alphabet` of the SMS, whatever the channel. Without a roster nobody would be told."""

    text: str
    headline: str
    segments: int
    alphabet: str
    characters: int
    readers: tuple[Readers, ...]
    roster_sha256: str | None


def preview_message(org: str, wanted: Wanted, now: datetime, *, rules: Rules) -> Preview:
    """The link has the length of a real one and acknowledges nothing."""
    roster = rules.rosters.of(org)
    message = Message(
        purpose=wanted.purpose,
        subject=redacted(wanted.subject),
        language=wanted.language,
        zone=roster.zone if roster is not None else _ZONE,
        now=now,
        link=_link(org, wanted, now, rules) if wanted.purpose is Purpose.PAGE else None,
        requested_at=now,
        drill=wanted.drill,
        templates=wanted.templates,
    )
    made = rules.rendered(message)
    return Preview(
        _form(made, wanted.channel),
        made.headline,
        segments(made.sms),
        "GSM-7" if is_gsm(made.sms) else "UCS-2",
        len(made.sms),
        tuple(
            _readers(group, role, wanted.channel, now=now, roster=roster, rules=rules)
            for group, roles in wanted.groups
            for role in roles
        ),
        roster.sha256 if roster is not None else None,
    )


def _form(made: Rendered, channel: ChannelKind) -> str:
    return {ChannelKind.SMS: made.sms, ChannelKind.VOICE: made.spoken}.get(channel, made.plain)


def _link(org: str, wanted: Wanted, now: datetime, rules: Rules) -> str:
    signed = AcknowledgementLink(
        _NOBODY_S_ID, _NOBODY_S_ID, org, wanted.subject.plan, "preview", now + rules.links.valid_for
    )
    return f"{rules.links.public}/a/{'x' * len(sign_acknowledgement(signed, rules.links.secret))}"


def _readers(
    group: Bilingual, role: str, channel: ChannelKind, *, now: datetime, roster: Roster | None, rules: Rules
) -> Readers:
    known = roster.roles.get(role) if roster is not None else None
    if roster is None or known is None:
        return Readers(group, role, Bilingual(zh=role, en=role), known=False, people=())
    people = [_reader(roster, duty.person, duty.because, channel, rules) for duty in on_duty(roster, role, now)]
    return Readers(group, role, known.label, known=True, people=tuple(people))


def _reader(roster: Roster, person: Person, because: Bilingual, channel: ChannelKind, rules: Rules) -> Reader:
    found = reach(person, (channel,), rules.providers, unverified=roster.pages_unverified)
    ways = rules.routed(found, {one.id: one.to for one in person.contacts})
    first = next(iter(ways.routes), None)
    if first is None:
        return Reader(person.id, person.label, because, None, None, _problem(person, channel, rules, found))
    contact = next(one for one in person.contacts if one.id == first.contact)
    return Reader(person.id, person.label, because, shortened(contact.to), first.provider, None)


def _problem(person: Person, channel: ChannelKind, rules: Rules, found: Reach) -> Bilingual:
    if not rules.providers.get(channel):
        return Bilingual(zh="这个渠道没有配置服务商", en="no provider is configured for this channel")
    known = [one for one in person.contacts if one.channel is channel]
    if not known:
        return Bilingual(zh="没有这个渠道的联系方式", en="no contact point for this channel")
    if not found.routes:
        return Bilingual(zh="这个渠道的联系方式未经验证", en="no verified contact point for this channel")
    return Bilingual(zh="没有服务商受理该号段", en="no provider serves the prefix")
