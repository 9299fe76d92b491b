"""Before duty passes from one to another both are told who hands over to whom, and when."""

from services.notifier.app.rules import Book
from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_notices import about_handover, handover_key
from services.notifier.domain.roster_timeline import Handover, handovers
from services.notifier.store.roster_records import first_announced
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, Purpose
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids


async def announce_handovers(*, book: Book, database: Database, ids: Ids) -> int:
    """How many hand-overs were announced now. A role without `handover_notice` announces nothing.

    Where nobody leaves nothing is handed over: whoever comes ends a gap, and gaps are reported.
    """
    announced = 0
    for org in book.organisations():
        roster = book.of(org)
        if roster is None:
            continue
        noticed = [(role, role.handover_notice) for role in roster.roles.values() if role.handover_notice is not None]
        if not noticed:
            continue
        async with database.transaction() as tx:
            due = {
                handover_key(one): one
                for role, notice in noticed
                for one in handovers(roster, role.id, tx.now, tx.now + notice)
                if one.leaving
            }
            for key in sorted(await first_announced(tx, org, list(due))) if due else ():
                _request(tx, org, roster, due[key], ids)
                announced += 1
    return announced


def _request(tx: Tx, org: str, roster: Roster, handover: Handover, ids: Ids) -> None:
    tx.outbox.add(
        Event(
            id=ids.new(),
            source="/fenghuo/notifier",
            time=tx.now,
            org=org,
            case_id=ids.new(),
            data=NotificationRequestedV1(
                request_id=ids.new(),
                purpose=Purpose.INFORM,
                roles=(handover.role,),
                people=(*handover.leaving, *handover.coming),
                channels=(ChannelKind.SMS, ChannelKind.EMAIL),
                step=0,
                subject=about_handover(roster, handover),
                requested_at=tx.now,
            ),
        )
    )
