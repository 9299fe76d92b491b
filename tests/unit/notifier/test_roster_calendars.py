"""Calendars that come in: recurring events, exceptions, moved ones, and zones as calendar programs write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from services.notifier.domain.roster_ical import CalendarUnreadableError, Span, feed, read_spans
from services.notifier.domain.roster_text import parse_roster

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ROSTER = parse_roster(
    """\
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 值班经理甲, en: Manager A}, contacts: [{channel: sms, to: "13800000001"}]}
  - {id: b, name: {zh: 值班经理乙, en: Manager B}, language: en, contacts: [{channel: sms, to: "13800000002"}]}
rotations:
  - {id: monthly, every: month, start: 2026-01-31, handover: "09:00", people: [a, b]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{rotation: monthly}]}
""",
    file="r.yaml",
)

ALWAYS = parse_roster(
    """\
organisation: demo
timezone: Asia/Shanghai
people:
  - {id: a, name: {zh: 值班经理甲, en: Manager A}, contacts: [{channel: sms, to: "13800000001"}]}
roles:
  - {id: head, name: {zh: 主管, en: Head}, duty: [{person: a}]}
""",
    file="always.yaml",
)


def read(*events: str, zones: str = "") -> tuple[Span, ...]:
    listed = "".join(f"BEGIN:VEVENT\n{one}\nEND:VEVENT\n" for one in events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{zones}{listed}END:VCALENDAR\n"
    return read_spans(text.replace("\n", "\r\n"), ROSTER, NOW)


def begins(*events: str, zones: str = "") -> list[str]:
    return [f"{span.begins_at:%Y-%m-%dT%H:%MZ}" for span in read(*events, zones=zones)]


def test_every_occurrence_until_the_last_is_taken_over_but_the_exceptions_and_those_that_are_over() -> None:
    found = begins(
        "UID:1\nDTSTART;TZID=Asia/Shanghai:20261119T090000\nDTEND;TZID=Asia/Shanghai:20261119T180000\n"
        "RRULE:FREQ=WEEKLY;UNTIL=20261217T010000Z\nEXDATE;TZID=Asia/Shanghai:20261203T090000"
    )
    assert found == ["2026-11-26T01:00Z", "2026-12-10T01:00Z", "2026-12-17T01:00Z"]


def test_an_occurrence_keeps_its_wall_clock_over_a_change_of_clocks() -> None:
    found = begins(
        "UID:1\nDTSTART;TZID=Europe/Berlin:20270327T023000\nDTEND;TZID=Europe/Berlin:20270327T040000\n"
        "RRULE:FREQ=DAILY;COUNT=3"
    )
    # On the 28th half past two is skipped: it takes place in the moment of the jump.
    assert found == ["2027-03-27T01:30Z", "2027-03-28T01:00Z", "2027-03-29T00:30Z"]


def test_whole_days_recur_by_the_zone_of_the_roster() -> None:
    first, second = read("UID:1\nDTSTART;VALUE=DATE:20261130\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2")
    assert (first.begins_at, first.ends_at) == (
        datetime(2026, 11, 29, 16, tzinfo=UTC),
        datetime(2026, 11, 30, 16, tzinfo=UTC),
    )
    assert second.begins_at == datetime(2026, 12, 30, 16, tzinfo=UTC)


def test_a_leap_day_comes_only_in_leap_years() -> None:
    with_leap = read_spans(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20280229\r\nRRULE:FREQ=YEARLY\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n",
        ROSTER,
        datetime(2028, 2, 1, tzinfo=UTC),
    )
    assert [one.begins_at.date() for one in with_leap] == [date(2028, 2, 28)]  # 16:00 UTC is midnight there


def test_an_occurrence_that_was_moved_is_where_it_was_moved_to_and_a_cancelled_one_is_gone() -> None:
    master = "UID:1\nDTSTART:20261201T010000Z\nDTEND:20261201T020000Z\nRRULE:FREQ=DAILY;COUNT=3"
    moved = "UID:1\nRECURRENCE-ID:20261202T010000Z\nDTSTART:20261202T100000Z\nDTEND:20261202T110000Z"
    gone = "UID:1\nRECURRENCE-ID:20261203T010000Z\nDTSTART:20261203T010000Z\nDTEND:20261203T020000Z\nSTATUS:CANCELLED"
    other = "UID:2\nRECURRENCE-ID:20261201T010000Z\nDTSTART:20261205T010000Z\nDTEND:20261205T020000Z"
    assert begins(master, moved, gone, other) == ["2026-12-01T01:00Z", "2026-12-02T10:00Z", "2026-12-05T01:00Z"]


def test_additional_dates_and_exceptions_by_the_day_count() -> None:
    found = begins(
        "UID:1\nDTSTART:20261201T010000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\n"
        "RDATE:20261224T030000Z,20261225T030000Z\nEXDATE;VALUE=DATE:20261202"
    )
    assert found == ["2026-12-01T01:00Z", "2026-12-03T01:00Z", "2026-12-24T03:00Z", "2026-12-25T03:00Z"]


def test_an_endless_rule_is_taken_over_for_a_year() -> None:
    found = read("UID:1\nDTSTART;VALUE=DATE:20261123\nRRULE:FREQ=WEEKLY")
    assert len(found) == 53
    assert found[-1].begins_at < NOW + timedelta(days=366)


@pytest.mark.parametrize("zone", ["China Standard Time", "/freeassociation.sourceforge.net/Asia/Shanghai"])
def test_zones_are_understood_as_calendar_programs_name_them(zone: str) -> None:
    assert begins(f"UID:1\nDTSTART;TZID={zone}:20261201T090000\nDTEND;TZID={zone}:20261201T100000") == [
        "2026-12-01T01:00Z"
    ]


def test_a_zone_that_the_file_describes_itself_is_used() -> None:
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Our own\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0530\n"
        "TZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    event = "UID:1\nDTSTART;TZID=Our own:20261201T090000\nDTEND;TZID=Our own:20261201T100000\nRRULE:FREQ=DAILY;COUNT=2"
    assert begins(event, zones=zone) == ["2026-12-01T03:30Z", "2026-12-02T03:30Z"]


def test_a_zone_that_nobody_knows_is_refused_and_not_taken_for_the_roster_s() -> None:
    with pytest.raises(CalendarUnreadableError, match="'Nowhere Time' is neither known nor described"):
        read("UID:1\nDTSTART;TZID=Nowhere Time:20261201T090000\nDTEND;TZID=Nowhere Time:20261201T100000")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("FREQ=SECONDLY", "recurs by 'SECONDLY'"),
        ("FREQ=DAILY;INTERVAL=0", "below 1"),
        ("FREQ=DAILY;BYHOUR=1,2,3", "BYHOUR"),
        ("INTERVAL=2", "event 1"),
    ],
)
def test_a_rule_that_is_not_understood_is_refused_by_name(rule: str, problem: str) -> None:
    with pytest.raises(CalendarUnreadableError, match=problem):
        read(f"UID:1\nDTSTART:20261201T010000Z\nDTEND:20261201T020000Z\nRRULE:{rule}")


@pytest.mark.parametrize(
    "event",
    [
        "UID:1\nDTSTART:00010101T010000Z\nDTEND:00010101T020000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "UID:1\nDTSTART:20261201T010000Z\nDTEND:20261201T020000Z\nRDATE;VALUE=PERIOD:20261201T010000Z/PT1H",
        "UID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261201T010000Z\nDTSTART:20261201T010000Z\nDTEND:20261201T020000Z",
        "UID:1\nDTSTART:99991231T230000Z\nDURATION:P400D",
    ],
)
def test_what_cannot_be_taken_over_is_refused(event: str) -> None:
    with pytest.raises(CalendarUnreadableError):
        read(event)


def test_too_many_occurrences_are_refused() -> None:
    with pytest.raises(CalendarUnreadableError, match="more than 500 occurrences"):
        read(*(f"UID:{number}\nDTSTART:20261201T010000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY" for number in range(2)))


def test_a_rule_that_never_holds_ends_soon() -> None:
    assert read("UID:1\nDTSTART:20261201T010000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") == ()


def test_a_monthly_rotation_stands_in_the_feed_in_the_reader_s_language() -> None:
    until = NOW + timedelta(days=40)
    mine = feed(ROSTER, NOW - timedelta(days=35), until, person="b").decode().replace("\r\n ", "")
    assert "SUMMARY:On duty: Head" in mine
    assert "DTSTART:20261031T010000Z" in mine
    assert "DTEND:20261130T010000Z" in mine
    assert "值班" not in mine
    assert "SUMMARY:值班：主管" in feed(ROSTER, NOW, until, person="a").decode()


def test_the_same_duty_keeps_its_uid_from_one_reading_to_the_next_however_long_it_lasts() -> None:
    monthly, later = (
        {
            str(one["uid"])
            for one in Calendar.from_ical(feed(ROSTER, at, at + timedelta(days=70), role="head")).walk("VEVENT")
        }
        for at in (NOW - timedelta(days=35), NOW - timedelta(days=35, hours=-1))
    )
    assert monthly == later
    always = [
        str(one["uid"])
        for at in (NOW, NOW + timedelta(hours=1))
        for one in Calendar.from_ical(feed(ALWAYS, at, at + timedelta(days=60), role="head")).walk("VEVENT")
    ]
    assert len(always) == 2
    assert len(set(always)) == 1


def test_what_is_over_is_left_behind_however_much_of_it_there_is() -> None:
    old = [f"UID:{at}\nDTSTART:2020{at % 12 + 1:02d}01T090000Z\nDURATION:PT1H" for at in range(800)]
    still = "UID:now\nDTSTART:20261121T090000Z\nDTEND:20261122T040001Z"
    ended = "UID:ended\nDTSTART:20261121T090000Z\nDTEND:20261122T040000Z"
    assert begins(*old, ended, still) == ["2026-11-21T09:00Z"]


def test_a_calendar_that_takes_its_events_back_is_refused() -> None:
    with pytest.raises(CalendarUnreadableError, match="takes its events back"):
        read("UID:1\nDTSTART:20261201T090000Z\nDURATION:PT1H", zones="METHOD:CANCEL\n")
    assert begins("UID:1\nDTSTART:20261201T090000Z\nDURATION:PT1H", zones="METHOD:PUBLISH\n") == ["2026-12-01T09:00Z"]


OUTLOOK = """\
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
APPLE = """\
BEGIN:VTIMEZONE
TZID:Asia/Shanghai
X-LIC-LOCATION:Asia/Shanghai
BEGIN:STANDARD
TZOFFSETFROM:+0900
TZNAME:GMT+8
TZOFFSETTO:+0800
DTSTART:19910915T020000
RDATE:19910915T020000
END:STANDARD
END:VTIMEZONE
"""


