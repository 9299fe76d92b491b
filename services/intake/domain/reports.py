"""A report on its way into the register: what the caller posted, checked, with the hash that identifies it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake.domain.bodies import BODY_BY_KIND, ComplaintBody, IncidentBody, Route
from services.intake.domain.identity import complainant_ref, keyed_ref
from services.intake.domain.redaction import known_particulars, redact
from shared.contracts.json_guard import canonical
from shared.contracts.reports import ComplaintReceivedV1, IncidentReportedV1
from shared.contracts.values import MAX_NARRATIVE, MAX_TEXT, CaseKind, FactValue

_DERIVED_DIGITS: Final = 40


@dataclass(frozen=True, slots=True)
class Parted:
    """What a split adds to a report: whose part the new case was and when that was received, or what went away."""

    split_from: str | None = None
    received_at: datetime | None = None
    facts: tuple[str, ...] = ()
    reports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One accepted body with its identity.

    `original` is the canonical JSON of what was posted, without the complainant, who is in `identity`. `person_ref`
    names the person inside the register even when nothing may be published about who it is. `repeatable` reports (from
    alerting systems, which give no event ids) are new again when the case has changed in between. `parted`: it comes
    of a split, as the new case or as what is left of the old one. What is not `checked` against the plans is taken as
    it is: an alert is never turned away for a fact, the classification says what could not be used.
    """

    org: str
    body: ComplaintBody | IncidentBody
    event_id: str
    body_hash: bytes
    original: bytes
    identity: bytes | None
    complainant_ref: str | None
    person_ref: str | None
    repeatable: bool = False
    traceparent: str | None = None
    parted: Parted | None = None
    checked: bool = True

    @property
    def kind(self) -> CaseKind:
        return CaseKind.COMPLAINT if isinstance(self.body, ComplaintBody) else CaseKind.INCIDENT

    @property
    def case_key(self) -> tuple[str, str, str]:
        return (self.org, self.body.source, self.body.reference)

    @property
    def event_key(self) -> tuple[str, str, str]:
        return (self.org, self.body.source, self.event_id)


def prepare(
    route: Route,
    parsed: Mapping[str, Any],
    *,
    org: str,
    key: bytes,
    repeatable: bool = False,
    traceparent: str | None = None,
) -> Report:
    """The report of a parsed body. `key` keys the hashes of people. Raises pydantic.ValidationError naming fields."""
    body = BODY_BY_KIND[route].model_validate(parsed)
    whole = canonical(parsed)
    # A complaint and an incident with the same words are two different posts.
    digest = hashlib.sha256(route.encode() + b"\x00" + whole).digest()
    ref = person = None
    identity = None
    original = whole
    if isinstance(body, ComplaintBody) and body.complainant is not None:
        ref = complainant_ref(org, body.complainant, key)
        person = ref or keyed_ref(org, "case", f"{body.source}\x1f{body.reference}", key)
        identity = canonical(parsed["complainant"])
        original = canonical({name: value for name, value in parsed.items() if name != "complainant"})
    return Report(
        org=org,
        body=body,
        event_id=body.id or digest.hex()[:_DERIVED_DIGITS],
        body_hash=digest,
        original=original,
        identity=identity,
        complainant_ref=ref,
        person_ref=person,
        repeatable=repeatable and body.id is None,
        traceparent=traceparent,
        checked=not repeatable,
    )


def published(
    report: Report, *, number: str, sequence: int, received_at: datetime
) -> ComplaintReceivedV1 | IncidentReportedV1:
    """What travels: redacted, or without any words when the report is confidential. Validated already, so not again."""
    body, parted = report.body, report.parted or Parted()
    received_at = parted.received_at or received_at
    words = _Words(report)
    common: dict[str, Any] = {
        "number": number,
        "sequence": sequence,
        "source": body.source,
        "reference": body.reference,
        "channel": body.channel,
        "topic": body.topic,
        "category": body.category,
        "occurred_at": body.occurred_at or received_at,
        "received_at": received_at,
        "place": body.place,
        "title": words.clean(body.title, MAX_TEXT),
        "narrative": words.clean(body.narrative, MAX_NARRATIVE),
        "language": body.language,
        "facts": {name: words.fact(value) for name, value in body.facts.items()},
        "plans": body.plans,
        "confidential": body.confidential,
        "drill": body.drill,
        "split_from": parted.split_from,
        "moved_facts": parted.facts,
        "moved_reports": parted.reports,
    }
    if isinstance(body, IncidentBody):
        return IncidentReportedV1.model_construct(status=body.status, **common)
    return ComplaintReceivedV1.model_construct(complainant_ref=report.complainant_ref, **common)


class _Words:
    """Redaction with the particulars of this report's person."""

    def __init__(self, report: Report) -> None:
        self._confidential = report.body.confidential
        self._language = report.body.language
        person = report.body.complainant if isinstance(report.body, ComplaintBody) else None
        self._known = (
            known_particulars((person.name, person.phone, person.email, person.id_number, person.customer_number))
            if person is not None
            else ()
        )

    def clean(self, text: str | None, limit: int) -> str | None:
        if text is None or self._confidential:
            return None
        return redact(text, self._language, self._known)[:limit]

    def fact(self, value: FactValue) -> FactValue:
        if isinstance(value, str):
            return redact(value, self._language, self._known)[:MAX_TEXT]
        if isinstance(value, list):
            return [redact(text, self._language, self._known)[:MAX_TEXT] for text in value]
        return value


@dataclass(frozen=True, slots=True)
class Registered:
    """The register's answer. The same event gets the same one again, with `duplicate` set."""

    case_id: UUID
    number: str
    sequence: int
    event_id: str
    duplicate: bool = False


UNFIT: Final = "facts"
"""The code of a refusal because of the plans the report goes to; every other one is because of the register."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The report contradicts the register, or its plans; nothing was written. `fields` names what differs."""

    code: str
    detail: str
    fields: dict[str, str]


Outcome = Registered | Refused
