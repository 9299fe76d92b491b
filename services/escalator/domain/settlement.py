"""Learning who was told. A page that reached nobody is a failure: the next tier is paged without waiting."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.escalator.domain import ladder, notices
from services.escalator.domain.case import Case, Ladder, Reach
from services.escalator.domain.decision import Decision, Turn
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import COMPLAINANT, NotificationSettledV1, Purpose, Settlement
from shared.contracts.values import Bilingual

_UNDELIVERED: Final = frozenset({Settlement.FAILED, Settlement.NOBODY})
_NEVER_SILENT: Final = frozenset({Purpose.INFORM, Purpose.WARN, Purpose.BREACH})
NOBODY: Final = "nobody"
"""In the history of a case, where not even the last tier could be told in a role's place."""


def notification_settled(rules: Rules, case: Case, settled: NotificationSettledV1, now: datetime) -> Decision:
    """The case after one recipient's outcome is known. Later news about the same recipient replaces earlier news."""
    turn = Turn(rules, case, now)
    if settled.role == COMPLAINANT:
        notices.settled(turn, settled)
    failed = settled.settlement in _UNDELIVERED
    if failed:
        turn.note(
            ChangeKind.NOTIFICATION_FAILED,
            _not_reached(turn, settled),
            role=settled.role,
            person=settled.person,
            purpose=settled.purpose,
            settlement=settled.settlement,
            step=settled.step,
            attempts=settled.attempts,
        )
    nobody = settled.settlement is Settlement.NOBODY and settled.role != COMPLAINANT
    if nobody and settled.purpose in _NEVER_SILENT and case.open:
        _turn_to_the_tiers(turn, settled)
    page = case.ladder
    if settled.purpose is not Purpose.PAGE or page is None or settled.step != page.step or not case.open:
        return turn.decide()
    known = tuple(reach for reach in page.reach if (reach.role, reach.person) != (settled.role, settled.person))
    if failed and settled.stand_in is not None:
        # Whether the page reached anybody is known once the deputy who is asked instead has news.
        turn.set(ladder=replace(page, reach=known))
        return turn.decide()
    page = replace(page, reach=(*known, Reach(settled.role, settled.person, not failed)))
    turn.set(ladder=page)
    # At the end of the chain there is nobody to turn to at once; paging the same people without a pause helps nobody.
    if failed and page.next_at is not None and not page.ended and _reached_nobody(turn, page):
        present, above = ladder.present_tier(turn), ladder.next_tier(turn)
        tier = present.label if present else page.tier
        following = above.label if above else tier
        ladder.move_up(turn, turn.both("undeliverable", tier=tier, next=following))
    return turn.decide()


def _not_reached(turn: Turn, settled: NotificationSettledV1) -> Bilingual:
    sentence = "not_reached" if settled.stand_in is None else "not_reached_instead"
    instead = settled.stand_in_label or settled.stand_in or ""
    role, reason = settled.role_words or settled.role, settled.reason_words or settled.reason
    return turn.both(sentence, role=role, reason=reason, instead=instead)


def _turn_to_the_tiers(turn: Turn, settled: NotificationSettledV1) -> None:
    """A role that was to be told has nobody: the tier on duty is told in its place, and so on up to the last.

    Only ever upwards from a role of the ladder, so it ends; that even the last tier has nobody is on record.
    """
    tiers = ladder.tiers_of(turn)
    at = next((index for index, tier in enumerate(tiers) if settled.role in ladder.roles_of(turn, tier)), None)
    present = ladder.present_tier(turn)
    first = at + 1 if at is not None else next((i for i, tier in enumerate(tiers) if tier == present), 0)
    standing_in = next((tier for tier in tiers[first:] if ladder.roles_of(turn, tier)), None)
    sentence = "told_instead" if standing_in is not None else "told_nobody"
    tier = standing_in.label if standing_in is not None else ""
    because = turn.both(sentence, role=settled.role_words or settled.role, tier=tier)
    turn.note(
        ChangeKind.NOTIFICATION_FAILED,
        because,
        role=settled.role,
        purpose=settled.purpose,
        instead=standing_in.id if standing_in is not None else NOBODY,
    )
    if standing_in is not None:
        roles = ladder.roles_of(turn, standing_in)
        turn.request(settled.purpose, roles, channels=standing_in.channels, because=because)


def _reached_nobody(turn: Turn, page: Ladder) -> bool:
    """True when every role of the page has news and none of it good."""
    tier = next((tier for tier in ladder.tiers_of(turn) if tier.id == page.tier), None)
    if tier is None or page.waiting:
        return False
    paged = set(page.roles or tier.roles)
    told = {reach.role for reach in page.reach}
    reached = {reach.role for reach in page.reach if reach.reached}
    return paged <= told and not reached & paged
