"""Check a report against the plans in force, before it is registered."""

from services.intake.domain.fact_rules import FactRules
from services.intake.domain.reports import Report
from services.intake.domain.routing import Routing
from shared.plans.library import PlanLibrary


class CheckFacts:
    """Until plans were read nothing is refused: the classifier says what it could not use."""

    def __init__(self) -> None:
        self._rules: FactRules | None = None

    def use(self, library: PlanLibrary) -> None:
        """Check by these plans from now on."""
        self._rules = FactRules(library)

    def __call__(self, report: Report, before: Routing) -> dict[str, str]:
        """What does not fit, by field; empty when the report may be registered. `before`: of a case that is known."""
        if self._rules is None or not (report.body.facts or report.body.plans):
            return {}
        return self._rules.unfit(report, before)
