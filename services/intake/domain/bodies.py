"""What a caller may post. Unknown fields are refused by name; everything else a report needs is filled in here."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.contracts.reports import IncidentStatus
from shared.contracts.values import Facts, Language, LongText, Name, Place, Slug, Text

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2200


class Body(BaseModel):
    """Base of request bodies: frozen, closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _only_text(value: object) -> object:
    """A bare number could be seconds, milliseconds or a mistake."""
    if isinstance(value, datetime | str | None):
        return value
    raise ValueError("must be RFC 3339 text such as 2026-11-22T08:30:00+08:00")


def _in_range(value: datetime) -> datetime:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"the year must lie between {_FIRST_YEAR} and {_LAST_YEAR}")
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_in_range)]
"""An instant with an offset, kept in UTC."""

EventId = Annotated[Name, Field(description="The source's own id of this event: posting it again changes nothing")]


class PlaceBody(Place):
    """Where it happened, no finer than a site."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Complainant(Body):
    """Who complains. Stays in the register, encrypted; nothing of it travels."""

    name: Name | None = None
    phone: Annotated[Name | None, Field(description="As given; normalised for recognising repeats")] = None
    email: Name | None = None
    id_number: Name | None = None
    customer_number: Name | None = None
    address: Text | None = None
    organisation: Text | None = None
    note: Text | None = None
    tell: Annotated[
        Literal["sms", "email"] | None,
        Field(description="Asked to be told what the plan has complainants told, by this; absent: not"),
    ] = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if (self.tell == "sms" and self.phone is None) or (self.tell == "email" and self.email is None):
            raise ValueError(f"tell: '{self.tell}' needs {'phone' if self.tell == 'sms' else 'email'}")
        return self


class ReportBody(Body):
    """What complaints and incidents share. `reference` is the source's own name of the case."""

    id: EventId | None = None
    source: Annotated[Name, Field(description="The system or channel that reports, such as `call-centre`")]
    reference: Annotated[Name, Field(description="The source's number of the case: a known one adds facts to it")]
    channel: Name | None = None
    topic: Annotated[Name | None, Field(description="What it is about; plans count by it")] = None
    category: Name | None = None
    occurred_at: Annotated[Moment | None, Field(description="Absent: when it was received")] = None
    place: PlaceBody = PlaceBody()
    title: Text | None = None
    narrative: LongText | None = None
    language: Language = "zh"
    facts: Facts = Field(default_factory=dict)
    plans: Annotated[tuple[Slug, ...], Field(max_length=10, description="Absent: by routing")] = ()
    confidential: Annotated[bool, Field(strict=True, description="Publish neither title nor narrative")] = False
    drill: Annotated[bool, Field(strict=True)] = False


class ComplaintBody(ReportBody):
    """A complaint, or more about one."""

    complainant: Complainant | None = None


class IncidentBody(ReportBody):
    """An incident, or a change of one."""

    status: IncidentStatus = IncidentStatus.FIRING


class Route(StrEnum):
    """Which body a report has."""

    COMPLAINT = "complaint"
    INCIDENT = "incident"


BODY_BY_KIND: Final[dict[Route, type[ComplaintBody] | type[IncidentBody]]] = {
    Route.COMPLAINT: ComplaintBody,
    Route.INCIDENT: IncidentBody,
}
