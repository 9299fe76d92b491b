"""A role's stretches of duty laid out by day, for a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a day. `begins` is the wall time of its beginning, None when it goes on from the day before."""

    begins: str | None
    people: tuple[Mapping[str, str], ...]
    because: tuple[Mapping[str, str], ...]
    is_gap: bool


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role: who is on duty now, who comes next and when, and every day's stretches."""

    role: str
    label: Mapping[str, str]
    now: Stretch
    until: datetime | None
    following: Stretch | None
    days: tuple[tuple[Stretch, ...], ...]
    has_gap: bool


def days_of(begins_at: datetime, count: int, zone: ZoneInfo) -> tuple[date, ...]:
    """The local days of the page, today first."""
    today = begins_at.astimezone(zone).date()
    return tuple(today + timedelta(days=number) for number in range(count))


def lay_out(role: Mapping[str, Any], days: Sequence[date], zone: ZoneInfo) -> RoleRow:
    """The row of one role of a timetable; its stretches follow each other without holes."""
    may_be_empty = bool(role["may_be_empty"])
    parts = [
        (
            datetime.fromisoformat(one["begins_at"]).astimezone(zone),
            datetime.fromisoformat(one["ends_at"]).astimezone(zone),
            one["on_duty"],
        )
        for one in role["segments"]
    ]
    by_day = []
    for day in days:
        dawn, dusk = datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)
        by_day.append(
            tuple(
                _stretch(begins if begins >= dawn and begins != parts[0][0] else None, duty, may_be_empty)
                for begins, ends, duty in parts
                if begins < dusk and ends > dawn
            )
        )
    after = parts[1] if len(parts) > 1 else None
    return RoleRow(
        role=role["role"],
        label=role["label"],
        now=_stretch(None, parts[0][2], may_be_empty),
        until=after[0] if after else None,
        following=_stretch(after[0], after[2], may_be_empty) if after else None,
        days=tuple(by_day),
        has_gap=not may_be_empty and any(not duty for _, _, duty in parts),
    )


def _stretch(begins: datetime | None, duty: Sequence[Mapping[str, Any]], may_be_empty: bool) -> Stretch:  # noqa: FBT001  # a property of the role
    return Stretch(
        begins=f"{begins:%H:%M}" if begins is not None else None,
        people=tuple(one["label"] for one in duty),
        because=tuple(one["because"] for one in duty),
        is_gap=not duty and not may_be_empty,
    )
