"""A case as its reports make it: the later report wins for each fact, in whatever order the reports arrive."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from operator import attrgetter
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
_ALIKE: Final = (*_ATTRIBUTES, *_PLACE.values())
"""What reports of every kind give, by the path in the report."""
_read_alike: Final = attrgetter(*_ALIKE)
_TOLD: Final = (*_ALIKE, "status")
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
    newest: Mapping[str, Any] = field(init=False, repr=False, compare=False)
    """The attributes without their sequences: read two dozen times for each judgement."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "newest", {name: value for name, (_, value) in self.attributes.items()})

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
        given = self.newest.get
        return trusted(Place, **{name: given(path) for name, path in _PLACE.items()})

    def given(self, name: str) -> Any:
        """The newest value of an attribute, or None."""
        return self.newest.get(name)

    def told(self) -> list[Any]:
        """The newest value of every attribute but who complained, in one order: a classification depends on these."""
        return list(map(self.newest.get, _TOLD))

    def view(self, case_id: UUID, org: str) -> CaseView:
        """The case as a plan sees it."""
        given = self.newest.get
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
            "texts": {str(sequence): text for sequence, text in self.texts.items()},
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
    told: dict[str, FactValue | None] = {**dict.fromkeys(report.moved_facts), **report.facts}
    attributes = _later(state.attributes if state else {}, _given(report), sequence)
    facts = _later(state.facts if state else {}, told, sequence)
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


def _later(known: Mapping[str, Dated], told: Mapping[str, Any], sequence: int) -> dict[str, Dated]:
    """What is known with what a report told, where that is later."""
    fresh = {name: (sequence, value) for name, value in told.items()}
    if not known:
        return fresh
    return {**known, **{name: one for name, one in fresh.items() if known.get(name, _NEVER)[0] < sequence}}


def _given(report: CaseReport) -> dict[str, FactValue]:
    """What a report gives beside facts, by the names under which a case keeps it."""
    given = {name: value for name, value in zip(_ALIKE, _read_alike(report), strict=True) if value is not None}
    # By their very types: asking an abstract base for its instances costs as much as all that is given.
    if type(report) is ComplaintReceivedV1:
        if report.complainant_ref is not None:
            given["complainant_ref"] = report.complainant_ref
    elif type(report) is IncidentReportedV1:
        given["status"] = report.status
    return given
