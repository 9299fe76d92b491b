"""Writes a live test down and puts its request on the way, within the caller's transaction."""

from datetime import timedelta
from typing import Final

from services.notifier.domain.live_tests import Answer, LiveTest, Wanted, about_test, number_of, people_to_ask, role_for
from services.notifier.domain.roster import Roster
from services.notifier.store.live_tests import add_test
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, Purpose
from shared.contracts.values import ChannelKind
from shared.db.tx import Tx
from shared.runtime.ids import Ids

_CHANNELS: Final = (ChannelKind.SMS, ChannelKind.EMAIL, ChannelKind.IM, ChannelKind.VOICE)


class NobodyToAskError(LookupError):
    """There is no roster, no such role or person in it, or nobody holds the role now."""


async def ask_for_answers(tx: Tx, roster: Roster, wanted: Wanted, *, wait: timedelta, by: str, ids: Ids) -> LiveTest:
    """Within the caller's transaction. Raises NobodyToAskError."""
    try:
        people = people_to_ask(roster, wanted, tx.now)
    except LookupError as error:
        raise NobodyToAskError(*error.args) from error
    if not people:
        raise NobodyToAskError(wanted.role or roster.organisation)
    case = ids.new()
    answers = tuple(Answer(one, None) for one in dict.fromkeys(people))
    test = LiveTest(case, roster.organisation, number_of(case, tx.now), by, tx.now, tx.now + wait, answers)
    await add_test(tx, test)
    request = NotificationRequestedV1(
        request_id=ids.new(),
        purpose=Purpose.INFORM,
        roles=(role_for(roster, wanted, people, tx.now),),
        people=tuple(one.person for one in answers),
        channels=_CHANNELS,
        acknowledge=True,
        step=0,
        subject=about_test(test.number, tx.now),
        requested_at=tx.now,
        drill=True,
    )
    tx.outbox.add(
        Event(id=ids.new(), source="/fenghuo/notifier", time=tx.now, org=test.org, case_id=case, data=request)
    )
    return test
