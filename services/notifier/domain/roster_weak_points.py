"""What a roster hides as long as all goes well: shared addresses, deputies in a circle, rotations of one person."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from services.notifier.domain.ledger import shortened
from services.notifier.domain.roster import Absence, ContactPoint, Person, Roster, SourceKind
from services.notifier.domain.roster_duty import is_stood_in_for
from services.notifier.domain.roster_findings import Finding, FindingKind, in_words
from shared.contracts.values import ChannelKind

_PHONES: Final = frozenset({ChannelKind.SMS, ChannelKind.VOICE})
_COUNTRY: Final = ("+86", "0086")
_MOST_NAMED: Final = 8


def shared_addresses(
    roster: Roster, begins_at: datetime, ends_at: datetime, channels: Collection[ChannelKind]
) -> Iterator[Finding]:
    """Numbers and mailboxes of more than one person: whoever stands in is asked where nobody answered.

    Chats are left out, groups share them on purpose.
    """
    holders: dict[str, dict[str, str]] = {}
    for person in roster.people.values():
        for contact in person.contacts:
            if contact.channel in channels and (address := _address(contact)) is not None:
                holders.setdefault(address, {})[person.id] = contact.to
    found: dict[tuple[str, ...], list[str]] = {}
    for same in holders.values():
        if len(same) > 1:
            found.setdefault(tuple(same), []).append(shortened(next(iter(same.values()))))
    for people, addresses in found.items():
        who = [roster.people[one] for one in people]
        which = ", ".join(dict.fromkeys(addresses))
        zh = f"{_zh(who, '、')}共用联系方式{which}：改呼代理人时呼到的仍是同一处"
        en = f"{_en(who, ', ')} share {which}: asking a deputy asks the same place again"
        yield Finding(FindingKind.SHARED, None, people[0], begins_at, ends_at, in_words(zh, en))


def _address(contact: ContactPoint) -> str | None:
    if contact.channel is ChannelKind.EMAIL:
        return contact.to.casefold()
    if contact.channel not in _PHONES:
        return None
    for prefix in _COUNTRY:
        if contact.to.startswith(prefix):
            return contact.to.removeprefix(prefix)
    return contact.to


def rotations_of_one(roster: Roster, begins_at: datetime, ends_at: datetime) -> Iterator[Finding]:
    """Rotations that give one person every hour of a role; a duty room is not one person."""
    for role in roster.roles.values():
        for layer in role.layers:
            rotations = [one.id for one in layer.duty if one.kind is SourceKind.ROTATION]
            if layer.hours is not None or len(layer.duty) != 1 or not rotations:
                continue
            people = {person for turn in roster.rotations[rotations[0]].turns for person in turn}
            if len(people) != 1:
                continue
            [one] = people
            person = roster.people[one]
            if person.is_room:
                continue
            zh = f"{role.label.zh}（{role.id}）的轮值{rotations[0]}只有{_zh([person])}一人，全天候当班无人轮换"
            en = f"{role.label.en} ({role.id}): rotation {rotations[0]} has only {_en([person])}, around the clock"
            yield Finding(FindingKind.ALONE, role.id, one, begins_at, ends_at, in_words(zh, en))


def closed_loops(roster: Roster) -> Mapping[str, tuple[str, ...]]:
    """Everybody whose deputies, and theirs, lead back to them and to nobody else, with all of that circle."""
    edges = {
        person.id: (*person.deputies, *(one.deputy for one in person.leave if one.deputy is not None))
        for person in roster.people.values()
    }
    found: dict[str, tuple[str, ...]] = {}
    for circle in _circles(edges):
        if len(circle) > 1 and all(set(edges[one]) <= set(circle) for one in circle):
            whole = tuple(one for one in _in_turn(circle, edges))
            found |= dict.fromkeys(whole, whole)
    return found


def loops_without_anybody(
    roster: Roster, loops: Mapping[str, tuple[str, ...]], begins_at: datetime, ends_at: datetime
) -> Iterator[Finding]:
    """Circles of deputies whose people are all away at once."""
    for loop in dict.fromkeys(loops.values()):
        leaves = [leave for one in loop for leave in roster.people[one].leave]
        moments = sorted({begins_at, *(one.begins_at for one in leaves if begins_at < one.begins_at < ends_at)})
        for moment in moments:
            if is_stood_in_for(roster, loop[0], moment):
                continue
            absences = [roster.people[one].absence_at(moment) for one in loop]
            over = min((one.ends_at for one in absences if isinstance(one, Absence)), default=ends_at)
            ring = [roster.people[one] for one in (*loop, loop[0])]
            zh = f"{_ring_zh(ring)}只互为代理，此间全部休假，无人可代"
            en = f"{_ring_en(ring)} only stand in for each other and are all on leave then"
            yield Finding(FindingKind.DEPUTY_LOOP, None, loop[0], moment, min(over, ends_at), in_words(zh, en))
            break


def loop_on_duty(
    roster: Roster, loops: Mapping[str, tuple[str, ...]], people: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Circles of deputies that are on one duty whole: somebody of each, and what it means in both languages."""
    on_duty = set(people)
    for loop in dict.fromkeys(loops[one] for one in people if one in loops):
        if on_duty >= set(loop):
            ring = [roster.people[one] for one in (*loop, loop[0])]
            zh = f"同时当班，却只互为代理（{_ring_zh(ring)}），一人联系不上时无他人可代"
            en = f"on the same duty, and stand in only for each other ({_ring_en(ring)}): nobody else would be asked"
            yield loop[0], zh, en


def _circles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Strongly connected components. Tarjan (1972), without recursion: a circle may be as long as the roster."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    waiting: list[str] = []
    is_waiting: set[str] = set()
    for start in edges:
        if start in order:
            continue
        path = [(start, iter(edges[start]))]
        order[start] = low[start] = len(order)
        waiting.append(start)
        is_waiting.add(start)
        while path:
            one, rest = path[-1]
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[one])
                if low[one] == order[one]:
                    at = waiting.index(one)
                    circle = waiting[at:]
                    del waiting[at:]
                    is_waiting.difference_update(circle)
                    yield circle
            elif following not in order:
                order[following] = low[following] = len(order)
                waiting.append(following)
                is_waiting.add(following)
                path.append((following, iter(edges[following])))
            elif following in is_waiting:
                low[one] = min(low[one], order[following])


def _in_turn(circle: Sequence[str], edges: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The circle as its first member's deputies follow each other, then whoever was not passed."""
    left = dict.fromkeys(circle)
    one: str | None = min(circle)
    while one is not None:
        del left[one]
        yield one
        one = next((following for following in edges[one] if following in left), None)
    yield from left


def _zh(people: Sequence[Person], between: str = "") -> str:
    told = between.join(f"{one.label.zh}（{one.id}）" for one in people[:_MOST_NAMED])
    return told + (f"等{len(people)}方" if len(people) > _MOST_NAMED else "")


def _en(people: Sequence[Person], between: str = "") -> str:
    told = between.join(f"{one.label.en} ({one.id})" for one in people[:_MOST_NAMED])
    return told + (f" and {len(people) - _MOST_NAMED} more" if len(people) > _MOST_NAMED else "")


def _ring_zh(ring: Sequence[Person]) -> str:
    return _zh(ring, "→")


def _ring_en(ring: Sequence[Person]) -> str:
    return _en(ring, " → ")
