"""A silence as people write it, over the API or (quiet hours) in a roster, and what it means."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, TypeAdapter

from services.notifier.domain.roster import Hours, WorkingDays
from services.notifier.domain.roster_building import hours_of, instant_of
from services.notifier.domain.roster_file import WEEKDAYS, AllHours, Moment, Reason, Written
from services.notifier.domain.silences import Afterwards, Filter, Silence, SilenceKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import Name, Slug

_LONGEST: Final = timedelta(days=366 * 5)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Slugs = Annotated[tuple[Slug, ...], BeforeValidator(_listed), Field(max_length=100)]
_Names = Annotated[tuple[Name, ...], BeforeValidator(_listed), Field(max_length=100)]


class WrittenFilter(Written):
    plans: _Slugs = ()
    levels: _Slugs = ()
    topics: Annotated[_Names, Field(description="May have * and ?")] = ()
    places: Annotated[_Names, Field(description="Any of province, city, district, site")] = ()
    people: _Slugs = ()
    purposes: Annotated[tuple[Purpose, ...], BeforeValidator(_listed)] = ()


class WrittenSilence(WrittenFilter):
    """`from` and `to` are days or local times; `hours` make it recur between them."""

    kind: Literal["maintenance", "silence"] = "maintenance"
    begins: Annotated[Moment, Field(alias="from")]
    ends: Annotated[Moment, Field(alias="to")]
    hours: AllHours | None = None
    reason: Reason
    afterwards: Afterwards = Afterwards.TELL


class WrittenQuietHours(WrittenFilter):
    """Every week, by the wall clock of the organisation: messages that fit wait for the end of the hours."""

    hours: AllHours
    reason: Reason = "quiet hours"


SILENCE: Final[TypeAdapter[WrittenSilence]] = TypeAdapter(WrittenSilence)


@dataclass(frozen=True, slots=True)
class MadeSilence:
    """A silence with who made it and when, and who ended it before its time."""

    id: UUID
    org: str
    written: WrittenSilence
    made_by: str
    made_at: datetime
    ends_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None


def built_silence(
    written: WrittenSilence, *, silence_id: UUID, by: str, zone: ZoneInfo, calendar: WorkingDays
) -> Silence:
    """The silence by the organisation's time zone and calendar. Raises ValueError, beginning with the field."""
    begins_at = _instant("from", written.begins, zone, is_end=False)
    ends_at = _instant("to", written.ends, zone, is_end=True)
    if not begins_at < ends_at <= begins_at + _LONGEST:
        raise ValueError("to: must be after `from`, at most five years later")
    return Silence(
        id=str(silence_id),
        kind=SilenceKind(written.kind),
        filter=_filter(written),
        begins_at=begins_at,
        ends_at=ends_at,
        hours=_hours(written.hours, zone, calendar) if written.hours is not None else None,
        reason=written.reason,
        by=by,
        afterwards=written.afterwards,
    )


def built_quiet_hours(written: WrittenQuietHours, *, number: int, zone: ZoneInfo, calendar: WorkingDays) -> Silence:
    """Quiet hours of the settings as a standing silence. Raises ValueError, beginning with the field."""
    return Silence(
        id=f"quiet-{number}",
        kind=SilenceKind.QUIET_HOURS,
        filter=_filter(written),
        begins_at=None,
        ends_at=None,
        hours=_hours(written.hours, zone, calendar),
        reason=written.reason,
        by="settings",
    )


def _instant(field: str, moment: Moment, zone: ZoneInfo, *, is_end: bool) -> datetime:
    try:
        return instant_of(moment, zone, is_end=is_end)
    except ValueError as error:
        raise ValueError(f"{field}: '{moment}' is no day and no local time") from error


def _filter(written: WrittenFilter) -> Filter:
    return Filter(
        plans=written.plans,
        levels=written.levels,
        topics=written.topics,
        places=written.places,
        people=written.people,
        purposes=written.purposes,
    )


def _hours(written: AllHours, zone: ZoneInfo, calendar: WorkingDays) -> Hours:
    unknown = [day for one in written for day in one.days if day not in WEEKDAYS]
    if unknown:
        raise ValueError(f"hours: '{unknown[0][:20]}' is none of {', '.join(WEEKDAYS)}")
    return hours_of(written, zone, calendar)
