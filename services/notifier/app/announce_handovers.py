"""Before duty passes from one to another, and when it does, both are told who hands over to whom, and which cases."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from services.notifier.app.rules import Book
from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_notices import TEMPLATES, OpenCase, about_handover, handover_key
from services.notifier.domain.roster_timeline import Handover, handovers
from services.notifier.store import noise as noise_rows
from services.notifier.store.roster_records import first_announced
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, Purpose
from shared.contracts.values import Bilingual, ChannelKind
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids

_STILL_TOLD: Final = timedelta(minutes=15)
_LOOKED_BACK: Final = timedelta(days=30)


async def announce_handovers(*, book: Book, database: Database, ids: Ids) -> int:
    """How many notices went out now. A role without `handover_notice` gives none.

    Where nobody leaves nothing is handed over: whoever comes ends a gap, and gaps are reported. A hand-over that took
    place while nobody looked is still told of for a while, its notice ahead is not.
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
                handover_key(one, passed=one.at <= tx.now): one
                for role, notice in noticed
                for one in handovers(roster, role.id, tx.now - _STILL_TOLD, tx.now + notice)
                if one.leaving
            }
            for key in sorted(await first_announced(tx, org, list(due))) if due else ():
                await _request(tx, org, roster, due[key], ids)
                announced += 1
    return announced


async def _request(tx: Tx, org: str, roster: Roster, handover: Handover, ids: Ids) -> None:
    rows = await noise_rows.open_cases(tx, org, handover.role, tx.now - _LOOKED_BACK)
    cases = [OpenCase(row["number"], _level(row), row["acknowledged"]) for row in rows]
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
                subject=about_handover(roster, handover, cases, passed=handover.at <= tx.now),
                templates=TEMPLATES,
                requested_at=tx.now,
            ),
        )
    )


def _level(row: Mapping[str, Any]) -> Bilingual | None:
    """As its page called it; to a reader of English by the plan's own word where it had no other."""
    label = row["level_label"]
    return None if label is None else Bilingual(zh=label, en=row["level_label_en"] or row["level"] or label)
