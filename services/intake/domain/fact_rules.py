"""Whether a report fits the plans it goes to: they are there, and its facts are of the types that they declare."""

from collections.abc import Mapping

from services.intake.domain.reports import Report
from services.intake.domain.routing import Routing
from shared.plans.compiled import CompiledPlan
from shared.plans.facts import FactSpec, fact_problem
from shared.plans.library import PlanLibrary, UnknownPlanError


class FactRules:
    """The declared facts of a library. Nearly every report fits all of them, and then no plan has to be found."""

    def __init__(self, library: PlanLibrary) -> None:
        self._library = library
        self._specs = _specs(library)

    def unfit(self, report: Report, before: Routing) -> dict[str, str]:
        """What is wrong, by field; empty when every plan asked for is there and every fact fits the case's plans.

        `before` is what earlier reports of the case said; a plan they asked for may be gone by now. A fact that no
        plan declares is no fault: it stays in the register and may matter to another plan.
        """
        found = {
            f"plans.{place}": f"there is no plan '{name}' in force for this organisation"
            for place, name in enumerate(report.body.plans)
            if name not in before.plans and not self._is_there(report, name)
        }
        return found | self._unfit_facts(report, before.after(report))

    def _unfit_facts(self, report: Report, routing: Routing) -> dict[str, str]:
        facts = report.body.facts
        doubtful = [
            name
            for name, value in facts.items()
            if any(fact_problem(name, spec, value) is not None for spec in self._specs.get(name, ()))
        ]
        if not doubtful:
            return {}
        found: dict[str, str] = {}
        for plan in self._plans(report, routing):
            for name in doubtful:
                spec = plan.plan.facts.get(name)
                problem = fact_problem(name, spec, facts[name]) if spec is not None else None
                if problem is not None:
                    found.setdefault(f"facts.{name}", f"{problem.message} (plan '{plan.name}')")
        return found

    def _is_there(self, report: Report, name: str) -> bool:
        try:
            self._library.route(report.org, report.kind, None, None, None, (name,))
        except UnknownPlanError:
            return False
        return True

    def _plans(self, report: Report, routing: Routing) -> tuple[CompiledPlan, ...]:
        """The plans the case runs under after this report, as the classifier finds them."""
        names = tuple(name for name in routing.plans if self._is_there(report, name))
        return self._library.route(report.org, report.kind, routing.topic, routing.category, routing.channel, names)


def _specs(library: PlanLibrary) -> Mapping[str, tuple[FactSpec, ...]]:
    """Every different declaration of each fact; words do not make a difference."""
    found: dict[str, dict[str, FactSpec]] = {}
    for plan in library.plans:
        for name, spec in plan.plan.facts.items():
            found.setdefault(name, {}).setdefault(spec.model_dump_json(exclude={"zh", "en"}), spec)
    return {name: tuple(specs.values()) for name, specs in found.items()}
