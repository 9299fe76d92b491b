"""Judge the case that goes on for another by what is known of both."""

from collections.abc import Sequence
from uuid import UUID

from services.classifier.app.judge_cases import Ports, Subject, judge_cases
from services.classifier.app.unite_cases import RunKey, unite_cases
from services.classifier.domain.announcements import Cause
from services.classifier.domain.mergers import Merger
from services.classifier.store.cases import forget_events, lock_cases
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseMergedV1
from shared.db.engine import Database
from shared.kafka.outcome import DONE, DUPLICATE, Dead, Outcome, Skip


async def absorb_cases(events: Sequence[Event[CaseMergedV1]], database: Database, ports: Ports) -> list[Outcome]:
    """Apply each merger once; one outcome an event, in their order.

    What was given of the merged case counts where the other case does not know better, and it counts in windows only
    through that one. Without a case that goes on for it, it is judged by itself again.
    """
    async with database.transaction() as tx:
        fresh = await tx.first_seen([event.id for event in events])
        ours = {event.id: event for event in events if event.id in fresh}
        stored = await lock_cases(tx, [event.case_id for event in ours.values()])
        subjects: dict[UUID, Subject] = {}
        mergers: dict[RunKey, Merger] = {}
        outcomes: dict[UUID, Outcome] = {}
        for event in ours.values():
            case, plan = stored.get(event.case_id), event.data.plan.name
            if case is None or case.org != event.org or plan not in case.runs:
                outcomes[event.id] = Skip(f"case {event.case_id} does not run under plan '{plan}' here")
                continue
            outcomes[event.id] = DONE
            merger = Merger(event.data.revision, event.data.into)
            known = mergers.get((event.case_id, plan))
            if known is None or known.revision < merger.revision:
                mergers[event.case_id, plan] = merger
            subjects[event.case_id] = Subject(
                case_id=event.case_id,
                org=case.org,
                state=case.state,
                runs=case.runs,
                unrouted_since=case.unrouted_since,
                new=False,
                route=False,
                cause=Cause(str(event.id), event.traceparent),
            )
        united = await unite_cases(tx, subjects, ports, mergers)
        refused = await judge_cases(tx, list(united.values()), ports)
        for event in ours.values():
            if event.case_id in refused:
                outcomes[event.id] = Dead(refused[event.case_id])
        await forget_events(tx, [event_id for event_id, outcome in outcomes.items() if isinstance(outcome, Dead)])
    return [outcomes.pop(event.id, DUPLICATE) for event in events]
