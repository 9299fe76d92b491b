"""A role's duty as stretches of time: for timetables, feeds, gaps and hand-overs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_duty import Duties, changes, on_duty


@dataclass(frozen=True, slots=True)
class Segment:
    """Who is on duty from `begins_at` until just before `ends_at`. `duties` have the reasons of the beginning."""

    begins_at: datetime
    ends_at: datetime
    duties: Duties

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(duty.person.id for duty in self.duties)


@dataclass(frozen=True, slots=True)
class Handover:
    """Duty of a role passes at `at` from those who leave to those who come; either may be nobody."""

    role: str
    at: datetime
    leaving: tuple[str, ...]
    coming: tuple[str, ...]


def timeline(
    roster: Roster, role: str, begins_at: datetime, ends_at: datetime, *, by_reason: bool = False
) -> Iterator[Segment]:
    """The stretches of [begins_at, ends_at) in order, without holes.

    Neighbours differ in their people, with `by_reason` in their people or the reasons.
    """
    current: Segment | None = None
    moments = changes(roster, role, begins_at, ends_at) if begins_at < ends_at else []
    for begins, ends in zip(moments, [*moments[1:], ends_at], strict=True):
        duties = on_duty(roster, role, begins)
        if current is not None and _same(current.duties, duties, by_reason=by_reason):
            current = Segment(current.begins_at, ends, current.duties)
            continue
        if current is not None:
            yield current
        current = Segment(begins, ends, duties)
    if current is not None:
        yield current


def handovers(roster: Roster, role: str, begins_at: datetime, ends_at: datetime) -> Iterator[Handover]:
    """Every change of people at or after `begins_at` and before `ends_at`."""
    before: Segment | None = None
    for segment in timeline(roster, role, begins_at - timedelta(microseconds=1), ends_at):
        if before is not None:
            leaving = tuple(one for one in before.people if one not in segment.people)
            coming = tuple(one for one in segment.people if one not in before.people)
            # The same people in another order hand nothing over.
            if leaving or coming:
                yield Handover(role, segment.begins_at, leaving, coming)
        before = segment


def _same(before: Duties, after: Duties, *, by_reason: bool) -> bool:
    if by_reason:
        return before == after
    return [duty.person.id for duty in before] == [duty.person.id for duty in after]
