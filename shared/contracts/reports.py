"""What intake registered: topics `complaints-received` and `incidents-reported`."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.values import MAX_FACTS, Contract, Facts, Instant, Language, LongText, Name, Place, Slug, Text


class CaseReport(Contract):
    """One registered fact about one case. A case begins with `sequence` 1; later reports add or correct facts.

    `facts` holds only what this report gives: consumers merge reports by `sequence`, the later one wins per fact.
    Personal data never appears: the complainant is a keyed hash, the narrative is redacted or absent.
    """

    number: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,40}$", description="What people say aloud")]
    sequence: Annotated[int, Field(ge=1)]
    source: Name
    reference: Name
    channel: Name | None = None
    topic: Annotated[Name | None, Field(description="What it is about; windows count by it")] = None
    category: Name | None = None
    occurred_at: Instant
    received_at: Instant
    place: Place = Place()
    title: Text | None = None
    narrative: LongText | None = None
    language: Language = "zh"
    facts: Facts = Field(default_factory=dict)
    plans: Annotated[
        tuple[Slug, ...], Field(max_length=10, description="Plans asked for by name; empty: by routing")
    ] = ()
    confidential: bool = False
    drill: bool = False
    split_from: Annotated[
        str | None, Field(max_length=40, description="Number of the case this one was part of until it was split")
    ] = None
    moved_facts: Annotated[
        tuple[str, ...], Field(max_length=MAX_FACTS, description="Known of another case from now on, not of this one")
    ] = ()
    moved_reports: Annotated[
        tuple[int, ...], Field(max_length=MAX_FACTS, description="Sequences whose words belong to another case")
    ] = ()


class ComplaintReceivedV1(CaseReport):
    """A complaint was registered, or more became known about it."""

    TYPE: ClassVar[str] = "fenghuo.complaint.received.v1"

    complainant_ref: Annotated[
        str | None,
        Field(pattern=r"^[0-9a-f]{32}$", description="Keyed hash: repeats can be counted, nobody named"),
    ] = None


class IncidentStatus(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


class IncidentReportedV1(CaseReport):
    """An incident was reported by a person or an alerting system, or its status changed."""

    TYPE: ClassVar[str] = "fenghuo.incident.reported.v1"

    status: IncidentStatus = IncidentStatus.FIRING
