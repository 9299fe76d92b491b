"""Which messages wait or are left out, and that the highest level never does."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.notifier.domain.noise import Facts, NoiseRule, Throttle, Warned, ruling
from services.notifier.domain.roster import DayKind, Hours, Window
from services.notifier.domain.roster_text import MondayToFriday
from services.notifier.domain.silence_file import WrittenSilence, built_silence
from services.notifier.domain.silences import Afterwards, Filter, Silence, SilenceKind
from shared.contracts.notifications import Purpose, Subject
from shared.contracts.values import Place

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
SHANGHAI = ZoneInfo("Asia/Shanghai")
OFTEN = Throttle(3, timedelta(seconds=60))


def _subject(rank: int = 1, **more: object) -> Subject:
    fields = {
        "number": "2026-11-000001",
        "plan": "telecom-service-quality",
        "plan_title": "预案",
        "level": ("blue", "yellow", "red")[rank - 1],
        "level_label": None,
        "level_rank": rank,
        "highest_rank": 3,
        "because": None,
        "topic": "宽带中断 东区",
        "place": Place(city="成都", district="武侯区"),
        "occurred_at": NOW,
    } | more
    return Subject.model_validate(fields)


def _facts(rank: int = 1, **more: object) -> Facts:
    return Facts(_subject(rank), Purpose.PAGE, "manager-a", **more)  # type: ignore[arg-type]  # fields by name, in tables


def _silence(**more: object) -> Silence:
    fields: dict[str, object] = {
        "id": "s",
        "kind": SilenceKind.MAINTENANCE,
        "filter": Filter(),
        "begins_at": NOW - timedelta(hours=1),
        "ends_at": NOW + timedelta(hours=1),
        "hours": None,
        "reason": "割接",
        "by": "operator",
    } | more
    return Silence(**fields)  # type: ignore[arg-type]  # fields by name, in tables


def test_a_message_without_any_reason_against_it_goes() -> None:
    assert ruling(_facts(), [], OFTEN, NOW) is None


def test_nothing_touches_the_highest_level() -> None:
    often = [NOW - timedelta(seconds=n) for n in range(9)]
    facts = _facts(3, warned=Warned("W1", 3), recent=often)
    assert ruling(facts, [_silence()], OFTEN, NOW) is None


def test_a_silence_holds_until_its_end_with_its_reason_and_author() -> None:
    found = ruling(_facts(2), [_silence()], OFTEN, NOW)
    assert found is not None
    assert (found.rule, found.until) == (NoiseRule.MAINTENANCE, NOW + timedelta(hours=1))
    assert found.words.zh == "维护窗口：割接（operator）"


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(plans=("telecom-service-quality",)), True),
        (Filter(plans=("other",)), False),
        (Filter(levels=("blue", "yellow")), True),
        (Filter(levels=("yellow",)), False),
        (Filter(topics=("宽带中断*",)), True),
        (Filter(topics=("话费*",)), False),
        (Filter(places=("武侯区",)), True),
        (Filter(places=("锦江区",)), False),
        (Filter(people=("manager-b",)), False),
        (Filter(purposes=(Purpose.INFORM,)), False),
        (Filter(topics=("*东区",), places=("锦江区",)), False),
    ],
)
def test_a_silence_touches_only_what_its_filter_names(wanted: Filter, fits: bool) -> None:  # noqa: FBT001  # a table
    assert (ruling(_facts(), [_silence(filter=wanted)], OFTEN, NOW) is not None) is fits


def test_only_two_signs_of_a_topic_stand_for_something_else() -> None:
    topics = Filter(topics=("[宽]带*", "网络[北]?区"))
    for topic, fits in (("宽带中断", False), ("[宽]带中断", True), ("网络[北]一区", True), ("网络北一区", False)):
        subject = _facts().subject.model_copy(update={"topic": topic})
        assert topics.fits(subject, Purpose.PAGE, "manager-a") is fits, topic


def test_a_silence_that_drops_leaves_the_message_out() -> None:
    found = ruling(_facts(), [_silence(), _silence(afterwards=Afterwards.DROP)], OFTEN, NOW)
    assert found is not None
    assert found.until is None


def test_of_overlapping_silences_the_last_end_counts() -> None:
    later = NOW + timedelta(hours=5)
    found = ruling(_facts(), [_silence(ends_at=later), _silence()], OFTEN, NOW)
    assert found is not None
    assert found.until == later


@pytest.mark.parametrize(
    ("instant", "until"),
    [
        (NOW, datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),  # 23:00 → 07:00 of the next day in Shanghai
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 22, 13, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 22, 14, 0, tzinfo=UTC), datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),
    ],
)
def test_quiet_hours_run_over_midnight_by_the_local_clock(instant: datetime, until: datetime | None) -> None:
    night = Hours((Window(frozenset(range(7)), DayKind.ANY, time(22), time(7)),), SHANGHAI, MondayToFriday())
    quiet = _silence(kind=SilenceKind.QUIET_HOURS, begins_at=None, ends_at=None, hours=night)
    assert quiet.runs_until(instant) == until


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        ((2026, 6, 2), (0, 30), (1, 30)),
        # 02:30 is skipped: the maintenance begins when the clocks have jumped
        ((2026, 3, 29), (1, 0), (1, 30)),
        # 02:30 comes twice: it begins the first time and lasts through the second
        ((2026, 10, 25), (0, 30), (2, 30)),
    ],
)
def test_a_recurring_maintenance_keeps_to_the_wall_clock_when_clocks_change(
    day: tuple[int, int, int], begins: tuple[int, int], ends: tuple[int, int]
) -> None:
    hours = Hours(
        (Window(frozenset(range(7)), DayKind.ANY, time(2, 30), time(3, 30)),),
        ZoneInfo("Europe/Berlin"),
        MondayToFriday(),
    )
    first, end = (datetime(*day, *at, tzinfo=UTC) for at in (begins, ends))
    weekly = _silence(begins_at=first - timedelta(days=90), ends_at=end + timedelta(days=90), hours=hours)
    assert [weekly.runs_until(at) for at in (first - timedelta(seconds=1), first, end - timedelta(seconds=1), end)] == [
        None, end, end, None,
    ]  # fmt: skip


def test_a_warning_stands_for_its_single_cases_up_to_its_own_level() -> None:
    lower = ruling(_facts(1, warned=Warned("W1", 1)), [], OFTEN, NOW)
    assert lower is not None
    assert (lower.rule, lower.until) == (NoiseRule.INHIBITED, None)
    assert ruling(_facts(2, warned=Warned("W1", 1)), [], OFTEN, NOW) is None


def test_the_end_of_a_case_is_told_also_under_a_warning() -> None:
    facts = Facts(_subject(1), Purpose.STAND_DOWN, "manager-a", warned=Warned("W1", 2))
    assert ruling(facts, [], OFTEN, NOW) is None


def test_too_many_messages_wait_until_the_window_has_room() -> None:
    often = [NOW - timedelta(seconds=n) for n in (50, 20, 1)]
    found = ruling(_facts(recent=often), [], OFTEN, NOW)
    assert found is not None
    assert (found.rule, found.until) == (NoiseRule.THROTTLED, NOW + timedelta(seconds=10))
    assert ruling(_facts(recent=often[1:]), [], OFTEN, NOW) is None
    assert ruling(_facts(recent=often), [], Throttle(), NOW) is None
    assert ruling(_facts(recent=often, was_held=True), [], OFTEN, NOW) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from": "tomorrow"}, "from"),
        ({"to": "2020-01-01"}, "to"),
        ({"hours": {"days": ["funday"]}}, "hours"),
    ],
)
def test_what_is_wrong_with_a_written_silence_is_named_by_its_field(changes: dict[str, object], field: str) -> None:
    body = {"from": "2026-11-22", "to": "2026-11-23", "reason": "割接"} | changes
    written = WrittenSilence.model_validate(body)
    with pytest.raises(ValueError, match=f"^{field}: "):
        built_silence(written, silence_id=UUID(int=1), by="x", zone=SHANGHAI, calendar=MondayToFriday())
