"""Calendars of duty go out by feed, and leave or overrides come in from one."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notifier.domain.roster_ical import CalendarUnreadableError, read_spans
from services.notifier.domain.roster_text import parse_roster
from tests.integration.notifier.office import TEXT, TOMORROW, Office


async def test_a_feed_is_read_without_a_key_and_only_with_its_own_signature(office: Office) -> None:
    path = (await office.http.get("/v1/roster/feed-address", params={"person": "a"})).json()["path"]
    del office.http.headers["authorization"]
    answer = await office.http.get(path)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    [event] = Calendar.from_ical(answer.text).walk("VEVENT")
    assert str(event["summary"]) == "值班：主管"
    assert event.decoded("dtend") > datetime.now(UTC) + timedelta(days=50)
    assert (await office.http.get(path.replace("person=a", "person=b"))).status_code == 403
    assert (await office.http.get(path.replace("person=a", "role=head"))).status_code == 403
    assert "138" not in answer.text


async def test_leave_comes_in_from_a_calendar_and_shows_in_the_feed(office: Office) -> None:
    day = TOMORROW.date() + timedelta(days=1)
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}\r\nDTEND;VALUE=DATE:{day + timedelta(days=2):%Y%m%d}\r\n"
        "SUMMARY:年假\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    done = await office.http.post("/v1/roster/calendar", params={"person": "a"}, content=text.encode())
    assert done.status_code == 201, done.text
    [change] = done.json()["changes"]
    midnight = datetime.combine(day, time(), ZoneInfo("Asia/Shanghai"))
    assert datetime.fromisoformat(change["from"]) == midnight
    assert (office.who(midnight - timedelta(seconds=1)), office.who(midnight)) == (["a"], [])
    assert office.who(midnight + timedelta(days=2)) == ["a"]
    stands_in = await office.http.post(
        "/v1/roster/calendar", params={"person": "b", "role": "head"}, content=text.encode()
    )
    assert stands_in.status_code == 201
    assert office.who(midnight) == ["b"]
    for again in ({"person": "a"}, {"person": "b", "role": "head"}):
        sent = await office.http.post("/v1/roster/calendar", params=again, content=b"\xef\xbb\xbf" + text.encode())
        assert (sent.status_code, sent.json()) == (201, {"changes": []}), "what stands there is not entered twice"


@pytest.mark.parametrize(
    "event",
    [
        "RRULE:FREQ=HOURLY\r\nDTSTART:20260101T000000Z\r\nDTEND:20260101T010000Z",
        "SUMMARY:x",
        "DTSTART:x",
        "DTEND:x\r\nDTSTART:",
        "SUMMARY:年假\r\nDTSTART:20260101T000000Z",
    ],
)
async def test_an_event_that_cannot_be_used_is_named(office: Office, event: str) -> None:
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    answer = await office.http.post("/v1/roster/calendar", params={"person": "a"}, content=text.encode())
    assert answer.status_code == 422
    assert answer.json()["title"] == "The calendar cannot be used"
    if "年假" in event:
        assert "event 1 (年假): has neither DTEND nor DURATION" in answer.text


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_calendar_or_refused(text: str) -> None:
    roster = parse_roster(TEXT, file="r.yaml")
    with suppress(CalendarUnreadableError):
        read_spans(f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", roster, TOMORROW)
    with suppress(CalendarUnreadableError):
        read_spans(text, roster, TOMORROW)
