"""One case that cannot be judged stops nobody else's clock, is named, and fires as soon as it is mended."""

from datetime import timedelta
from uuid import uuid4

from structlog.testing import capture_logs

from services.escalator.app.audit_timers import AuditTimers
from shared.contracts.escalations import ChangeKind
from shared.runtime.metrics import TIMERS_FAILED
from tests.support.escalations import at
from tests.support.escalator import Escalator, classification

_BREAK = "UPDATE cases SET body = CAST(replace(CAST(body AS text), :this, :that) AS json) WHERE case_id = :id"


async def test_a_case_that_cannot_be_judged_is_set_aside_and_the_others_fire(escalator: Escalator) -> None:
    bad, *good = sorted(uuid4() for _ in range(4))
    await escalator.take(*(classification(case_id) for case_id in (bad, *good)))
    async with escalator.database.transaction() as tx:
        # A limit in working days, and no calendar here that could count them.
        await tx.execute(_BREAK, this='"base":"elapsed"', that='"base":"working_days"', id=bad)
    before = TIMERS_FAILED._value.get()
    escalator.clock.set(at(minutes=15))
    with capture_logs() as said:
        await escalator.sweep()
    assert (await escalator.kinds()).count(ChangeKind.TIER_REPEATED) == 3
    assert TIMERS_FAILED._value.get() == before + 1
    failed = next(one for one in said if one["event"] == "timer.failed")
    assert (failed["case_id"], failed["subject"]) == (str(bad), "ladder")
    assert "calendar" in failed["error"]

    audit = AuditTimers(escalator.database, escalator.plans, escalator.armed.append, grace=timedelta(seconds=10))
    with capture_logs() as said:
        found = await audit()
    assert (found.overdue, found.unarmed) == (0, 0)
    assert [one["case_id"] for one in said if one["event"] == "timers.unreadable"] == [str(bad)]

    async with escalator.database.transaction() as tx:
        await tx.execute(_BREAK, this='"base":"working_days"', that='"base":"elapsed"', id=bad)
    escalator.clock.set(at(minutes=16))
    await escalator.sweep()
    assert (await escalator.kinds()).count(ChangeKind.TIER_REPEATED) == 4
