"""Whether the facts of a report are of the types that the plans it goes to declare."""

from collections.abc import Iterator, Mapping

from services.intake.domain.reports import Report
from shared.plans.compiled import CompiledPlan
from shared.plans.facts import FactSpec, fact_problem
from shared.plans.library import PlanLibrary, UnknownPlanError


class FactRules:
    """The declared facts of a library. Nearly every report fits all of them, and then no plan has to be found."""

    def __init__(self, library: PlanLibrary) -> None:
        self._library = library
        self._specs = _specs(library)

    def unfit(self, report: Report) -> dict[str, str]:
        """What is wrong, by field; empty when every fact fits the plans the report goes to.

        A fact that none of them declares is no fault: it stays in the register and may matter to another plan.
        """
        facts = report.body.facts
        doubtful = [
            name
            for name, value in facts.items()
            if any(fact_problem(name, spec, value) is not None for spec in self._specs.get(name, ()))
        ]
        if not doubtful:
            return {}
        found: dict[str, str] = {}
        for plan in self._plans(report):
            for name in doubtful:
                spec = plan.plan.facts.get(name)
                problem = fact_problem(name, spec, facts[name]) if spec is not None else None
                if problem is not None:
                    found.setdefault(f"facts.{name}", f"{problem.message} (plan '{plan.name}')")
        return found

    def _plans(self, report: Report) -> Iterator[CompiledPlan]:
        body, named = report.body, False
        for name in body.plans:
            try:
                yield from self._route(report, (name,))
                named = True
            except UnknownPlanError:
                continue  # said by the classification, which is what a plan's name matters to
        if not named:
            yield from self._route(report, ())

    def _route(self, report: Report, names: tuple[str, ...]) -> tuple[CompiledPlan, ...]:
        body = report.body
        return self._library.route(report.org, report.kind, body.topic, body.category, body.channel, names)


def _specs(library: PlanLibrary) -> Mapping[str, tuple[FactSpec, ...]]:
    """Every different declaration of each fact; words do not make a difference."""
    found: dict[str, dict[str, FactSpec]] = {}
    for plan in library.plans:
        for name, spec in plan.plan.facts.items():
            found.setdefault(name, {}).setdefault(spec.model_dump_json(exclude={"zh", "en"}), spec)
    return {name: tuple(specs.values()) for name, specs in found.items()}
