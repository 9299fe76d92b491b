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


def problems_with(base: WrittenFile, change: OverrideChange | SwapChange | LeaveChange) -> dict[str, str]:
    """What is wrong with a change, by its field; empty when it fits."""
    before = {(path, what) for path, what in problems_of(base)}
    found = [(path, what) for path, what in problems_of(_laid(base, change, None)) if (path, what) not in before]
    problems = {".".join(str(step) for step in path[2:]): what for path, what in found}
    if isinstance(change, LeaveChange):
        if change.person not in {person.id for person in base.people}:
            problems["person"] = f"there is no person '{change.person}'"
        problems = {name.removeprefix("leave.").lstrip("0123456789.") or name: what for name, what in problems.items()}
    return problems


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
