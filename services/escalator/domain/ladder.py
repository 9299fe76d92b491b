"""Paging, tier by tier, until somebody acknowledges. It may repeat itself; it is never silent while nobody has."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from services.escalator.domain import recusal, wording
from services.escalator.domain.case import Ladder
from services.escalator.domain.decision import Turn
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Bilingual
from shared.plans.duties import CompiledTier

_LONGEST_REPEAT: Final = timedelta(hours=1)
_MOST_DOUBLINGS: Final = 12


def tiers_of(turn: Turn) -> tuple[CompiledTier, ...]:
    """The tiers of the case's level, as far as they apply to it, that have anybody to page."""
    return tuple(tier for tier in turn.rules.plan.tiers_for(turn.case.level, turn.case.inputs) if tier.roles)


def roles_of(turn: Turn, tier: CompiledTier) -> tuple[str, ...]:
    """Whom the tier stands for now: others outside working hours, and nobody the case is about."""
    roles = tier.off_hours if tier.off_hours and not _at_work(turn) else tier.roles
    return recusal.without(turn.rules, turn.case, roles, "pages")


def _at_work(turn: Turn) -> bool:
    calendar = turn.rules.calendar()
    return calendar is None or calendar.is_working(turn.now)


def start(turn: Turn, sentence: str = "first_page") -> None:
    """Page at once, from the tier that was reached before or else the first.

    Nothing happens without tiers, or while a gate waits for a decision and silence does not page.
    """
    tiers = tiers_of(turn)
    gate = turn.case.activation
    if not tiers or (turn.case.held and gate is not None and not gate.paging):
        halt(turn)
        return
    at = _position(turn, tiers)
    _reach(turn, tiers, 0 if at is None else at, turn.both(sentence, tier=tiers[at or 0].label))


def halt(turn: Turn) -> None:
    """Stop paging: acknowledged, or over. A timer armed before is void."""
    ladder = turn.case.ladder
    if ladder is not None and ladder.next_at is not None:
        turn.set(ladder=replace(ladder, generation=ladder.generation + 1, next_at=None))


def time_passed(turn: Turn) -> None:
    """Nobody acknowledged in time: this tier again, or the next one, or, at the end of the chain, the last for ever.

    After a downtime the repeats that were missed are not made up for: the next tier is paged instead.
    """
    ladder = turn.case.ladder
    tiers = tiers_of(turn)
    at = _position(turn, tiers)
    if ladder is None or ladder.next_at is None or at is None:
        halt(turn)
        return
    tier = tiers[at]
    if ladder.waiting:
        _page(turn, tiers, at, attempt=ladder.attempt)
        turn.note(ChangeKind.TIER_REACHED, turn.both("waited_page", tier=tier.label), **_details(turn))
        return
    within = wording.span(tier.acknowledge_within.total_seconds())
    missed = (turn.now - ladder.next_at) // tier.acknowledge_within
    attempt = ladder.attempt + 1 + missed
    if ladder.ended:
        _page(turn, tiers, at, attempt=ladder.attempt + 1, ended=True)
    elif attempt <= tier.repeat and _not_before(turn, tier, wait=False) > turn.now:
        _hold(turn, tier, attempt, _not_before(turn, tier, wait=False))
        return
    elif attempt <= tier.repeat:
        _page(turn, tiers, at, attempt=attempt)
    else:
        following = tiers[at + 1].label if at + 1 < len(tiers) else ""
        move_up(turn, turn.both("unacknowledged", within=within, tier=following))
        return
    count = ladder.attempt + 2
    turn.note(
        ChangeKind.TIER_REPEATED,
        turn.both("repeated", within=within, count=count, tier=tier.label),
        **_details(turn),
    )


def move_up(turn: Turn, because: Bilingual) -> None:
    """Page the next tier at once. At the end of the chain that is published, and the last tier is paged on."""
    tiers = tiers_of(turn)
    if not tiers:
        return
    at = _position(turn, tiers)
    again = _begins_again(tiers, at)
    if again is not None and turn.case.ladder is not None:
        first = turn.case.ladder.rounds == 0
        turn.set(ladder=replace(turn.case.ladder, rounds=turn.case.ladder.rounds + 1))
        if first:
            turn.note(ChangeKind.CHAIN_ENDED, turn.both("chain_again", tier=tiers[again].label))
        _reach(turn, tiers, again, because)
        return
    following = 0 if at is None else at + 1
    if following < len(tiers):
        _reach(turn, tiers, following, because)
        return
    last = len(tiers) - 1
    known = turn.case.ladder is not None and turn.case.ladder.ended
    attempt = turn.case.ladder.attempt + 1 if turn.case.ladder is not None else 0
    _page(turn, tiers, last, attempt=attempt if known else 0, ended=True)
    kind = ChangeKind.TIER_REPEATED if known else ChangeKind.CHAIN_ENDED
    turn.note(kind, turn.both("chain_ended", tier=tiers[last].label), **_details(turn))


