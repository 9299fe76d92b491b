"""A year's list is published while cases run: their clocks are counted again, once, and old timers are void."""

import asyncio
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.escalator.app.apply_events import ApplyEvents
from services.escalator.app.recount_clocks import RecountClocks
from services.escalator.store.plans import Plans
from shared.calendars.library import CalendarFolder, CalendarLibrary
from shared.contracts.escalations import ChangeKind
from shared.db.engine import Database
from shared.kafka.outcome import DONE
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary, parse_plan
from shared.runtime.metrics import CALENDAR_YEARS_MISSING, CALENDARS_BROKEN
from tests.support.calendars import CALENDARS
from tests.support.clock import ManualClock
from tests.support.escalations import PLAN_TEXT
from tests.support.escalator import IDS, Escalator, classification, create_escalator

OPENED = datetime(2026, 12, 21, 2, tzinfo=UTC)
PLAN = CompiledPlan.of(
    parse_plan(
        PLAN_TEXT.replace("timezone:", "calendar: china\ntimezone:").replace(
            "    limit: 48h", "    limit: 15wd\n    basis: {ends: end-of-hours}"
        ),
        "plan.yaml",
    )
)
BEFORE, AFTER = datetime(2027, 1, 12, 10, tzinfo=UTC), datetime(2027, 1, 11, 10, tzinfo=UTC)
YEAR = """\
year: 2027
status: published
source: https://www.gov.cn/list-of-2027
days:
  - {date: "2027-01-01", is: off, name: 元旦}
  - {date: "2027-01-09", is: work, name: 元旦}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(CALENDARS, tmp_path / "calendars")
    return tmp_path / "calendars"


def publish(folder: Path, text: str = YEAR) -> None:
    path = folder / "china" / "years" / "2027.yaml"
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(0, 0))


class Replica:
    """An escalator that counts by the calendars of a folder."""

    def __init__(self, url: str, folder: Path, now: datetime = OPENED) -> None:
        self.database = Database.connect(url, application="tests", pool_size=4, clock=ManualClock(now))
        plans = Plans(PlanLibrary([PLAN]), CalendarLibrary.load(folder))
        self.armed: list[datetime] = []
        self.apply = ApplyEvents(self.database, plans, IDS, self.armed.append)
        self.recount = RecountClocks(self.database, plans, IDS, self.armed.append, CalendarFolder(folder), batch=3)


async def due_instants(escalator: Escalator) -> list[datetime]:
    rows = await escalator.rows("SELECT due_at FROM timers WHERE subject = 'clock:finish' ORDER BY due_at")
    return [row["due_at"] for row in rows]


async def test_clocks_are_counted_again_when_a_years_list_appears(
    escalator: Escalator, escalator_url: str, folder: Path
) -> None:
    replicas = [Replica(escalator_url, folder) for _ in range(2)]
    first = replicas[0]
    opening = [
        classification(uuid4(), plan=PLAN.ref, received_at=OPENED, occurred_at=OPENED, when=OPENED) for _ in range(8)
    ]
    assert list(await first.apply(opening)) == [DONE] * 8
    assert await due_instants(escalator) == [BEFORE] * 8
    assert await first.recount() == 0

    publish(folder)
    counts = await asyncio.gather(*(replica.recount() for replica in replicas))
    assert sum(counts) == 8
    assert await due_instants(escalator) == [AFTER] * 8
    assert AFTER in first.armed or AFTER in replicas[1].armed
    assert [await replica.recount() for replica in replicas] == [0, 0]

    told = [published for published in await escalator.escalations() if published.revision == 2]
    assert len(told) == 8
    for published in told:
        (change,) = published.changes
        assert change.kind is ChangeKind.CLOCK_CHANGED
        assert change.details["due_at"] == AFTER.isoformat()
        (clock,) = [one for one in published.clocks if one.id == "finish"]
        assert (clock.due_at, clock.provisional) == (AFTER, False)
    rows = await escalator.rows("SELECT generation FROM timers WHERE subject = 'clock:finish'")
    assert {row["generation"] for row in rows} == {2}
    for replica in replicas:
        await replica.database.close()


async def test_a_deadline_in_an_unpublished_year_is_shown_as_provisional(
    escalator: Escalator, escalator_url: str, folder: Path
) -> None:
    replica = Replica(escalator_url, folder)
    await replica.apply([classification(uuid4(), plan=PLAN.ref, received_at=OPENED, occurred_at=OPENED, when=OPENED)])
    (published,) = await escalator.escalations()
    assert {clock.id: clock.provisional for clock in published.clocks} == {"respond": False, "finish": True}
    await replica.database.close()


async def test_a_broken_file_leaves_the_calendars_in_force(
    escalator: Escalator, escalator_url: str, folder: Path
) -> None:
    replica = Replica(escalator_url, folder)
    await replica.apply([classification(uuid4(), plan=PLAN.ref, received_at=OPENED, occurred_at=OPENED, when=OPENED)])
    publish(folder, YEAR.replace("2027-01-09", "2027-13-09"))
    assert await replica.recount() == 0
    assert CALENDARS_BROKEN._value.get() == 1
    assert await due_instants(escalator) == [BEFORE]
    publish(folder)
    assert await replica.recount() == 1
    assert CALENDARS_BROKEN._value.get() == 0
    assert await due_instants(escalator) == [AFTER]
    await replica.database.close()


async def test_calendars_without_one_that_a_plan_needs_are_refused(
    escalator: Escalator, escalator_url: str, folder: Path
) -> None:
    replica = Replica(escalator_url, folder)
    await replica.apply([classification(uuid4(), plan=PLAN.ref, received_at=OPENED, occurred_at=OPENED, when=OPENED)])
    (folder / "china").rename(folder.parent / "china")
    for _ in range(2):
        assert await replica.recount() == 0
        assert CALENDARS_BROKEN._value.get() == 1
    assert await due_instants(escalator) == [BEFORE]
    (folder.parent / "china").rename(folder / "china")
    publish(folder)
    assert await replica.recount() == 1
    assert CALENDARS_BROKEN._value.get() == 0
    await replica.database.close()


@pytest.mark.parametrize(
    ("now", "published", "missing"),
    [
        (datetime(2026, 11, 30, 15, 59, tzinfo=UTC), False, 0),
        (datetime(2026, 11, 30, 16, 0, tzinfo=UTC), False, 1),  # 1 December in Shanghai
        (datetime(2026, 12, 31, 4, 0, tzinfo=UTC), True, 0),
        (datetime(2027, 3, 1, 4, 0, tzinfo=UTC), False, 1),
        (datetime(2027, 3, 1, 4, 0, tzinfo=UTC), True, 0),
    ],
)
async def test_the_alarm_sounds_when_the_next_years_list_is_not_here_by_december(
    escalator_url: str, folder: Path, now: datetime, *, published: bool, missing: int
) -> None:
    if published:
        publish(folder)
    replica = Replica(escalator_url, folder, now)
    await replica.recount()
    assert CALENDAR_YEARS_MISSING.labels("china")._value.get() == missing
    await replica.database.close()


async def test_the_old_timer_fires_nothing_after_the_count(
    escalator: Escalator, escalator_url: str, folder: Path
) -> None:
    """An earlier end is kept at its new instant; the old instant comes and brings nothing more."""
    replica = Replica(escalator_url, folder)
    await replica.apply([classification(uuid4(), plan=PLAN.ref, received_at=OPENED, occurred_at=OPENED, when=OPENED)])
    publish(folder)
    await replica.recount()
    later = create_escalator(
        escalator_url,
        clock=ManualClock(AFTER),
        library=PlanLibrary([PLAN]),
        calendars=CalendarLibrary.load(folder),
    )
    await later.sweep()
    later.clock.set(BEFORE + timedelta(days=1))
    await later.sweep()
    kinds = [change.kind for one in await escalator.escalations() for change in one.changes]
    finish = await escalator.rows("SELECT threshold FROM fires WHERE subject = 'clock:finish'")
    assert [row["threshold"] for row in finish] == ["breach"]
    assert ChangeKind.CLOCK_BREACHED in kinds
    await later.database.close()
    await replica.database.close()
