"""Check the facts of a report against the plans in force, before it is registered."""

from services.intake.domain.fact_rules import FactRules
from services.intake.domain.reports import Report
from shared.plans.library import PlanLibrary


class CheckFacts:
    """Until plans were read nothing is refused: the classifier says what it could not use."""

    def __init__(self) -> None:
        self._rules: FactRules | None = None

    def use(self, library: PlanLibrary) -> None:
        """Check by these plans from now on."""
        self._rules = FactRules(library)

    def __call__(self, report: Report) -> dict[str, str]:
        """What does not fit, by field; empty when the report may be registered."""
        return self._rules.unfit(report) if self._rules is not None and report.body.facts else {}
