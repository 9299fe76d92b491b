"""Why the clocks of a case are due when they are: asked of the escalator, with the words of the plans put in."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from services.console.app.find_case import find_case
from services.console.channels.clocks import ClockReader
from services.console.channels.questions import AwayError
from services.console.domain.plan_words import PlanWords
from shared.db.engine import Database
from shared.plans.description_words import length

_LENGTHS = ("gross", "net", "stood_still")


@dataclass(frozen=True, slots=True)
class ClocksView:
    """`problem`: why there is nothing to show. `plans` are the case under each plan, with its clocks."""

    case_id: str
    number: str
    plans: tuple[dict[str, Any], ...] = ()
    problem: Literal["none", "away", "unknown"] | None = None


async def read_clocks(
    org: str, wanted: str, *, database: Database, clocks: ClockReader | None, words: PlanWords
) -> ClocksView | None:
    """By id or number; None when the organisation has no such case."""
    case_id = await find_case(org, wanted, database=database)
    if case_id is None:
        return None
    if clocks is None:
        return ClocksView(str(case_id), wanted, problem="none")
    try:
        found = await clocks.explain(case_id)
    except AwayError:
        return ClocksView(str(case_id), wanted, problem="away")
    if not found:
        return ClocksView(str(case_id), wanted, problem="unknown")
    plans = tuple(
        {
            **one,
            "plan_words": words.title(one["plan"]).model_dump(),
            "clocks": [_clock(clock, one["plan"], words) for clock in one["clocks"]],
        }
        for one in found
    )
    return ClocksView(str(case_id), found[0]["number"], plans)


def _clock(clock: dict[str, Any], plan: str, words: PlanWords) -> dict[str, Any]:
    lengths = {name: str(timedelta(seconds=round(clock[name]))) for name in _LENGTHS}
    late = [{**post, "late_by": _late(post["late_by"])} for post in clock["mileposts"]]
    limit = length(clock["limit"])
    return {
        **clock,
        **lengths,
        "limit_words": {"zh": limit.zh, "en": limit.en},
        "mileposts": late,
        "words": words.clock(plan, clock["id"], clock["label"]).model_dump(),
    }


def _late(seconds: float | None) -> str | None:
    return None if seconds is None else str(timedelta(seconds=round(seconds, 3)))


__all__ = ["ClockReader", "ClocksView", "read_clocks"]
