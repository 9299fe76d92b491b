"""A scenario as it is posted to a running line, and what the drill measured."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.drill.domain.steps import steps
from shared.contracts.values import CaseKind
from shared.plans.cases import Case

MAX_REPORTS: Final = 500


class NotDrillableError(ValueError):
    """The scenario cannot be posted; the message says why."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One report: how long after the beginning, to which door (`complaints` or `incidents`), and its body."""

    after: timedelta
    door: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """One person of one case. `seconds` from when they were first to be told to their acknowledgement, if any."""

    number: str
    person: str
    told_at: datetime
    seconds: float | None


def postings(case: Case, plan: str, run: str, within: timedelta) -> tuple[Posting, ...]:
    """The reports of the first `within`, marked as a drill and named so that they never meet a real case.

    Commands of the scenario are left out: in a live drill people act. Raises NotDrillableError.
    """
    found = tuple(_postings(case, plan, run, within))
    if len(found) > MAX_REPORTS:
        raise NotDrillableError(f"the scenario posts {len(found)} reports; a live drill posts at most {MAX_REPORTS}")
    return found


def _postings(case: Case, plan: str, run: str, within: timedelta) -> Iterator[Posting]:
    for step in steps(case):
        report = step.report
        if report is None or step.at - case.start > within:
            continue
        if report.kind is CaseKind.WARNING:
            raise NotDrillableError("the scenario begins with a warning case, which only the classifier opens")
        body: dict[str, Any] = {
            "source": "drill",
            "reference": f"{run}-{step.name}",
            "drill": True,
            "plans": [plan],
            "facts": dict(report.facts),
        }
        for name in ("topic", "category", "channel", "title", "narrative"):
            if getattr(report, name) is not None:
                body[name] = getattr(report, name)
        place = report.place.model_dump(exclude_none=True)
        if place:
            body["place"] = place
        if report.kind is CaseKind.COMPLAINT and report.complainant is not None:
            body["complainant"] = {"customer_number": f"{run}-{report.complainant}"}
        if report.kind is CaseKind.INCIDENT and report.resolved:
            body["status"] = "resolved"
        yield Posting(step.at - case.start, f"{report.kind.value}s", body)


def answered(cases: Iterable[Mapping[str, Any]]) -> list[Answered]:
    """Who was told of which case, and how long the one who acknowledged took. `cases` as the console's API gives them.

    Somebody who was told but did not acknowledge stands there without a time.
    """
    found: list[Answered] = []
    for case in cases:
        first: dict[str, datetime] = {}
        for told in case.get("told", ()):
            person, at = told.get("person"), told.get("asked_at") or told.get("at")
            if person and at:
                moment = datetime.fromisoformat(at)
                first[person] = min(first.get(person, moment), moment)
        by = (case.get("acknowledged_by") or {}).get("ref")
        done = case.get("acknowledged_at")
        for person, moment in sorted(first.items(), key=lambda one: one[1]):
            took = (datetime.fromisoformat(done) - moment).total_seconds() if done and by == person else None
            found.append(Answered(str(case.get("number")), person, moment, took))
    return found
