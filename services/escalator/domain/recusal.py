"""Who keeps out of a case: roles are replaced, named people are left out of messages and decide nothing.

A fact names them: a role, a person by roster id, or a department. What a name is does not matter here: as a role it is
replaced by those the plan puts in its place, as a person the notifier leaves them out and asks their deputy.
"""

from collections.abc import Iterable
from typing import Literal

from services.escalator.domain.case import Case
from services.escalator.domain.time_bases import Rules
from shared.contracts.values import Actor

Cover = Literal["pages", "visibility", "handling"]


def kept_out(rules: Rules, case: Case, cover: Cover) -> frozenset[str]:
    """Everybody the case's facts name under a rule that covers this."""
    if not rules.plan.recusals:
        return frozenset()
    found: set[str] = set()
    for recusal in rules.plan.recusals_for(case.level, case.inputs):
        if cover in recusal.covers:
            found |= _named(case, recusal.who)
    return frozenset(found)


def without(rules: Rules, case: Case, roles: Iterable[str], cover: Cover) -> tuple[str, ...]:
    """The roles with those that keep out replaced as the plan says.

    Where nobody would be left, the ladder's other tiers stand in, the nearest first: keeping somebody out must not
    mean that nobody knows.
    """
    left = tuple(dict.fromkeys(roles))
    if not left or not rules.plan.recusals:
        return left
    for recusal in rules.plan.recusals_for(case.level, case.inputs):
        about = _named(case, recusal.who)
        if cover in recusal.covers and about & set(left):
            left = tuple(dict.fromkeys((*(role for role in left if role not in about), *recusal.instead)))
    away = kept_out(rules, case, cover)
    left = tuple(role for role in left if role not in away)
    if left:
        return left
    tiers = (tuple(role for role in tier.roles if role not in away) for tier in rules.plan.tiers)
    return next((others for others in tiers if others), ())


def keeps_out(rules: Rules, case: Case, actor: Actor) -> bool:
    """Whether this person is one the case is about, and so may not handle it."""
    return actor.ref in kept_out(rules, case, "handling")


def _named(case: Case, fact: str) -> frozenset[str]:
    value = case.inputs.get(fact)
    if isinstance(value, list):
        return frozenset(value)
    return frozenset({value}) if isinstance(value, str) else frozenset()
