"""Titles of plans, levels and tiers in both languages, from the published plans."""

from collections.abc import Mapping
from typing import Any

from services.console.domain.criteria import words_in
from services.console.domain.words import word
from shared.contracts.values import Bilingual
from shared.plans.asks import NO_TIME
from shared.plans.compiled import CompiledPlan, Scope


class PlanWords:
    """Words by plan name and id. A plan or id that is not published any more keeps the words its events brought."""

    def __init__(self, plans: Mapping[str, CompiledPlan]) -> None:
        self.use(plans)

    def use(self, plans: Mapping[str, CompiledPlan]) -> None:
        """Take the words of these plans from now on."""
        self._texts = {plan.ref.sha256: plan for plan in plans.values()}
        self._titles = {name: plan.title for name, plan in plans.items()}
        self._levels = {
            (name, level.id): level.label.as_contract() for name, plan in plans.items() for level in plan.plan.levels
        }
        self._clocks = {
            (name, clock.id): clock.label.as_contract() for name, plan in plans.items() for clock in plan.plan.clocks
        }
        facts = (
            (name, fact, spec.zh, spec.en) for name, plan in plans.items() for fact, spec in plan.plan.facts.items()
        )
        counts = (
            (name, count, window.zh, window.en)
            for name, plan in plans.items()
            for count, window in plan.plan.windows.items()
        )
        self._names = {
            (name, read): Bilingual(zh=zh or read, en=en or read) for name, read, zh, en in (*facts, *counts)
        }
        self._milestones = {
            (name, one.id): Bilingual(zh=one.zh, en=one.en)
            for name, plan in plans.items()
            for one in plan.plan.milestones
        }
        self._tiers = {
            (name, tier.id): tier.label.as_contract() for name, plan in plans.items() for tier in plan.plan.tiers
        }

    def criteria(self, sha256: str) -> list[dict[str, Any]] | None:
        """The criteria of a plan text with nothing about any case; None when this very text is not published now."""
        plan = self._texts.get(sha256)
        return None if plan is None else words_in(plan.evaluate({}, {}, NO_TIME, Scope.CASE).criteria)

    def title(self, plan: str) -> Bilingual:
        return self._titles.get(plan) or _same(plan)

    def level(self, plan: str, level: str | None, given: str | None = None) -> Bilingual:
        """Words for "no level" when there is none."""
        if level is None:
            return Bilingual(zh="未达级别", en="no level")
        return self._levels.get((plan, level)) or _same(given or level)

    def clock(self, plan: str, clock: str, given: str) -> Bilingual:
        return self._clocks.get((plan, clock)) or _same(given)

    def name(self, plan: str, name: str) -> Bilingual:
        """What a condition reads: a fact or a count."""
        return self._names.get((plan, name)) or _same(name)

    def milestone(self, plan: str, milestone: str) -> Bilingual:
        """A stage of the plan's own, or a state that every case has."""
        return self._milestones.get((plan, milestone)) or word("state", milestone)

    def tier(self, plan: str, tier: str | None, given: str | None = None) -> Bilingual | None:
        if tier is None:
            return None
        return self._tiers.get((plan, tier)) or _same(given or tier)


def _same(text: str) -> Bilingual:
    return Bilingual(zh=text, en=text)
