"""Clocks in working time, working days, calendar days and months: due instants, thresholds, pauses, conservation."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.escalator.domain.clocks import (
    BREACH,
    Clock,
    Entry,
    EntryKind,
    advance,
    due_at,
    fold,
    marks,
    passed_marks,
    remaining,
    spent,
    state_of,
)
from services.escalator.domain.decision import clock_subject
from services.escalator.domain.firing import fire
from services.escalator.domain.time_bases import NeedsCalendarError, Rules
from shared.calendars.library import CalendarFiles, CalendarLibrary
from shared.calendars.model import CalendarFile, OverlayFile, YearStatus
from shared.contracts.escalations import ChangeKind, ClockState
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan
from shared.plans.limits import Limit, LimitBase
from tests.support.calendars import at as wall
from tests.support.calendars import calendar_file, shipped, year_file
from tests.support.escalations import PLAN_TEXT, opened

MICROSECOND = timedelta(microseconds=1)
CASES = 100_000


def plan_text(limit: str, basis: str = "", *, zone: str = "Asia/Shanghai", calendar: str | None = "china") -> str:
    """The test plan with another limit of its last clock, which warns at half of it and two days before."""
    named = f"calendar: {calendar}\n" if calendar else ""
    lead = "1h" if limit == "48h" else "2d"
    return PLAN_TEXT.replace("timezone: Asia/Shanghai", f"{named}timezone: {zone}").replace(
        "    limit: 48h\n",
        f'    limit: {limit}\n    warn: ["50%", "-{lead}"]\n' + (f"    basis: {basis}\n" if basis else ""),
    )


def rules_of(limit: str, basis: str = "", *, library: CalendarLibrary | None = None, **more: Any) -> Rules:
    plan = CompiledPlan.of(parse_plan(plan_text(limit, basis, **more), "plan.yaml"))
    return Rules(plan, library if library is not None else shipped())


def spec_of(rules: Rules) -> Any:
    return next(spec for spec in rules.plan.clocks if spec.id == "finish")


def started(rules: Rules, when: datetime) -> Clock:
    return advance(None, Entry("finish", EntryKind.START, when, limit=spec_of(rules).limit), rules)


def end_of(clock: Clock, rules: Rules) -> datetime | None:
    return due_at(clock, rules.base(clock.limit))


@pytest.mark.parametrize(
    ("limit", "basis", "expected"),
    [
        ("15wd", "", "2026-02-15 00:00"),
        ("15wd", "{ends: end-of-hours}", "2026-02-14 18:00"),
        ("15wd", "{ends: same-time}", "2026-02-14 10:00"),
        ("15wd", "{ends: end-of-hours, day_zero: before}", "2026-02-13 18:00"),
        ("15wd", "{ends: end-of-day, day_zero: before}", "2026-02-14 00:00"),
        ("8wh", "", "2026-01-27 10:00"),
        ("2cd", "", "2026-01-29 00:00"),
        ("same-day", "", "2026-01-27 00:00"),
        ("same-day", "{ends: end-of-hours}", "2026-01-26 18:00"),
        ("1mo", "", "2026-02-27 00:00"),
        ("1mo", "{ends: same-time}", "2026-02-26 10:00"),
        ("48h", "", "2026-01-28 10:00"),
    ],
)
def test_every_limit_ends_by_its_basis(limit: str, basis: str, expected: str) -> None:
    rules = rules_of(limit, basis)
    assert end_of(started(rules, wall("2026-01-26 10:00")), rules) == wall(expected)


def test_thresholds_lie_in_working_days_and_not_on_the_wall_clock() -> None:
    rules = rules_of("15wd", "{ends: end-of-hours}")
    clock, base = started(rules, wall("2026-01-26 10:00")), rules.base(spec_of(rules).limit)
    due = {
        mark.key: base.due(base.counts_from(clock.started_at), mark.amount)
        for mark in marks(clock, spec_of(rules), base)
    }
    # Seven days and half of the eighth, 5 February: three hours before noon and one after lunch.
    assert due["50%"] == wall("2026-02-05 14:00")
    assert due["-2d"] == wall("2026-02-12 18:00")
    assert due[BREACH] == wall("2026-02-14 18:00")
    assert not passed_marks(clock, marks(clock, spec_of(rules), base), wall("2026-02-05 13:59"), base)
    assert [
        one.key for one in passed_marks(clock, marks(clock, spec_of(rules), base), wall("2026-02-05 14:00"), base)
    ] == ["50%"]


def test_a_stop_on_the_day_off_after_the_end_is_too_late_though_nothing_was_counted_since() -> None:
    rules = rules_of("15wd")
    clock = started(rules, wall("2026-01-26 10:00"))
    due = end_of(clock, rules)
    assert due == wall("2026-02-15 00:00"), "the last working day before the Spring Festival is over"
    base = rules.base(clock.limit)
    for stopped, state in ((due, ClockState.MET), (due + MICROSECOND, ClockState.MISSED)):
        ended = advance(clock, Entry("finish", EntryKind.STOP, stopped), rules)
        assert ended.spent == ended.target
        assert state_of(ended, stopped, base) is state


def test_a_pause_gives_back_working_days_and_not_days() -> None:
    """Paused over the spring festival, nothing is lost; paused over two working days, two are given back."""
    rules = rules_of("15wd", "{ends: end-of-hours}")
    clock = started(rules, wall("2026-01-26 10:00"))
    over_festival = advance(clock, Entry("finish", EntryKind.PAUSE, wall("2026-02-14 19:00")), rules)
    assert end_of(clock, rules) == wall("2026-02-14 18:00")
    assert over_festival.spent == over_festival.target
    paused = advance(clock, Entry("finish", EntryKind.PAUSE, wall("2026-02-02 18:00")), rules)
    resumed = advance(paused, Entry("finish", EntryKind.RESUME, wall("2026-02-04 18:00")), rules)
    assert end_of(resumed, rules) == wall("2026-02-25 18:00")
    weekend = advance(clock, Entry("finish", EntryKind.PAUSE, wall("2026-01-30 18:00")), rules)
    weekend = advance(weekend, Entry("finish", EntryKind.RESUME, wall("2026-02-02 09:00")), rules)
    assert end_of(weekend, rules) == wall("2026-02-14 18:00")


def test_a_pause_on_the_day_that_does_not_count_changes_nothing() -> None:
    rules = rules_of("15wd", "{ends: end-of-hours}")
    clock = started(rules, wall("2026-01-26 10:00"))
    clock = advance(clock, Entry("finish", EntryKind.PAUSE, wall("2026-01-26 11:00")), rules)
    clock = advance(clock, Entry("finish", EntryKind.RESUME, wall("2026-01-26 17:00")), rules)
    assert end_of(clock, rules) == wall("2026-02-14 18:00")
    assert spent(clock, wall("2026-01-26 18:00"), rules.base(clock.limit)) == 0


def test_a_restart_leaves_out_its_own_first_day_and_keeps_what_was_granted() -> None:
    rules = rules_of("15wd", "{ends: end-of-hours}")
    clock = started(rules, wall("2026-01-19 10:00"))
    day = rules.base(clock.limit).amount(Limit(LimitBase.WORKING_DAYS, 1), clock.started_at)
    clock = advance(clock, Entry("finish", EntryKind.EXTEND, wall("2026-01-20 10:00"), amount=day), rules)
    clock = advance(clock, Entry("finish", EntryKind.RESTART, wall("2026-01-26 10:00")), rules)
    assert end_of(clock, rules) == wall("2026-02-24 18:00")
    months = rules_of("1mo", "{ends: same-time}")
    other = advance(
        started(months, wall("2026-01-31 10:00")), Entry("finish", EntryKind.RESTART, wall("2026-02-28 10:00")), months
    )
    assert end_of(other, months) == wall("2026-03-28 10:00")


def test_a_limit_of_another_kind_counts_what_ran_anew() -> None:
    """48 hours become three working days after a pause: spent is what ran, counted in working days."""
    rules = rules_of("48h")
    days = Limit(LimitBase.WORKING_DAYS, 3, "start", "end-of-hours")
    log = [
        Entry("finish", EntryKind.START, wall("2026-03-02 10:00"), limit=Limit(LimitBase.ELAPSED, 48 * 3600)),
        Entry("finish", EntryKind.PAUSE, wall("2026-03-03 18:00")),
        Entry("finish", EntryKind.RESUME, wall("2026-03-05 08:00")),
        Entry("finish", EntryKind.RETARGET, wall("2026-03-05 08:30"), limit=days),
    ]
    clock = fold(log, rules)
    # Tuesday 3 is day 1, the pause takes Wednesday out, Thursday 5 and Friday 6 are days 2 and 3.
    assert end_of(clock, rules) == wall("2026-03-06 18:00")
    assert remaining(clock, wall("2026-03-05 08:30"), rules.base(days)) == 2 * (clock.target // 3)


def test_each_organisation_counts_by_its_own_days() -> None:
    overlay = OverlayFile.model_validate(
        {
            "organisation": "org-b",
            "calendar": "china",
            "days": [{"date": "2026-02-14", "is": "off", "name": "outing"}],
        }
    )
    files = shipped().file("china")
    library = CalendarLibrary([CalendarFiles(files.calendar, files.years, (overlay,))])
    rules = rules_of("15wd", "{ends: end-of-hours}", library=library)
    assert end_of(started(rules, wall("2026-01-26 10:00")), rules) == wall("2026-02-14 18:00")
    own = rules.of("org-b")
    assert end_of(started(own, wall("2026-01-26 10:00")), own) == wall("2026-02-24 18:00")
    assert rules.of("org-a") is rules
    assert own.of("org-b") is own


def test_a_deadline_in_a_year_without_its_list_is_provisional_until_it_is_counted_again() -> None:
    """The list of 2027 comes and works a Saturday: the deadline moves, old timers are void, spent time is kept."""
    before = rules_of("15wd", "{ends: end-of-hours}")
    clock = started(before, wall("2026-12-21 10:00"))
    assert clock.provisional
    assert end_of(clock, before) == wall("2027-01-12 18:00")
    files = shipped().file("china")
    published = year_file(
        2027,
        {"date": "2027-01-01", "is": "off", "name": "New Year"},
        {"date": "2027-01-09", "is": "work", "name": "New Year"},
    )
    years = (*(year for year in files.years if year.year != 2027), published)
    after = rules_of("15wd", "{ends: end-of-hours}", library=CalendarLibrary([CalendarFiles(files.calendar, years)]))
    counted = advance(clock, Entry("finish", EntryKind.RECOUNT, wall("2026-12-28 10:00")), after)
    assert end_of(counted, after) == wall("2027-01-11 18:00")
    assert not counted.provisional
    assert counted.generation == clock.generation + 1
    assert counted.calendar != clock.calendar
    assert counted.target == clock.target
    assert files.status(2027) is YearStatus.PREDICTED


def test_counting_again_counts_what_ran_before_a_pause_too() -> None:
    """A day of the past that turns out to be a day off is not spent."""
    before = rules_of("10wd", "{ends: end-of-hours}")
    clock = started(before, wall("2026-03-02 10:00"))
    clock = advance(clock, Entry("finish", EntryKind.PAUSE, wall("2026-03-05 18:00")), before)
    files = shipped().file("china")
    overlay = OverlayFile.model_validate(
        {"organisation": "org-a", "calendar": "china", "days": [{"date": "2026-03-04", "is": "off", "name": "flood"}]}
    )
    library = CalendarLibrary([CalendarFiles(files.calendar, files.years, (overlay,))])
    after = rules_of("10wd", "{ends: end-of-hours}", library=library).of("org-a")
    day = clock.target // 10
    assert clock.spent == 3 * day
    assert advance(clock, Entry("finish", EntryKind.RECOUNT, wall("2026-03-06 10:00")), after).spent == 2 * day


def test_a_case_under_a_plan_of_working_days_is_armed_and_fires_by_them() -> None:
    rules = rules_of("15wd", "{ends: end-of-hours}")
    decision = opened(rules, now=wall("2026-01-26 10:00"), received_at=wall("2026-01-26 10:00"))
    timer = next(timer for timer in decision.timers if timer.subject == clock_subject("finish"))
    assert (timer.threshold, timer.due_at) == ("50%", wall("2026-02-05 14:00"))
    assert fire(rules, decision.case, timer, wall("2026-02-05 13:59")).ignored is not None
    warned = fire(rules, decision.case, timer, wall("2026-02-05 14:00"))
    assert ChangeKind.CLOCK_WARNED in {change.kind for change in warned.changes}


def test_a_start_before_the_calendar_is_long_overdue_and_not_an_error() -> None:
    rules = rules_of("15wd")
    clock = started(rules, datetime(1999, 1, 1, tzinfo=UTC))
    due = end_of(clock, rules)
    assert due is not None
    assert due < datetime(2019, 2, 1, tzinfo=UTC)


def test_a_start_beyond_the_calendar_is_refused_by_name() -> None:
    with pytest.raises(NeedsCalendarError, match="'china' covers 2019 to 2039"):
        started(rules_of("15wd"), datetime(2050, 1, 1, tzinfo=UTC))


def test_a_plan_whose_calendar_is_missing_says_which() -> None:
    rules = rules_of("15wd", calendar="mars")
    assert "there is no calendar 'mars'" in (rules.lacking() or "")
    with pytest.raises(NeedsCalendarError, match="there is no calendar 'mars'"):
        opened(rules)


def test_days_and_months_need_no_calendar() -> None:
    assert rules_of("1mo", calendar=None).lacking() is None
    assert rules_of("same-day", calendar=None).lacking() is None
    assert "needs a calendar" in (rules_of("2cd", "{ends: end-of-hours}", calendar=None).lacking() or "")


def berlin() -> CalendarLibrary:
    """Offices and a night shift across both changes of offset of 2026."""
    week = {
        "mon": ["00:00-06:00", "22:00-24:00"],
        "wed": ["08:30-12:00", "12:45-17:15"],
        "sat": ["20:00-24:00"],
        "sun": ["00:00-04:00"],
    }
    file = calendar_file(zone="Europe/Berlin", week=week).model_copy(update={"calendar": "berlin"})
    assert isinstance(file, CalendarFile)
    return CalendarLibrary([CalendarFiles(file, (year_file(2025), year_file(2026), year_file(2027)))])


def every_base() -> list[tuple[Rules, Limit]]:
    found = []
    for limit in ("15wd", "40wh", "10cd", "2mo", "300h"):
        for basis in ("", "{ends: end-of-hours}", "{ends: same-time}", "{day_zero: before}"):
            found.append(rules_of(limit, basis))
            found.append(rules_of(limit, basis, library=berlin(), zone="Europe/Berlin", calendar="berlin"))
    return [(rules, spec_of(rules).limit) for rules in found]


@pytest.mark.slow
def test_time_is_conserved_in_every_base_over_a_hundred_thousand_clocks() -> None:
    """What ran is exactly what is spent, a pause keeps what remains, and the due instant is the first at which
    nothing remains: for random starts, pauses and resumptions, changes of offset included.
    """
    chance = random.Random(20261122)  # noqa: S311  # reproducible cases, not secrets
    bases = every_base()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(CASES):
        rules, limit = bases[number % len(bases)]
        base = rules.base(limit)
        cuts = sorted(chance.randrange(40 * 86_400_000_000) for _ in range(4))
        shift = timedelta(days=chance.randrange(300))
        start, paused, resumed, now = (begin + shift + cut * MICROSECOND for cut in cuts)
        clock = advance(None, Entry("finish", EntryKind.START, start, limit=limit), rules)
        head = base.counts_from(start)
        early = base.spent(head, start)
        left = remaining(clock, paused, base)
        clock = advance(clock, Entry("finish", EntryKind.PAUSE, paused), rules)
        assert remaining(clock, paused, base) == left == remaining(clock, resumed, base), (number, limit)
        clock = advance(clock, Entry("finish", EntryKind.RESUME, resumed), rules)
        ran = early + sum(base.spent(max(a, head), b) for a, b in ((start, paused), (resumed, now)))
        assert spent(clock, now, base) == ran, (number, limit)
        assert spent(clock, now, base) + remaining(clock, now, base) == clock.target
        due = due_at(clock, base)
        assert due is not None
        if left > 0:
            assert remaining(clock, due, base) <= 0 < remaining(clock, due - MICROSECOND, base), (number, limit)


@pytest.mark.parametrize(
    ("seed", "logs"), [(0, 1_000), *(pytest.param(seed, CASES // 10, marks=pytest.mark.slow) for seed in range(1, 11))]
)
def test_random_logs_of_every_kind_conserve_time_and_fold_to_the_same_clock_in_every_base(seed: int, logs: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # reproducible cases
    kinds = [kind for kind in EntryKind if kind is not EntryKind.START]
    bases = every_base()
    for rules, limit in bases:
        for _ in range(logs // len(bases)):
            now = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(200_000))
            log = [Entry("finish", EntryKind.START, now, limit=limit)]
            row = advance(None, log[0], rules)
            for _ in range(chance.randrange(8)):
                now += timedelta(minutes=chance.randrange(5000))
                kind = chance.choice(kinds)
                other = (
                    Limit(LimitBase.WORKING_TIME, 3600 * chance.randrange(1, 50))
                    if kind is EntryKind.RETARGET
                    else None
                )
                log.append(Entry("finish", kind, now, limit=other, amount=chance.randrange(10**9)))
                before = row
                row = advance(row, log[-1], rules)
                assert row.generation >= before.generation
                base = rules.base(row.limit)
                assert spent(row, now, base) + remaining(row, now, base) == row.target
            assert fold(log, rules) == row
