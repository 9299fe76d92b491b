"""Facts that nobody gave: proposed by words of the text, or passed on by the plan that opened this one."""

from collections.abc import Mapping
from typing import Final

from services.classifier.domain.cases import CaseState
from services.classifier.domain.mergers import Absorbed
from shared.contracts.classifications import OpenedBy, ProposedFact
from shared.contracts.values import FactValue
from shared.plans.compiled import CaseView, CompiledPlan
from shared.plans.obligations import CompiledOpening
from shared.plans.signals import proposed_facts

_MOST: Final = 50


def with_proposals(
    plan: CompiledPlan, title: str | None, narrative: str | None, given: Mapping[str, FactValue]
) -> tuple[dict[str, FactValue], tuple[ProposedFact, ...]]:
    """The given facts with those that the plan's signals find in the texts, and the evidence for each of these.

    A given fact is never replaced. Only proposals that are used are named.
    """
    if not plan.signals:
        return dict(given), ()
    found = plan.signals_in(title, narrative)
    added = proposed_facts(found, given)
    evidence = tuple(
        ProposedFact(
            fact=one.fact,
            value=one.value,
            signal=one.signal,
            word=one.word,
            where=one.where,
            position=one.position,
            excerpt=one.excerpt,
        )
        for one in found
        if one.fact in added
    )
    return {**given, **added}, evidence[:_MOST]


def absorbed_of(plan: CompiledPlan, state: CaseState, carried: Mapping[str, FactValue], view: CaseView) -> Absorbed:
    """What a case knows of itself under a plan, for one that goes on for it."""
    given, _ = plan.type_facts({**carried, **view.facts})
    facts, _ = with_proposals(plan, state.given("title"), state.narrative, given)
    return Absorbed(facts, frozenset(facts) - frozenset(given))


def passed_on(
    opening: CompiledOpening, opener: CompiledPlan, facts: Mapping[str, FactValue]
) -> tuple[OpenedBy, dict[str, FactValue]]:
    """How the opened plan names its opener, and the facts it is given beyond those of the case."""
    because = opening.words.as_contract() if opening.words else None
    carried = {name: facts[name] for name in opening.carry if name in facts}
    return OpenedBy(plan=opener.name, opening=opening.id, because=because), carried
