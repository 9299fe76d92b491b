"""Changes made beside the file: overrides, swaps and leave, laid over a roster as if they stood in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter

from services.notifier.domain.roster_building import instant_of
from services.notifier.domain.roster_file import WrittenFile, WrittenLeave, WrittenOverride, WrittenSwap
from services.notifier.domain.roster_problems import Path
from services.notifier.domain.roster_references import problems_of
from shared.contracts.values import Slug


class OverrideChange(WrittenOverride):
    kind: Literal["override"]


class SwapChange(WrittenSwap):
    kind: Literal["swap"]


class LeaveChange(WrittenLeave):
    kind: Literal["leave"]
    person: Slug


_NAMED: Final = 60
Change = Annotated[OverrideChange | SwapChange | LeaveChange, Field(discriminator="kind")]
CHANGE: TypeAdapter[OverrideChange | SwapChange | LeaveChange] = TypeAdapter(Change)
AnyChange = OverrideChange | SwapChange | LeaveChange


@dataclass(frozen=True, slots=True)
class MadeChange:
    """A change with who made it and when. `ends_at`: after this it changes nothing any more."""

    id: UUID
    org: str
    change: OverrideChange | SwapChange | LeaveChange
    made_by: str
    made_at: datetime
    ends_at: datetime
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


def overlaid(base: WrittenFile, changes: Iterable[MadeChange]) -> tuple[WrittenFile, tuple[MadeChange, ...]]:
    """The roster with every change that fits it, and those that do not: somebody or something they name is gone."""
    wanted = tuple(changes)
    whole = _with(base, wanted)
    if not problems_of(whole):
        return whole, ()
    unfit = tuple(one for one in wanted if problems_of(_with(base, (one,))))
    return _with(base, tuple(one for one in wanted if one not in unfit)), unfit


def problems_with(base: WrittenFile, changes: Sequence[AnyChange]) -> dict[int, dict[str, str]]:
    """What is wrong with changes to a sound roster: by their number, then by field. Empty when all of them fit."""
    whole = base
    places: dict[Path, int] = {}
    found: dict[int, dict[str, str]] = {}
    people = {person.id: at for at, person in enumerate(base.people)}
    for number, change in enumerate(changes):
        place: Path
        match change:
            case OverrideChange():
                place = ("overrides", len(whole.overrides))
            case SwapChange():
                place = ("swaps", len(whole.swaps))
            case LeaveChange() if change.person in people:
                at = people[change.person]
                place = ("people", at, "leave", len(whole.people[at].leave))
                places.setdefault(place[:-1], number)
            case _:
                found[number] = {"person": f"there is no person '{change.person}'"}
                continue
        places[place] = number
        whole = _laid(whole, change, None)
    for path, what in problems_of(whole):
        owner = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in places), None)
        if owner is not None:
            # What is wrong with any leave of somebody is wrong with the person the change names.
            field = ".".join(str(step) for step in path[len(owner) :]) or "person"
            found.setdefault(places[owner], {})[field] = what
    return found


def called(fields: Mapping[str, Any]) -> str:
    """What a change as it was sent is known by among others: its kind and who or what it is about."""
    about = fields.get("role") or fields.get("person") or fields.get("between")
    whom = (
        " / ".join(str(one)[:_NAMED] for one in about[:2]) if isinstance(about, list | tuple) else str(about)[:_NAMED]
    )
    return f"{str(fields.get('kind', 'change'))[:_NAMED]} of {whom}: " if about else ""


def end_of(change: OverrideChange | SwapChange | LeaveChange, zone: ZoneInfo) -> datetime:
    """When a change that fits is over."""
    ends = [instant_of(change.ends, zone, is_end=True)]
    if isinstance(change, SwapChange) and change.back is not None:
        ends.append(instant_of(change.back.ends, zone, is_end=True))
    return max(ends)


def _with(base: WrittenFile, changes: Sequence[MadeChange]) -> WrittenFile:
    for one in changes:
        base = _laid(base, one.change, one.made_by)
    return base


def _laid(base: WrittenFile, change: OverrideChange | SwapChange | LeaveChange, by: str | None) -> WrittenFile:
    fields = change.model_dump(by_alias=True, exclude={"kind", "person"})
    fields["by"] = change.by or by
    match change:
        case OverrideChange():
            return base.model_copy(update={"overrides": (*base.overrides, WrittenOverride.model_validate(fields))})
        case SwapChange():
            return base.model_copy(update={"swaps": (*base.swaps, WrittenSwap.model_validate(fields))})
        case LeaveChange():
            leave = WrittenLeave.model_validate(fields)
            people = tuple(
                person.model_copy(update={"leave": (*person.leave, leave)}) if person.id == change.person else person
                for person in base.people
            )
            return base.model_copy(update={"people": people})
