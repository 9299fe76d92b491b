"""Hand-overs on a moved clock: both sides are told ahead and when duty passes, with what is open, each once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.notifier.app.announce_handovers import announce_handovers
from services.notifier.app.stop_answered import stop_answered
from services.notifier.store.roster_book import RosterBook
from services.notifier.store.roster_files import RosterFiles
from shared.contracts.envelope import Event, decode
from shared.contracts.escalations import CaseState
from shared.contracts.notifications import NotificationRequestedV1
from shared.contracts.values import ChannelKind
from shared.db.outbox import headers_from_text
from tests.integration.notifier.desk import IDS, Desk, request
from tests.integration.notifier.test_noise import acknowledged
from tests.support.clock import ManualClock
from tests.support.sink import Sink

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT, DAY = "13800000001", "13800000002"
TEXT = f"""\
organisation: demo
timezone: Asia/Shanghai
people:
  - {{id: a, name: {{zh: 值班经理甲, en: A}}, contacts: [{{channel: sms, to: "{NIGHT}"}}]}}
  - {{id: b, name: {{zh: 值班经理乙, en: B}}, contacts: [{{channel: sms, to: "{DAY}"}}]}}
rotations:
  - {{id: days, every: day, start: 2026-11-22, handover: "08:00", people: [a, b]}}
roles:
  - {{id: liaison, name: {{zh: 接口人, en: Liaison}}, duty: [{{rotation: days}}], handover_notice: 30m}}
"""


def _at(clock: str, day: int = 23) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day}T{clock}").replace(tzinfo=ZONE)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(_at("07:00"))


@pytest.fixture
def roster_file(tmp_path: Path) -> Path:
    file = tmp_path / "r.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
async def shift(  # noqa: PLR0917  # a notifier needs its surroundings
    notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk], clock: ManualClock, roster_file: Path
) -> AsyncIterator[tuple[Desk, RosterBook]]:
    """A notifier at work, whose clock the test moves, with one role that changes hands at eight."""
    files = RosterFiles(roster_file)
    files.load()
    desk = Desk(notifier_url, sink, receipts_url, clock=clock)
    book = RosterBook(files, desk.database, {})
    await book.refresh()
    desk.rules = replace(desk.rules, rosters=book)
    desks.append(desk)
    desk.start()
    yield desk, book
    await desk.stop()


async def _announced(desk: Desk, book: RosterBook) -> int:
    """Announce, and take what is asked for as the consumer does."""
    told = await announce_handovers(book=book, database=desk.database, ids=IDS)
    rows = await desk.rows(
        "SELECT value, headers FROM outbox WHERE topic = 'notifications-requested' ORDER BY seq DESC LIMIT :told",
        told=told,
    )
    for row in rows:
        event = decode(headers_from_text(row["headers"]), bytes(row["value"]))
        assert isinstance(event.data, NotificationRequestedV1)
        await desk.accept(Event(event.id, event.source, event.time, event.org, event.case_id, event.data))
    return told


async def _texts(desk: Desk, sink: Sink, phone: str, count: int) -> list[str]:
    """What this phone was told about hand-overs, once there are so many."""

    async def all_there() -> list[str]:
        found = [str(one["text"]) for one in sink.messages(phone) if "交接班" in one["text"]]
        return found if len(found) >= count else []

    found: list[str] = await desk.eventually(all_there, what=lambda: f"{count} notices to {phone}")
    assert len(found) == count
    return found


async def _quiet(desk: Desk) -> None:
    """Nothing is awaited any more: a clock that is moved now makes nothing late."""

    async def nothing_due() -> bool:
        return not await desk.rows("SELECT FROM intents WHERE due_at IS NOT NULL")

    await desk.eventually(nothing_due, what=lambda: "every receipt")


async def _page(desk: Desk, clock: ManualClock, number: str) -> Event[NotificationRequestedV1]:
    asked = request("liaison", channels=(ChannelKind.SMS,), requested_at=clock.now())
    subject = asked.data.subject.model_copy(update={"number": number})
    await desk.accept(replace(asked, data=asked.data.model_copy(update={"subject": subject})))
    return asked


async def test_both_sides_are_told_ahead_and_at_the_hand_over_with_what_is_open(
    shift: tuple[Desk, RosterBook], clock: ManualClock, sink: Sink
) -> None:
    desk, book = shift
    await _page(desk, clock, "2026-11-000001")
    over = await _page(desk, clock, "2026-11-000002")
    await stop_answered([acknowledged(over, CaseState.CLOSED)], database=desk.database, rules=desk.rules, ids=IDS)
    assert await _announced(desk, book) == 0
    await _quiet(desk)

    clock.set(_at("07:31"))
    assert [await _announced(desk, book), await _announced(desk, book)] == [1, 0]
    for phone in (NIGHT, DAY):
        (text,) = await _texts(desk, sink, phone, 1)
        assert "接口人交接班" in text
        assert "未办结1件：2026-11-000001（红色预警，未确认）" in text
        assert "000002" not in text
    await _quiet(desk)

    clock.set(_at("08:00"))
    assert [await _announced(desk, book), await _announced(desk, book)] == [1, 0]
    for phone in (NIGHT, DAY):
        assert "接口人现在交接班" in (await _texts(desk, sink, phone, 2))[1]


async def test_a_hand_over_that_nobody_looked_at_is_told_of_for_a_quarter_of_an_hour(
    shift: tuple[Desk, RosterBook], clock: ManualClock, sink: Sink
) -> None:
    desk, book = shift
    clock.set(_at("08:16"))
    assert await _announced(desk, book) == 0
    clock.set(_at("08:14", day=24))
    assert await _announced(desk, book) == 1
    (text,) = await _texts(desk, sink, DAY, 1)
    assert "值班经理乙交班，值班经理甲接班；无未办结事项" in text
