"""The keys of a roster file, one model for each kind of entry. What an entry means is told in `roster`."""

from datetime import date
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.notifier.domain.roster import DayKind
from services.notifier.domain.rotation import Period
from shared.contracts.values import Bilingual, ChannelKind, Language, Slug

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"'{name[:60]}' is not an IANA time zone") from error
    return name


def _listed(value: object) -> object:
    """One entry may be written without the brackets of a list."""
    return [value] if isinstance(value, str | dict) else value


class Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Zone = Annotated[str, AfterValidator(_checked_zone)]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, 24 hours")]
Moment = Annotated[
    str, Field(description="A day, or a local time such as 2026-11-22 09:00; an offset is allowed", max_length=40)
]
Address = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")]
Length = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[mhd]$", description="Such as 30m, 2h or 1d")]
Reason = Annotated[str, Field(min_length=1, max_length=100)]
Slugs = Annotated[tuple[Slug, ...], BeforeValidator(_listed), Field(min_length=1, max_length=500)]


class WrittenContact(Written):
    channel: ChannelKind
    to: Address
    id: Slug | None = None
    verified: Annotated[
        bool, Field(description="The roster vouches for it; else its person has to answer a code sent there")
    ] = False


class WrittenLeave(Written):
    begins: Annotated[Moment, Field(alias="from")]
    ends: Annotated[Moment, Field(alias="to")]
    reason: Annotated[str, Field(max_length=100)] = "leave"
    deputy: Slug | None = None
    by: Annotated[str | None, Field(max_length=60)] = None


class WrittenPerson(Written):
    id: Slug
    name: Bilingual
    contacts: tuple[WrittenContact, ...]
    deputy: Annotated[tuple[Slug, ...], BeforeValidator(_listed)] = ()
    leave: tuple[WrittenLeave, ...] = ()
    language: Language | None = None
    room: Annotated[bool, Field(description="A duty room with an address of its own: it never goes on leave")] = False


class WrittenTeam(Written):
    id: Slug
    people: Annotated[tuple[Slug, ...], Field(min_length=1)]


class WrittenRotation(Written):
    id: Slug
    every: Period
    length: Annotated[int, Field(ge=1, le=52)] = 1
    start: date
    handover: Annotated[tuple[WallTime, ...], BeforeValidator(_listed), Field(min_length=1, max_length=24)]
    timezone: Zone | None = None
    people: Annotated[
        tuple[Slugs, ...], Field(min_length=1, max_length=500, description="Turns: a person, or several in brackets")
    ]


class WrittenSource(Written):
    person: Slug | None = None
    team: Slug | None = None
    rotation: Slug | None = None
    role: Slug | None = None


class WrittenHours(Written):
    days: Annotated[tuple[str, ...], Field(min_length=1)] = WEEKDAYS
    on: Annotated[DayKind, Field(description="Only working days or only days of rest, by the calendar")] = DayKind.ANY
    begins: Annotated[WallTime, Field(alias="from")] = "00:00"
    ends: Annotated[WallTime, Field(alias="to")] = "00:00"


Sources = Annotated[tuple[WrittenSource, ...], Field(min_length=1)]
AllHours = Annotated[tuple[WrittenHours, ...], BeforeValidator(_listed), Field(min_length=1, max_length=50)]


class WrittenLayer(Written):
    id: Slug
    duty: Sources
    hours: AllHours | None = None


class WrittenRole(Written):
    id: Slug
    name: Bilingual
    duty: Sources
    hours: AllHours | None = None
    layers: tuple[WrittenLayer, ...] = ()
    off_hours: tuple[WrittenSource, ...] = ()
    when_nobody: tuple[WrittenSource, ...] = ()
    may_be_empty: bool = False
    handover_notice: Length | None = None


class WrittenOverride(Written):
    role: Slug
    people: Slugs
    begins: Annotated[Moment, Field(alias="from")]
    ends: Annotated[Moment, Field(alias="to")]
    reason: Reason
    adds: bool = False
    by: Annotated[str | None, Field(max_length=60)] = None


class WrittenSpan(Written):
    begins: Annotated[Moment, Field(alias="from")]
    ends: Annotated[Moment, Field(alias="to")]


class WrittenSwap(Written):
    """`between[1]` takes the turns of `between[0]` from … to …; the other way round `back`, or in the same time."""

    between: Annotated[tuple[Slug, Slug], Field(description="Whose turns, and who takes them")]
    begins: Annotated[Moment, Field(alias="from")]
    ends: Annotated[Moment, Field(alias="to")]
    back: WrittenSpan | None = None
    rotation: Slug | None = None
    reason: Reason
    by: Annotated[str | None, Field(max_length=60)] = None


class WrittenFile(Written):
    organisation: Annotated[str, Field(min_length=1, max_length=120)]
    timezone: Zone
    calendar: Annotated[Slug | None, Field(description="Working days; absent: Monday to Friday")] = None
    owner: Annotated[Slug | None, Field(description="The role that is told of gaps found ahead")] = None
    page_unverified: Annotated[
        bool, Field(description="Whether addresses that nobody verified are used, after those that are, with a warning")
    ] = True
    people: Annotated[tuple[WrittenPerson, ...], Field(min_length=1)]
    teams: tuple[WrittenTeam, ...] = ()
    rotations: tuple[WrittenRotation, ...] = ()
    roles: Annotated[tuple[WrittenRole, ...], Field(min_length=1)]
    overrides: tuple[WrittenOverride, ...] = ()
    swaps: tuple[WrittenSwap, ...] = ()