def test_a_series_of_outlook_with_its_own_zone_an_exception_and_a_moved_meeting_over_a_change_of_clocks() -> None:
    zone = "TZID=W. Europe Standard Time"
    found = begins(
        f"UID:040000008200E0\nCLASS:PUBLIC\nSUMMARY;LANGUAGE=de:Urlaub\nX-MICROSOFT-CDO-BUSYSTATUS:OOF\n"
        f"DTSTART;{zone}:20270322T090000\nDTEND;{zone}:20270322T170000\n"
        f"RRULE:FREQ=WEEKLY;UNTIL=20270419T070000Z;INTERVAL=1;BYDAY=MO;WKST=SU\nEXDATE;{zone}:20270405T090000",
        f"UID:040000008200E0\nRECURRENCE-ID;{zone}:20270412T090000\n"
        f"DTSTART;{zone}:20270413T100000\nDTEND;{zone}:20270413T120000",
        zones=OUTLOOK,
    )
    assert sorted(found) == ["2027-03-22T08:00Z", "2027-03-29T07:00Z", "2027-04-13T08:00Z", "2027-04-19T07:00Z"]


def test_a_night_of_apple_s_calendar_with_its_alarm_is_one_span() -> None:
    [night] = read(
        "UID:6A\nTRANSP:OPAQUE\nX-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\n"
        "DTSTART;TZID=Asia/Shanghai:20261210T220000\nDTEND;TZID=Asia/Shanghai:20261211T060000\n"
        "BEGIN:VALARM\nACTION:NONE\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z\nEND:VALARM",
        zones=APPLE,
    )
    assert (night.begins_at, night.ends_at) == (
        datetime(2026, 12, 10, 14, tzinfo=UTC),
        datetime(2026, 12, 10, 22, tzinfo=UTC),
    )


def test_a_day_off_and_a_cancelled_instance_of_google_s_calendar() -> None:
    found = begins(
        "UID:g1@google.com\nDTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227\nTRANSP:TRANSPARENT",
        "UID:g2@google.com\nDTSTART;TZID=Asia/Shanghai:20261210T090000\nDTEND;TZID=Asia/Shanghai:20261210T100000\n"
        "RRULE:FREQ=DAILY;COUNT=3",
        "UID:g2@google.com\nRECURRENCE-ID:20261211T010000Z\nSTATUS:CANCELLED\n"
        "DTSTART:20261211T010000Z\nDTEND:20261211T020000Z",
        zones="X-WR-TIMEZONE:Asia/Shanghai\n",
    )
    assert found == ["2026-12-24T16:00Z", "2026-12-10T01:00Z", "2026-12-12T01:00Z"]
