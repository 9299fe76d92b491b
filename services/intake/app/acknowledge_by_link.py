"""The person a message was sent to acknowledges by its link: looked at any number of times, used once."""

from dataclasses import replace

from services.intake.app.answer_for_all import Desk
from services.intake.app.find_survivor import find_survivor
from services.intake.app.look_at_link import LinkState
from services.intake.app.register_reports import SOURCE
from services.intake.store.commands import CommandRow, add_command, link_used_at, use_link
from services.intake.store.register import find_case
from shared.access.links import AcknowledgementLink
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.values import Actor, ActorKind
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.tracing import next_span


async def acknowledge_by_link(
    database: Database, ids: Ids, link: AcknowledgementLink, traceparent: str | None, desk: Desk | None = None
) -> tuple[LinkState, bool]:
    """The state afterwards, and True when this very call acknowledged. Of two at once exactly one does."""
    state, is_first = await _acknowledged(database, ids, link, traceparent)
    # Asked when it is done: nobody's acknowledgement waits for the notifier.
    survivor = await find_survivor(database, desk, org=link.org, case_id=link.case_id, plan=link.plan or None)
    return replace(state, survivor=survivor), is_first


async def _acknowledged(
    database: Database, ids: Ids, link: AcknowledgementLink, traceparent: str | None
) -> tuple[LinkState, bool]:
    event_id = ids.new()
    async with database.transaction() as tx:
        case = await find_case(tx, link.org, case_id=link.case_id)
        number = case.number if case is not None else None
        if not await use_link(
            tx, intent_id=link.intent_id, org=link.org, case_id=link.case_id, person=link.person, event_id=event_id
        ):
            return LinkState(number, await link_used_at(tx, link.intent_id)), False
        actor = Actor(kind=ActorKind.LINK, ref=link.person)
        await add_command(
            tx,
            CommandRow(
                org=link.org,
                request_key=f"link:{link.intent_id}",
                event_id=event_id,
                case_id=link.case_id,
                command=CommandKind.ACKNOWLEDGE,
                actor=actor,
                key_prefix=None,
                body_hash=b"",
            ),
        )
        data = CommandIssuedV1(
            command=CommandKind.ACKNOWLEDGE,
            actor=actor,
            issued_at=tx.now,
            plan=link.plan or None,
            request_id=str(link.intent_id),
        )
        tx.outbox.add(
            Event(
                id=event_id,
                source=SOURCE,
                time=tx.now,
                org=link.org,
                case_id=link.case_id,
                data=data,
                traceparent=next_span(traceparent),
            )
        )
        return LinkState(number, tx.now), True