def next_tier(turn: Turn) -> CompiledTier | None:
    """The tier after the present one; None at the end of the chain."""
    tiers = tiers_of(turn)
    at = _position(turn, tiers)
    again = _begins_again(tiers, at)
    if again is not None:
        return tiers[again]
    following = 0 if at is None else at + 1
    return tiers[following] if following < len(tiers) else None


def present_tier(turn: Turn) -> CompiledTier | None:
    """The tier that was paged last; before any page the first one the plan has, whatever the level."""
    tiers = tiers_of(turn)
    at = _position(turn, tiers)
    if at is not None:
        return tiers[at]
    every = tiers or tuple(tier for tier in turn.rules.plan.tiers if tier.roles)
    return every[0] if every else None


def _position(turn: Turn, tiers: tuple[CompiledTier, ...]) -> int | None:
    ladder = turn.case.ladder
    if ladder is None:
        return None
    return next((index for index, tier in enumerate(tiers) if tier.id == ladder.tier), None)


def _begins_again(tiers: tuple[CompiledTier, ...], at: int | None) -> int | None:
    """Where the ladder goes back to after the tier; None where it goes up."""
    wanted = tiers[at].repeat_from if at is not None else None
    return next((index for index, tier in enumerate(tiers) if tier.id == wanted), None) if wanted else None


def _reach(turn: Turn, tiers: tuple[CompiledTier, ...], at: int, because: Bilingual) -> None:
    """The tier is the present one from now on; it is paged at once unless the plan lets it wait."""
    tier = tiers[at]
    not_before = _not_before(turn, tier)
    if not_before > turn.now:
        _hold(turn, tier, 0, not_before)
    else:
        _page(turn, tiers, at, attempt=0)
    turn.note(ChangeKind.TIER_REACHED, because, **_details(turn))


def _not_before(turn: Turn, tier: CompiledTier, *, wait: bool = True) -> datetime:
    """When the tier may be paged: after its wait, and in working hours if it keeps them.

    The highest level never waits for working hours.
    """
    earliest = turn.now + (tier.wait if wait else timedelta())
    calendar = turn.rules.calendar()
    urgent = turn.rules.plan.rank(turn.case.level) == turn.rules.plan.highest_rank
    if tier.hours == "any" or urgent or calendar is None:
        return earliest
    return calendar.next_working(earliest).at


def _hold(turn: Turn, tier: CompiledTier, attempt: int, until: datetime) -> None:
    case = turn.case
    generation = case.ladder.generation + 1 if case.ladder is not None else 1
    rounds = case.ladder.rounds if case.ladder is not None else 0
    turn.set(
        ladder=Ladder(generation, tier.id, attempt, case.steps, turn.now, until, waiting=True, rounds=rounds),
    )


def _page(turn: Turn, tiers: tuple[CompiledTier, ...], at: int, *, attempt: int, ended: bool = False) -> None:
    tier = tiers[at]
    case = turn.case
    wait = tier.acknowledge_within
    if ended:
        # For ever, but less and less often: a phone that rings every minute for a night is switched off.
        wait = min(wait * 2 ** min(attempt, _MOST_DOUBLINGS), max(wait, _LONGEST_REPEAT))
    next_at = turn.now + wait
    generation = case.ladder.generation + 1 if case.ladder is not None else 1
    rounds = case.ladder.rounds if case.ladder is not None else 0
    roles = roles_of(turn, tier)
    turn.set(
        steps=case.steps + 1,
        ladder=Ladder(
            generation, tier.id, attempt, case.steps + 1, turn.now, next_at, ended=ended, roles=roles, rounds=rounds
        ),
        paged_roles=tuple(dict.fromkeys((*case.paged_roles, *roles))),
    )
    above = next_tier(turn)
    turn.request(
        Purpose.PAGE,
        roles,
        channels=tier.channels,
        all_channels=tier.all_channels,
        due_at=next_at,
        next_tier=above.label if above else None,
        stale_after=next_at,
    )


def _details(turn: Turn) -> dict[str, str | int | bool | None]:
    ladder = turn.case.ladder
    if ladder is None:
        return {}
    return {
        "tier": ladder.tier,
        "attempt": ladder.attempt,
        "step": ladder.step,
        "next_at": ladder.next_at.isoformat() if ladder.next_at else None,
    }
