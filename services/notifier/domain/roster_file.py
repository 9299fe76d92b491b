"""The keys of a roster file, one model for each kind of entry. What an entry means is told in `roster`."""

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.notifier.domain.rotation import Period
from shared.contracts.values import Bilingual, ChannelKind, Language, Slug


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name[:60]}' is not an IANA time zone") from error
    return name


class Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Zone = Annotated[str, AfterValidator(_checked_zone)]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, 24 hours")]
Moment = Annotated[
    str, Field(description="A day, or a local time such as 2026-11-22 09:00; an offset is allowed", max_length=40)
]
Address = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")]


class WrittenContact(Written):
    channel: ChannelKind
    to: Address
    id: Slug | None = None


class WrittenLeave(Written):
    begins: Annotated[Moment, Field(alias="from")]
    ends: Annotated[Moment, Field(alias="to")]
    reason: Annotated[str, Field(max_length=100)] = "leave"


class WrittenPerson(Written):
    id: Slug
    name: Bilingual
    contacts: tuple[WrittenContact, ...]
    deputy: Slug | None = None
    leave: tuple[WrittenLeave, ...] = ()
    language: Language | None = None


class WrittenTeam(Written):
    id: Slug
    people: Annotated[tuple[Slug, ...], Field(min_length=1)]


class WrittenRotation(Written):
    id: Slug
    every: Period
    length: Annotated[int, Field(ge=1, le=52)] = 1
    start: date
    handover: WallTime
    timezone: Zone | None = None
    people: Annotated[tuple[Slug, ...], Field(min_length=1)]


class WrittenSource(Written):
    person: Slug | None = None
    team: Slug | None = None
    rotation: Slug | None = None
    role: Slug | None = None


class WrittenHours(Written):
    days: Annotated[tuple[str, ...], Field(min_length=1)]
    begins: Annotated[WallTime, Field(alias="from")]
    ends: Annotated[WallTime, Field(alias="to")]


class WrittenRole(Written):
    id: Slug
    name: Bilingual
    duty: Annotated[tuple[WrittenSource, ...], Field(min_length=1)]
    hours: WrittenHours | None = None
    off_hours: tuple[WrittenSource, ...] = ()


class WrittenOverride(Written):
    role: Slug
    people: Annotated[tuple[Slug, ...], Field(min_length=1)]
    begins: Annotated[Moment, Field(alias="from")]
    ends: Annotated[Moment, Field(alias="to")]
    reason: Annotated[str, Field(min_length=1, max_length=100)]


class WrittenFile(Written):
    organisation: Annotated[str, Field(min_length=1, max_length=120)]
    timezone: Zone
    people: Annotated[tuple[WrittenPerson, ...], Field(min_length=1)]
    teams: tuple[WrittenTeam, ...] = ()
    rotations: tuple[WrittenRotation, ...] = ()
    roles: Annotated[tuple[WrittenRole, ...], Field(min_length=1)]
    overrides: tuple[WrittenOverride, ...] = ()
