"""Judge cases by the version of their plan that is in force, where a named person wants them under it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from services.classifier.app.find_moving_cases import find_moving_cases
from services.classifier.app.judge_cases import Ports, judge_cases
from services.classifier.domain.moves import Wanted, wanted_of
from services.classifier.store.cases import forget_events
from shared.contracts.envelope import Event
from shared.db.engine import Database
from shared.kafka.outcome import DUPLICATE, Dead, Outcome, Skip

_NOT_OURS = Skip("no move to another version of a plan")
LookAgain = Callable[[], Awaitable[None]]


async def move_cases(
    events: Sequence[Event[Any]], database: Database, ports: Ports, look_again: LookAgain
) -> list[Outcome]:
    """Apply each command once; one outcome an event, in their order. Commands that move no case are passed over.

    A case that is under the version wanted stays as it is. What cannot be is published as refused, with the reason.
    `look_again` reads the plans on disk if they changed: the version wanted may have been published a moment ago.
    """
    wanted = {event.id: found for event in events if (found := wanted_of(event.data, event.id)) is not None}
    if not wanted:
        return [_NOT_OURS] * len(events)
    if any(_is_unknown(one, ports) for one in wanted.values()):
        await look_again()
    async with database.transaction() as tx:
        fresh = set(await tx.first_seen(list(wanted)))
        ours = [event for event in events if event.id in fresh]
        subjects, outcomes = await find_moving_cases(tx, ours, wanted, ports)
        refused = await judge_cases(tx, list(subjects.values()), ports)
        for event in ours:
            if event.case_id in refused:
                outcomes[event.id] = Dead(refused[event.case_id])
        await forget_events(tx, [event_id for event_id, outcome in outcomes.items() if isinstance(outcome, Dead)])
    return [outcomes.get(event.id, DUPLICATE if event.id in wanted else _NOT_OURS) for event in events]


def _is_unknown(wanted: Wanted, ports: Ports) -> bool:
    plan = ports.plans.current(wanted.plan)
    return plan is None or plan.ref.version != wanted.version or wanted.sha256 not in {None, plan.ref.sha256}
