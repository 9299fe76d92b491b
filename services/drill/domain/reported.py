"""A simulated case as it was reported so far."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from shared.contracts.values import FactValue
from shared.plans import cases as scenario
from shared.plans.windows import CaseView

ORG: Final = "drill"


@dataclass
class Reported:
    """A case as it was reported so far, and what was last said about it."""

    view: CaseView
    title: str | None = None
    texts: list[str] = field(default_factory=list)
    proposed: dict[str, FactValue] = field(default_factory=dict)
    facts: dict[str, FactValue] = field(default_factory=dict)
    level: str | None = None
    resolved: bool = False
    revision: int = 0
    said: tuple[object, ...] = ()
    reconsider_at: datetime | None = None

    @property
    def narrative(self) -> str | None:
        return "\n".join(self.texts) or None


def as_known(reported: Reported) -> CaseView:
    """The case with the facts that its texts propose."""
    if not reported.proposed:
        return reported.view
    return replace(reported.view, facts={**reported.view.facts, **reported.facts})


def first_view(name: str, report: scenario.ReportSpec, at: datetime) -> CaseView:
    return CaseView(
        case_id=name,
        kind=report.kind,
        org=ORG,
        topic=report.topic,
        category=report.category,
        channel=report.channel,
        complainant_ref=report.complainant,
        place=report.place.as_contract(),
        occurred_at=report.occurred_at(at),
        received_at=at,
        facts=dict(report.facts),
        source=report.source,
    )


def later_view(view: CaseView, report: scenario.ReportSpec) -> CaseView:
    """The case after another report: what it gives replaces what was known, what it leaves out stays."""
    given = report.model_fields_set
    place = view.place
    if "place" in given:
        place = place.model_copy(update={k: v for k, v in report.place.model_dump().items() if v is not None})
    return replace(
        view,
        topic=report.topic if "topic" in given else view.topic,
        category=report.category if "category" in given else view.category,
        channel=report.channel if "channel" in given else view.channel,
        complainant_ref=report.complainant if "complainant" in given else view.complainant_ref,
        place=place,
        facts={**view.facts, **report.facts},
    )
