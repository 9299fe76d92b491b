"""Random rosters against an oracle that reads the written text and walks minute by minute.

The oracle shares nothing with the product: it works on what is written, keeps the furthest wall time seen, and knows
neither instants nor intervals.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from services.notifier.domain.roster_check import check_roster
from services.notifier.domain.roster_duty import on_duty
from services.notifier.domain.roster_findings import FindingKind
from services.notifier.domain.roster_text import parse_roster
from services.notifier.domain.roster_timeline import timeline

PEOPLE = ["a", "b", "c", "d", "e"]
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "America/Santiago"]
# The day before a change of clocks in one of these zones, and an ordinary holiday eve.
DAYS = ["2026-03-07", "2026-03-28", "2026-04-04", "2026-09-05", "2026-10-03", "2026-10-24", "2026-10-31", "2026-09-30"]
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WALK = timedelta(hours=42)


class Holidays:
    """2026-10-01 and -02 are holidays; the Saturday 2026-10-03 is worked to make up for them."""

    def is_working(self, day: date) -> bool:
        if day in {date(2026, 10, 1), date(2026, 10, 2)}:
            return False
        return day.weekday() < 5 or day == date(2026, 10, 3)


Walls = dict[str, datetime]


class Oracle:
    def __init__(self, written: dict[str, Any]) -> None:
        self.written = written
        self.people = {person["id"]: person for person in written["people"]}
        self.roles = {role["id"]: role for role in written["roles"]}
        self.rotations = {one["id"]: one for one in written["rotations"]}
        self.teams = {team["id"]: team["people"] for team in written["teams"]}
        self.zone = written["timezone"]

    def walk(self, begins: datetime, ends: datetime) -> Iterator[tuple[datetime, Walls]]:
        """Every minute with the furthest time that the clocks on the walls have shown by then, by zone."""
        names = {self.zone, *(one["timezone"] for one in self.rotations.values() if "timezone" in one)}
        furthest = dict.fromkeys(names, datetime.min)  # noqa: DTZ901  # wall times, compared with wall times
        minute = begins
        while minute < ends:
            for name in names:
                furthest[name] = max(furthest[name], minute.astimezone(ZoneInfo(name)).replace(tzinfo=None))
            yield minute, dict(furthest)
            minute += timedelta(minutes=1)

    def who(self, role: str, wall: Walls, excluded: frozenset[str]) -> list[str]:
        entry = self.roles[role]
        current = [one for one in self.written["overrides"] if one["role"] == role and self._in(one, wall)]
        found = self._there([p for one in current if not one["adds"] for p in one["people"]], wall, excluded)
        for layer in [*reversed(entry["layers"]), entry]:
            if not found and self._open(layer, wall):
                found = self._sources(layer["duty"], wall, excluded)
        if not found and not self._open(entry, wall):
            found = self._sources(entry["off_hours"], wall, excluded)
        if not found:
            found = self._sources(entry["when_nobody"], wall, excluded)
        found = found + self._there([p for one in current if one["adds"] for p in one["people"]], wall, excluded)
        return list(dict.fromkeys(found))

    def _in(self, span: dict[str, Any], walls: Walls) -> bool:
        wall, begins, ends = walls[self.zone], span["from"], span["to"]
        if len(begins) == len("2026-03-28"):  # whole days
            return bool(begins <= f"{wall:%Y-%m-%d}" <= ends)
        return datetime.fromisoformat(begins) <= wall < datetime.fromisoformat(ends)

    def _open(self, layer: dict[str, Any], walls: Walls) -> bool:
        if not layer.get("hours"):
            return True
        wall = walls[self.zone]
        for one in layer["hours"]:
            begins, ends = time.fromisoformat(one["from"]), time.fromisoformat(one["to"])
            for back in (0, 1):
                day = wall.date() - timedelta(days=back)
                length = timedelta(days=0 if begins < ends else 1)
                fits = WEEK[day.weekday()] in one["days"]
                if one["on"] != "any":
                    fits = fits and Holidays().is_working(day) == (one["on"] == "working")
                if fits and datetime.combine(day, begins) <= wall < datetime.combine(day + length, ends):
                    return True
        return False

    def _sources(self, sources: list[dict[str, str]], wall: Walls, excluded: frozenset[str]) -> list[str]:
        found: list[str] = []
        for source in sources:
            [(kind, target)] = source.items()
            if kind == "person":
                found += self._there([target], wall, excluded)
            elif kind == "role":
                found += self.who(target, wall, excluded)
            elif kind == "team":
                found += self._there(self.teams[target], wall, excluded)
            else:
                found += self._there(
                    [self._swapped(target, one, wall) for one in self._turn(target, wall)], wall, excluded
                )
        return found

    def _turn(self, rotation: str, walls: Walls) -> list[str]:
        entry = self.rotations[rotation]
        wall = walls[entry.get("timezone", self.zone)]
        start = date.fromisoformat(entry["start"])
        turn, day = -1, start
        while datetime.combine(day, time()) <= wall:
            if hands_over(entry, start, day):
                for handover in entry["handover"]:
                    if datetime.combine(day, time.fromisoformat(handover)) <= wall:
                        turn += 1
            day += timedelta(days=1)
        return list(entry["people"][turn % len(entry["people"])]) if turn >= 0 else []

    def _swapped(self, rotation: str, person: str, wall: Walls) -> str:
        for swap in self.written["swaps"]:
            legs = [(swap, swap["between"]), (swap.get("back") or swap, swap["between"][::-1])]
            for span, (absent, stand_in) in legs:
                if absent == person and swap.get("rotation") in {None, rotation} and self._in(span, wall):
                    return str(stand_in)
        return person

    def _there(self, people: list[str], wall: Walls, excluded: frozenset[str]) -> list[str]:
        return [one for person in people if (one := self._stand_in(person, wall, excluded, [])) is not None]

    def _stand_in(self, person: str, wall: Walls, excluded: frozenset[str], tried: list[str]) -> str | None:
        entry = self.people[person]
        leave = next((one for one in entry["leave"] if self._in(one, wall)), None)
        if leave is None and person not in excluded:
            return person
        tried.append(person)
        own = [leave["deputy"]] if leave and leave.get("deputy") else []
        for deputy in own + entry["deputy"]:
            if deputy not in tried:
                found = self._stand_in(deputy, wall, excluded, tried)
                if found is not None:
                    return found
        return None


def hands_over(entry: dict[str, Any], start: date, day: date) -> bool:
    """Whether a round begins on the day, told by looking at the calendar on the wall."""
    if entry["every"] != "month":
        return bool((day - start).days % (entry["length"] * (7 if entry["every"] == "week" else 1)) == 0)
    is_last = (day + timedelta(days=1)).day == 1
    months = (day.year - start.year) * 12 + day.month - start.month
    return bool(months % entry["length"] == 0 and (day.day == start.day or (is_last and day.day < start.day)))


walls = st.times().map(lambda one: f"{one:%H:%M}")
someone = st.sampled_from(PEOPLE)


def spans(day: date) -> st.SearchStrategy[dict[str, Any]]:
    minutes = st.integers(-600, 3400)
    base = datetime.combine(day, time())
    timed = st.tuples(minutes, st.integers(1, 1500)).map(
        lambda two: {
            "from": f"{base + timedelta(minutes=two[0]):%Y-%m-%d %H:%M}",
            "to": f"{base + timedelta(minutes=sum(two)):%Y-%m-%d %H:%M}",
        }
    )
    days = st.tuples(st.integers(-1, 2), st.integers(0, 1)).map(
        lambda two: {"from": str(day + timedelta(days=two[0])), "to": str(day + timedelta(days=sum(two)))}
    )
    return timed | days


hours = st.none() | st.lists(
    st.fixed_dictionaries(
        {
            "days": st.lists(st.sampled_from(WEEK), min_size=1, unique=True),
            "on": st.sampled_from(["any", "any", "working", "rest"]),
            "from": walls,
            "to": walls,
        }
    ),
    min_size=1,
    max_size=2,
)


@st.composite
def rosters(draw: st.DrawFn) -> dict[str, Any]:  # noqa: C901  # one draw for each kind of entry
    day = date.fromisoformat(draw(st.sampled_from(DAYS)))
    span = spans(day)

    def others(person: str) -> list[str]:
        return [one for one in PEOPLE if one != person]

    people: list[dict[str, Any]] = []
    for person in PEOPLE:
        leave = draw(st.lists(span, max_size=2))
        for one in leave:
            if draw(st.booleans()):
                one["deputy"] = draw(st.sampled_from(others(person)))
        deputies = draw(st.lists(st.sampled_from(others(person)), max_size=2, unique=True))
        label = {"zh": person, "en": person}
        people.append({"id": person, "name": label, "contacts": [], "deputy": deputies, "leave": leave})
    rotations = []
    for name in ("r1", "r2"):
        handover = sorted(draw(st.lists(walls, min_size=1, max_size=3, unique=True)))
        every = draw(st.sampled_from(["day", "week", "month"])) if len(handover) == 1 else "day"
        back = draw(st.integers(-1, 9) if every != "month" else st.integers(-1, 130))
        rotations.append(
            {
                "id": name,
                "every": every,
                "length": draw(st.integers(1, 2)) if len(handover) == 1 else 1,
                "start": str(day - timedelta(days=back)),
                **({"timezone": elsewhere} if (elsewhere := draw(st.none() | st.sampled_from(ZONES))) else {}),
                "handover": handover,
                "people": draw(
                    st.lists(st.lists(someone, min_size=1, max_size=2, unique=True), min_size=1, max_size=3)
                ),
            }
        )
    roles: list[dict[str, Any]] = []
    for number, name in enumerate(("low", "mid", "top")):
        shared = st.sampled_from([{"rotation": "r1"}, {"rotation": "r2"}, {"team": "crew"}])
        source = someone.map(lambda one: {"person": one}) | shared
        if number:
            source = source | st.sampled_from(["low", "mid"][:number]).map(lambda one: {"role": one})
        sources, ground = st.lists(source, min_size=1, max_size=2), draw(hours)
        roles.append(
            {
                "id": name,
                "name": {"zh": name, "en": name},
                "duty": draw(sources),
                **({"hours": ground} if ground else {}),
                "layers": [
                    {"id": f"l{at}", "duty": draw(sources), **({"hours": mine} if (mine := draw(hours)) else {})}
                    for at in range(draw(st.integers(0, 2)))
                ],
                "off_hours": draw(sources) if ground and draw(st.booleans()) else [],
                "when_nobody": draw(st.lists(source, max_size=1)),
            }
        )
    overrides = [
        one
        | {
            "role": draw(st.sampled_from(["low", "mid", "top"])),
            "people": draw(st.lists(someone, min_size=1, max_size=2, unique=True)),
            "reason": "x",
            "adds": draw(st.booleans()),
        }
        for one in draw(st.lists(span, max_size=2))
    ]
    swaps = []
    for one in draw(st.lists(span, max_size=2)):
        pair = draw(st.permutations(PEOPLE))[:2]
        swap = one | {"between": pair, "reason": "x"}
        if draw(st.booleans()):
            swap["rotation"] = draw(st.sampled_from(["r1", "r2"]))
        if draw(st.booleans()):
            swap["back"] = draw(span)
        swaps.append(swap)
    return {
        "organisation": "demo",
        "timezone": draw(st.sampled_from(ZONES)),
        "calendar": "holidays",
        "people": people,
        "teams": [{"id": "crew", "people": draw(st.lists(someone, min_size=1, max_size=3, unique=True))}],
        "rotations": rotations,
        "roles": roles,
        "overrides": overrides,
        "swaps": swaps,
    }


def _text(written: dict[str, Any]) -> str:
    stream = StringIO()
    YAML(typ="safe").dump(written, stream)
    return stream.getvalue()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(written=rosters(), day=st.sampled_from(DAYS), excluded=st.frozensets(someone, max_size=1))
def test_every_minute_of_every_role_is_as_walked(written: dict[str, Any], day: str, excluded: frozenset[str]) -> None:
    roster = parse_roster(_text(written), file="r.yaml", calendars={"holidays": Holidays()})
    oracle = Oracle(written)
    begins = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    lines = {role: list(timeline(roster, role, begins, begins + WALK)) for role in roster.roles}
    gaps = [one for one in check_roster(roster, begins, begins + WALK) if one.kind is FindingKind.GAP]
    for minute, wall in oracle.walk(begins - timedelta(hours=6), begins + WALK):
        if minute < begins:
            continue
        for role in roster.roles:
            walked = oracle.who(role, wall, frozenset())
            assert [duty.person.id for duty in on_duty(roster, role, minute)] == walked, (role, minute)
            [segment] = [one for one in lines[role] if one.begins_at <= minute < one.ends_at]
            assert [duty.person.id for duty in segment.duties] == walked, (role, minute)
            told = [one for one in gaps if one.role == role and one.begins_at <= minute < one.ends_at]
            assert len(told) == (not walked), (role, minute, "a gap ahead is found where it is, and nowhere else")
            if excluded and minute.minute % 15 == 0:
                walked = oracle.who(role, wall, excluded)
                without = [duty.person.id for duty in on_duty(roster, role, minute, excluded=excluded)]
                assert without == walked, (role, minute, excluded)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(written=rosters(), offset=st.integers(0, 3 * 86_400_000_000))
def test_the_remembered_answer_is_the_one_worked_out_alone(written: dict[str, Any], offset: int) -> None:
    """To the microsecond, and whatever was asked before."""
    text = _text(written)
    roster = parse_roster(text, file="r.yaml", calendars={"holidays": Holidays()})
    instant = datetime.fromisoformat(written["overrides"][0]["from"] if written["overrides"] else "2026-03-28")
    instant = instant.replace(tzinfo=UTC) + timedelta(microseconds=offset)
    for role in roster.roles:
        alone = on_duty(roster, role, instant, excluded=frozenset({"nobody-of-that-name"}))
        assert on_duty(roster, role, instant) == alone
