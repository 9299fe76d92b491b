"""A clock explains itself: what ran, what stood still, who changed it, which thresholds fired and which did not."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from services.escalator.app.explain_clocks import explain_clocks
from shared.calendars.library import CalendarLibrary
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import ClockState
from tests.support.escalations import at
from tests.support.escalator import Escalator, classification, order

ROOT = Path(__file__).resolve().parents[3]


async def test_a_clock_says_what_counted_what_stood_still_and_what_fired(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id, "orange"))
    for hours, command in ((1, CommandKind.START), (2, CommandKind.WAIT), (5, CommandKind.RESUME)):
        escalator.clock.set(at(hours=hours))
        await escalator.take(order(case_id, command, at(hours=hours), reason="等待鉴定"))
    escalator.clock.set(at(hours=16))
    await escalator.sweep()
    (explained,) = await explain_clocks(str(case_id), database=escalator.database, calendars=CalendarLibrary())
    clocks = {clock.id: clock for clock in explained.clocks}
    submit = clocks["submit"]
    assert submit.due_at == at(hours=27)
    assert (submit.gross, submit.stood_still) == (timedelta(hours=16), timedelta(hours=3))
    assert [(span.start, span.end, span.running) for span in submit.spans] == [
        (at(), at(hours=2), True),
        (at(hours=2), at(hours=5), False),
        (at(hours=5), at(hours=16), True),
    ]
    assert submit.spans[1].why == "等待鉴定"
    assert abs(submit.spent_share - 13 / 24) < 1e-9
    # Half of 24 hours lay behind after 15 hours on the wall; only the end is left.
    assert [(post.threshold, post.outcome, post.at) for post in submit.mileposts] == [
        ("50%", "fired", at(hours=15)),
        ("breach", "armed", at(hours=27)),
    ]
    assert submit.mileposts[0].late_by == timedelta(hours=1)
    respond = clocks["respond"]
    assert respond.state is ClockState.MET
    assert {post.outcome for post in respond.mileposts} == {"void"}
    assert await explain_clocks("2026-11-999999", database=escalator.database, calendars=CalendarLibrary()) == []
    by_number = await explain_clocks("2026-11-000001", database=escalator.database, calendars=CalendarLibrary())
    assert by_number == [explained]
    assert (
        await explain_clocks(str(case_id), database=escalator.database, calendars=CalendarLibrary(), org="org-b") == []
    )


async def test_thresholds_that_a_higher_one_spoke_for_say_so(escalator: Escalator) -> None:
    case_id = uuid4()
    await escalator.take(classification(case_id))
    escalator.clock.set(at(hours=3))
    await escalator.sweep()
    (explained,) = await explain_clocks(str(case_id), database=escalator.database, calendars=CalendarLibrary())
    respond = next(clock for clock in explained.clocks if clock.id == "respond")
    assert [(post.threshold, post.outcome) for post in respond.mileposts] == [
        ("50%", "superseded"),
        ("-10m", "superseded"),
        ("breach", "fired"),
    ]


async def test_the_command_prints_the_same_for_people_and_for_machines(
    escalator: Escalator, escalator_url: str
) -> None:
    await escalator.take(classification(uuid4(), "orange"))
    command = (sys.executable, "-m", "services.command_line", "clocks", "explain", "2026-11-000001")
    for more, wanted in (((), "限期"), (("--json",), '"mileposts"')):
        done = subprocess.run(  # noqa: ASYNC221  # nothing else runs meanwhile
            [*command, "--database-url", escalator_url, *more],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert wanted in done.stdout
    found = json.loads(done.stdout)
    assert {clock["id"] for clock in found[0]["clocks"]} == {"respond", "submit", "finish"}
    missing = subprocess.run(  # noqa: ASYNC221  # as above
        [*command[:-1], "2026-11-000777", "--database-url", escalator_url],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert missing.returncode == 2
    assert "2026-11-000777" in missing.stderr
