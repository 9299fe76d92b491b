"""What will go wrong with rosters is counted, logged, and said once to the role that owns the roster."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Final

from services.notifier.app.rules import Book, Rules
from services.notifier.domain.roster import Roster
from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_findings import Finding, FindingKind
from services.notifier.domain.roster_notices import TEMPLATES, about_findings, keys_of
from services.notifier.store.roster_records import first_announced
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, Purpose
from shared.contracts.values import ChannelKind
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import ROSTER_FINDINGS

_log = get_logger(__name__)
_CHANNELS: Final = (ChannelKind.EMAIL, ChannelKind.SMS)


async def report_findings(*, book: Book, rules: Rules, database: Database, ids: Ids, days: int) -> int:
    """How many findings are new. Each is announced once, whichever replica found it and however often it restarts."""
    in_use = frozenset(channel for channel, providers in rules.providers.items() if providers)
    new = 0
    for org in book.organisations():
        roster = book.of(org)
        if roster is None:
            continue
        async with database.transaction() as tx:
            until = tx.now + timedelta(days=days)
            found = await asyncio.to_thread(check_roster, roster, tx.now, until, channels=in_use)
            keys = {one: keys_of(one, tx.now, until) for one in found}
            fresh = await first_announced(tx, org, [key for some in keys.values() for key in some])
            told = [one for one in found if keys[one] <= fresh]
            if told and roster.owner is not None:
                tx.outbox.add(_request(tx, roster, told, days, ids))
        counts = Counter(one.kind for one in found)
        for kind in FindingKind:
            ROSTER_FINDINGS.labels(org, kind.value).set(counts[kind])
        for one in told:
            _log.warning(
                "roster.finding", org=org, kind=one.kind.value, role=one.role, person=one.person, what=one.what.en
            )
        new += len(told)
    return new


def _request(tx: Tx, roster: Roster, found: list[Finding], days: int, ids: Ids) -> Event[NotificationRequestedV1]:
    """By the outbox like everybody's requests, so that it is in the ledger and survives whatever happens here."""
    return Event(
        id=ids.new(),
        source="/fenghuo/notifier",
        time=tx.now,
        org=roster.organisation,
        case_id=ids.new(),
        data=NotificationRequestedV1(
            request_id=ids.new(),
            purpose=Purpose.INFORM,
            roles=(str(roster.owner),),
            channels=_CHANNELS,
            step=0,
            subject=about_findings(found, days, tx.now),
            templates=TEMPLATES,
            requested_at=tx.now,
        ),
    )
