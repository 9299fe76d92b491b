"""How long a clock of one case may run: as the plan says, as a fact says, or until a forecast moment."""

from datetime import datetime

from services.escalator.domain.decision import Turn
from services.escalator.domain.time_bases import Rules
from shared.plans.duties import CompiledClock
from shared.plans.facts import read_instant
from shared.plans.inputs import read_duration
from shared.plans.limits import Limit, LimitBase


def limit_of(turn: Turn, spec: CompiledClock, started_at: datetime) -> Limit | None:
    """The limit of this clock for this case, counted from `started_at`.

    None while a clock that counts down to a moment does not know it. What lies in the past already is a limit of
    nothing: the clock runs out at once.
    """
    if spec.before is not None:
        moment = read_instant(turn.case.inputs.get(spec.before))
        return _until(moment - spec.limit.elapsed, started_at) if moment is not None else None
    if spec.limit_fact is None:
        return spec.limit
    value = turn.case.inputs.get(spec.limit_fact)
    moment = read_instant(value)
    if moment is not None:
        return _until(moment, started_at)
    length = read_duration(value)
    return Limit(LimitBase.ELAPSED, round(length.total_seconds())) if length is not None else spec.limit


def _until(moment: datetime, started_at: datetime) -> Limit:
    return Limit(LimitBase.ELAPSED, max(0, int((moment - started_at).total_seconds())))


def end_of(rules: Rules, limit: Limit, start: datetime) -> datetime:
    """When a limit that begins at `start` is over. Raises NeedsCalendarError when nothing here can count it."""
    base = rules.base(limit)
    return base.due(base.counts_from(start), base.amount(limit, start))
