"""What will go wrong with a roster in the time ahead: nobody on duty, people who cannot be reached, leave in the way.

Everything is found from the same answers that a page at that instant would get, so what is reported is what happens.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from services.notifier.domain.roster import Override, Person, Role, Roster
from services.notifier.domain.roster_duty import Duty, StepKind, lost_at
from services.notifier.domain.roster_findings import Finding, FindingKind, in_words
from services.notifier.domain.roster_timeline import Segment, timeline
from services.notifier.domain.roster_weak_points import (
    closed_loops,
    loop_on_duty,
    loops_without_anybody,
    rotations_of_one,
    shared_addresses,
)
from services.notifier.domain.rotation import handovers_between, shift_at
from shared.contracts.values import ChannelKind

EVERY_CHANNEL: Final = frozenset(ChannelKind)
_PLANNED: Final = frozenset({StepKind.TURN, StepKind.OVERRIDE, StepKind.COVER})


def check_roster(
    roster: Roster,
    begins_at: datetime,
    ends_at: datetime,
    *,
    channels: Collection[ChannelKind] = EVERY_CHANNEL,
    named_by_plans: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Everything found in [begins_at, ends_at), gaps first, then by time. `channels` are those in use."""
    loops = closed_loops(roster)
    found = [
        *_unstaffed(roster, named_by_plans, begins_at, ends_at),
        *(one for role in roster.roles.values() for one in _of_role(roster, role, begins_at, ends_at, loops)),
        *_unreachable(roster, begins_at, ends_at, channels),
        *_overlaps(roster, begins_at, ends_at),
        *_idle_swaps(roster, begins_at, ends_at),
        *loops_without_anybody(roster, loops, begins_at, ends_at),
        *shared_addresses(roster, begins_at, ends_at, channels),
        *rotations_of_one(roster, begins_at, ends_at),
    ]
    return tuple(sorted(found, key=lambda one: (not one.is_gap, one.begins_at, one.key)))


