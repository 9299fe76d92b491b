"""A case as its reports make it: the later report wins for each fact, in whatever order the reports arrive."""

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.contracts.immutable import immutable
from shared.contracts.reports import CaseReport, ComplaintReceivedV1, IncidentReportedV1, IncidentStatus
from shared.contracts.values import CaseKind, FactValue, Place, trusted
from shared.plans.compiled import CaseView

Dated = tuple[int, Any]
"""A value with the sequence of the report that gave it."""

_PLACE: Final = {name: f"place.{name}" for name in ("province", "city", "district", "site")}
_ATTRIBUTES: Final = ("channel", "topic", "category", "title", "language", "split_from")
_TOLD: Final = (*_ATTRIBUTES, *_PLACE.values(), "status")
_NEVER: Final[Dated] = (0, None)
_TEXTS_KEPT: Final = 20
_TEXT_KEPT: Final = 4000


class CaseMismatchError(ValueError):
    """The report names a case that belongs to another organisation or was opened as another kind."""


@immutable
class CaseState:
    """Everything reported about one case.

    What a case is born with (number, source, times, drill) comes from its lowest sequence; every other attribute and
    fact carries the sequence that gave it; a fact of None went to another case. Two states made of the same reports
    are equal, whatever their order and however often each of them came.
    """

    kind: CaseKind
    first: int
    number: str
    source: str
    occurred_at: datetime
    received_at: datetime
    drill: bool
    confidential: bool
    requested: tuple[str, ...]
    attributes: Mapping[str, Dated]
    facts: Mapping[str, Dated]
    texts: Mapping[int, str] = field(default_factory=dict)
    """What was told, by the sequence of the report: the last reports' beginnings. Empty: it went to another case."""

    @property
    def narrative(self) -> str | None:
        """Everything told, in the order of the reports; None when nothing was."""
        return "\n".join(text for _, text in sorted(self.texts.items()) if text) or None

    @property
    def counts(self) -> bool:
        """Whether it counts in windows: its first report is here, so what puts it into a period will not move."""
        return self.first == 1

    @property
    def resolved(self) -> bool:
        return bool(self.given("status") == IncidentStatus.RESOLVED)

    @property
    def place(self) -> Place:
        given = self.attributes
        return trusted(Place, **{name: given.get(path, _NEVER)[1] for name, path in _PLACE.items()})

    def given(self, name: str) -> Any:
        """The newest value of an attribute, or None."""
        return self.attributes.get(name, _NEVER)[1]

    def told(self) -> list[Any]:
        """The newest value of every attribute but who complained, in one order: a classification depends on these."""
        attributes = self.attributes
        return [attributes.get(name, _NEVER)[1] for name in _TOLD]

    def view(self, case_id: UUID, org: str) -> CaseView:
        """The case as a plan sees it."""
        given = self.given
        return CaseView(
            case_id=str(case_id),  # as windows count it
            kind=self.kind,
            org=org,
            topic=given("topic"),
            category=given("category"),
            channel=given("channel"),
            complainant_ref=given("complainant_ref"),
            place=self.place,
            occurred_at=self.occurred_at,
            received_at=self.received_at,
            facts={name: value for name, (_, value) in self.facts.items() if value is not None},
            source=self.source,
        )

    def as_data(self) -> dict[str, Any]:
        """The state as values that JSON takes, instants as they are; `state_from_data` is the inverse."""
        return {
            "kind": self.kind,
            "first": self.first,
            "number": self.number,
            "source": self.source,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
            "drill": self.drill,
            "confidential": self.confidential,
            "requested": self.requested,
            "attributes": self.attributes,
            "facts": self.facts,
            "texts": self.texts,
        }


def state_from_data(data: Mapping[str, Any]) -> CaseState:
    """The state stored by `as_data`."""
    return CaseState(
        kind=CaseKind(data["kind"]),
        first=data["first"],
        number=data["number"],
        source=data["source"],
        occurred_at=datetime.fromisoformat(data["occurred_at"]),
        received_at=datetime.fromisoformat(data["received_at"]),
        drill=data["drill"],
        confidential=data["confidential"],
        requested=tuple(data["requested"]),
        attributes={name: (given[0], given[1]) for name, given in data["attributes"].items()},
        facts={name: (given[0], given[1]) for name, given in data["facts"].items()},
        texts={int(sequence): text for sequence, text in data.get("texts", {}).items()},
    )


def kind_of(report: CaseReport) -> CaseKind:
    return CaseKind.INCIDENT if type(report) is IncidentReportedV1 else CaseKind.COMPLAINT


def merge(state: CaseState | None, report: CaseReport) -> CaseState:
    """The state with one more report. Raises CaseMismatchError when the case was opened as another kind."""
    kind, sequence = kind_of(report), report.sequence
    if state is not None and state.kind is not kind:
        raise CaseMismatchError(f"case {state.number} was opened as {state.kind}, this report says {kind}")
    attributes = dict(state.attributes) if state else {}
    facts = dict(state.facts) if state else {}
    for name, value in _given(report):
        if attributes.get(name, _NEVER)[0] < sequence:
            attributes[name] = (sequence, value)
    moved: dict[str, FactValue | None] = dict.fromkeys(report.moved_facts)
    for name, told in (moved | report.facts).items():
        if facts.get(name, _NEVER)[0] < sequence:
            facts[name] = (sequence, told)
    texts = dict(state.texts) if state else {}
    if report.narrative:
        texts.setdefault(sequence, report.narrative[:_TEXT_KEPT])
    texts |= dict.fromkeys(report.moved_reports, "")
    birth = report if state is None or sequence < state.first else state
    return CaseState(
        kind=kind,
        first=sequence if state is None else min(state.first, sequence),
        number=birth.number,
        source=birth.source,
        occurred_at=birth.occurred_at,
        received_at=birth.received_at,
        drill=birth.drill,
        confidential=report.confidential or (state is not None and state.confidential),
        requested=tuple(sorted({*report.plans, *(state.requested if state else ())})),
        attributes=attributes,
        facts=facts,
        texts={kept: texts[kept] for kept in sorted(texts)[-_TEXTS_KEPT:]},
    )


def _given(report: CaseReport) -> Iterator[tuple[str, FactValue]]:
    for name in _ATTRIBUTES:
        value = getattr(report, name)
        if value is not None:
            yield name, value
    for name, path in _PLACE.items():
        value = getattr(report.place, name)
        if value is not None:
            yield path, value
    # By their very types: asking an abstract base for its instances costs as much as all that is given.
    if type(report) is ComplaintReceivedV1:
        if report.complainant_ref is not None:
            yield "complainant_ref", report.complainant_ref
    elif type(report) is IncidentReportedV1:
        yield "status", report.status