def _unstaffed(roster: Roster, named: Collection[str], begins_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    for role in sorted(set(named) - roster.roles.keys()):
        zh, en = f"预案使用的角色{role}不在值班表中", f"the roster has no role {role}, which plans name"
        yield Finding(FindingKind.UNSTAFFED, role, None, begins_at, ends_at, in_words(zh, en))


def _of_role(
    roster: Roster, role: Role, begins_at: datetime, ends_at: datetime, loops: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    looped: set[str] = set()
    for segment in timeline(roster, role.id, begins_at, ends_at, by_reason=True):
        span = _span(roster, segment)
        if not segment.duties and not role.may_be_empty:
            zh, en = f"{role.label.zh}（{role.id}）{span}无人值班", f"{role.label.en} ({role.id}): nobody, {span}"
            yield Finding(FindingKind.GAP, role.id, None, segment.begins_at, segment.ends_at, in_words(zh, en))
        for duty in segment.duties:
            yield from _of_duty(role, segment, duty, span)
        if not any(StepKind.WHEN_NOBODY in _kinds(duty) for duty in segment.duties) and segment.duties:
            yield from _lost(roster, role, segment, span)
        for person, zh, en in loop_on_duty(roster, loops, segment.people) if loops else ():
            if person not in looped:
                looped.add(person)
                what = in_words(f"{role.label.zh}（{role.id}）{zh}", f"{role.label.en} ({role.id}): {en}")
                yield Finding(FindingKind.DEPUTY_LOOP, role.id, person, begins_at, ends_at, what)


def _lost(roster: Roster, role: Role, segment: Segment, span: str) -> Iterator[Finding]:
    """Whose turn it is, on leave with nobody standing in, where others of the role are left: quieter than a gap."""
    if not roster.has_leave:
        return
    for duty in lost_at(roster, role.id, segment.begins_at):
        if _kinds(duty) & _PLANNED:
            who = duty.person.label
            zh = f"{role.label.zh}（{role.id}）{span}当班者{who.zh}休假，无人代理"
            en = f"{role.label.en} ({role.id}): {who.en}, whose turn it is, is on leave and nobody stands in, {span}"
            yield Finding(
                FindingKind.LEAVE, role.id, duty.person.id, segment.begins_at, segment.ends_at, in_words(zh, en)
            )


def _kinds(duty: Duty) -> set[StepKind]:
    return {step.kind for step in duty.chain}


def _of_duty(role: Role, segment: Segment, duty: Duty, span: str) -> Iterator[Finding]:
    kinds = _kinds(duty)
    who = duty.person.label
    if StepKind.WHEN_NOBODY in kinds:
        zh = f"{role.label.zh}（{role.id}）{span}仅由{who.zh}兜底"
        en = f"{role.label.en} ({role.id}): only the last resort, {who.en}, {span}"
        yield Finding(
            FindingKind.LAST_RESORT, role.id, duty.person.id, segment.begins_at, segment.ends_at, in_words(zh, en)
        )
    elif StepKind.LEAVE in kinds and kinds & _PLANNED:
        zh = f"{role.label.zh}（{role.id}）{span}当班者休假，由{who.zh}代理"
        en = f"{role.label.en} ({role.id}): whose turn it is is on leave, {who.en} stands in, {span}"
        yield Finding(FindingKind.LEAVE, role.id, duty.person.id, segment.begins_at, segment.ends_at, in_words(zh, en))


def _unreachable(
    roster: Roster, begins_at: datetime, ends_at: datetime, channels: Collection[ChannelKind]
) -> Iterator[Finding]:
    first: dict[str, tuple[str, Segment]] = {}
    for role in roster.roles:
        for segment in timeline(roster, role, begins_at, ends_at):
            for one in segment.people:
                if one not in first or segment.begins_at < first[one][1].begins_at:
                    first[one] = role, segment
    for person_id, (role, segment) in first.items():
        person = roster.people[person_id]
        usable = [one for one in person.contacts if one.channel in channels]
        unproved = [one.id for one in usable if not one.verified]
        if unproved:
            yield _unverified(person, role, segment, unproved)
        if any(one.verified or roster.pages_unverified for one in usable):
            continue
        why = (
            ("联系方式未经验证", "no contact point is verified") if usable else ("没有可用联系方式", "no contact point")
        )
        zh = f"{person.label.zh}（{person_id}）将值班{role}，但{why[0]}"
        en = f"{person.label.en} ({person_id}) will be on duty for {role}, and {why[1]}"
        yield Finding(FindingKind.UNREACHABLE, role, person_id, segment.begins_at, segment.ends_at, in_words(zh, en))


def _unverified(person: Person, role: str, segment: Segment, contacts: Sequence[str]) -> Finding:
    which = ", ".join(contacts)
    zh = f"{person.label.zh}（{person.id}）将值班{role}，联系方式未经验证：{which}"
    en = f"{person.label.en} ({person.id}) will be on duty for {role}; not verified: {which}"
    return Finding(FindingKind.UNVERIFIED, role, person.id, segment.begins_at, segment.ends_at, in_words(zh, en))


def _overlaps(roster: Roster, begins_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    for role, entries in roster.overrides_of.items():
        replacing = sorted((one for one in entries if not one.adds), key=lambda one: one.begins_at)
        longest: Override | None = None
        for one in replacing:
            # Whichever of those before it lasts longest: a short one in between hides nothing.
            if longest is not None:
                ends = min(longest.ends_at, one.ends_at)
                if one.begins_at < ends and one.begins_at < ends_at and ends > begins_at:
                    yield _overlap(role, longest, one, ends)
            longest = one if longest is None or one.ends_at > longest.ends_at else longest


def _overlap(role: str, one: Override, following: Override, ends: datetime) -> Finding:
    zh = f"{role}有两条临时替班重叠（{one.reason}；{following.reason}），两组人员同时值班"
    en = f"two overrides of {role} overlap ({one.reason}; {following.reason}): both groups are on duty"
    return Finding(FindingKind.OVERLAP, role, None, following.begins_at, ends, in_words(zh, en))


def _idle_swaps(roster: Roster, begins_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    for cover in roster.covers:
        if cover.ends_at <= begins_at or cover.begins_at >= ends_at:
            continue
        rotations = [cover.rotation] if cover.rotation is not None else list(roster.rotations)
        if any(_has_turn(roster, rotation, cover.absent, cover.begins_at, cover.ends_at) for rotation in rotations):
            continue
        absent = roster.people[cover.absent].label
        zh = f"换班（{cover.reason}）不起作用：{absent.zh}在此期间没有轮值"
        en = f"the swap ({cover.reason}) changes nothing: {absent.en} has no turn in that time"
        yield Finding(FindingKind.IDLE_SWAP, None, cover.absent, cover.begins_at, cover.ends_at, in_words(zh, en))


def _has_turn(roster: Roster, rotation_id: str, person: str, begins_at: datetime, ends_at: datetime) -> bool:
    rotation = roster.rotations[rotation_id]
    moments = [begins_at, *handovers_between(rotation, begins_at, ends_at)]
    shifts = [shift for moment in moments if (shift := shift_at(rotation, moment)) is not None]
    return any(person in shift.people for shift in shifts)


def _span(roster: Roster, segment: Segment) -> str:
    begins, ends = (moment.astimezone(roster.zone) for moment in (segment.begins_at, segment.ends_at))
    return f"{begins:%m-%d %H:%M} – {ends:%m-%d %H:%M}"
