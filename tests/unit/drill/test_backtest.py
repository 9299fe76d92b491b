"""Back-tests: a table becomes events, events become levels and pages, and a changed bound shows where it matters."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.drill.cli.plans import app
from services.drill.domain.events_file import Columns, EventsFileError, read_events, rows_of
from services.drill.domain.register import rows_of_register
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan
from tests.support.escalations import PLAN_TEXT
from tests.support.plans import PACKS
from tests.support.samples import sample_path

RUNNER = CliRunner()
TABLE = """编号,时间,人数,经过
A-1,2026-03-02 09:00,5,无人回应
A-2,2026-03-02 10:00,120,很多人
A-3,2026-03-02 11:00,多,不是数字
"""
MAPPED = ("--map", "编号=reference", "--map", "时间=received_at", "--map", "人数=people")


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    folder = tmp_path / "plans" / "ladder-test"
    folder.mkdir(parents=True)
    (folder / "plan.yaml").write_text(PLAN_TEXT, encoding="utf-8")
    return folder.parent


def plan() -> CompiledPlan:
    return CompiledPlan.of(parse_plan(PLAN_TEXT, "ladder-test"))


def backtest(packs: Path, events: Path, *arguments: str, name: str = "ladder-test") -> Any:
    done = RUNNER.invoke(
        app, ["backtest", name, "--events", str(events), *arguments, "--plans-dir", str(packs), "--json"]
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return json.loads(done.output)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_table_is_read_in_the_encodings_of_the_country(packs: Path, tmp_path: Path, encoding: str) -> None:
    events = tmp_path / "events.csv"
    events.write_bytes(TABLE.encode(encoding))
    found = backtest(packs, events, *MAPPED)
    assert found["cases"] == 3
    assert found["plan"]["levels"]["red"] == 1
    assert found["unfit"] == ["row 3: people = '多'"]


def test_lines_of_json_as_intake_takes_them_need_no_mapping(packs: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    rows = [
        {"reference": "A-1", "received_at": "2026-03-02T09:00:00+08:00", "facts": {"people": 5}},
        {"reference": "A-1", "received_at": "2026-03-02T09:30:00+08:00", "facts": {"people": 150}},
    ]
    events.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    found = backtest(packs, events)
    assert found["cases"] == 1
    assert found["plan"]["levels"] == {"red": 1}


def test_a_changed_bound_shows_exactly_the_cases_it_changes(packs: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft" / "ladder-test"
    draft.mkdir(parents=True)
    (draft / "plan.yaml").write_text(PLAN_TEXT.replace("people >= 100", "people >= 200"), encoding="utf-8")
    events = tmp_path / "events.csv"
    events.write_text(TABLE, encoding="utf-8")
    found = backtest(packs, events, *MAPPED, "--against", "ladder-test", name=str(draft))
    assert [one["name"] for one in found["changed"]] == ["A-2"]
    assert found["changed"][0]["before"]["level"] == "red"
    assert found["changed"][0]["after"]["level"] != "red"


def test_an_acknowledged_case_is_paged_no_further(packs: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    line = "received_at,people,acknowledged_at\n2026-03-02 09:00:00,120,{}\n"
    events.write_text(line.format(""), encoding="utf-8")
    silent = backtest(packs, events)["plan"]["told"]
    assert backtest(packs, events)["unanswered"] == 1
    assert backtest(packs, events, "--acknowledged-after", "10m")["unanswered"] == 0
    shown = RUNNER.invoke(app, ["backtest", "ladder-test", "--events", str(events), "--plans-dir", str(packs)]).output
    assert "upper bound" in shown
    events.write_text(line.format("2026-03-02 09:00:30"), encoding="utf-8")
    assert backtest(packs, events)["unanswered"] == 0
    answered = backtest(packs, events)["plan"]["told"]
    assert sum(one["times"] for one in answered) < sum(one["times"] for one in silent)


def test_a_span_leaves_out_what_lies_outside(packs: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(TABLE, encoding="utf-8")
    found = backtest(packs, events, *MAPPED, "--from", "2026-03-02T09:30", "--to", "2026-03-02T10:30")
    assert found["cases"] == 1
    assert "no event lies" in backtest(packs, events, *MAPPED, "--from", "2027-01-01")["error"]


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        (b"a,b\n1,2\n", Columns(), "no column says when"),
        (b"a\n01-02-2026\n", Columns({"a": "received_at"}), "give --time-format"),
        (b"a\nsoon\n", Columns({"a": "received_at"}), "not one kind of date"),
        (b"a\n2026-01-02\n", Columns({"b": "received_at"}), "there is no column 'b'"),
        (b"a\n2026-01-02\n", Columns({"a": "nonsense"}), "'nonsense' is neither a field nor a fact"),
        (b"a\n2026-01-02\n", Columns({"a": "received_at"}, {"nonsense": "1"}), "'nonsense' cannot be set"),
        (b"a\n\n", Columns({"a": "received_at"}), "holds no events"),
        (b"\xff\xff", Columns(), "neither UTF-8 nor GBK"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(content: bytes, columns: Columns, message: str) -> None:
    with pytest.raises(EventsFileError, match=message):
        read_events(rows_of(content, "events.csv"), columns, plan())


def test_day_and_month_are_told_apart_by_the_whole_column() -> None:
    rows = rows_of(b"a\n01-02-2026\n25-02-2026\n", "events.csv")
    read = read_events(rows, Columns({"a": "received_at"}), plan())
    assert [step.at.month for step in read.steps] == [2, 2]


def test_a_row_without_a_time_is_left_out_and_named() -> None:
    rows = rows_of(b"received_at,people\n2026-01-02,3\n,4\n", "events.csv")
    read = read_events(rows, Columns(), plan())
    assert read.cases == 1
    assert read.left_out == ("row 2: it does not say when",)


@pytest.mark.parametrize(
    ("file", "name", "arguments"),
    [
        (
            "car_complain_40_gbk.csv",
            "car-dealer-complaint",
            ("投诉时间=received_at", "id=reference", "问题简述=narrative"),
        ),
        (
            "smartgov_200_utf8.csv",
            "township-holiday-complaint",
            (
                "留言时间=received_at",
                "留言编号=reference",
                "留言主题=title",
                "留言详情=narrative",
                "留言用户=complainant",
            ),
        ),
        (
            "nyc311_2013_120.csv",
            "property-major-complaint",
            ("Created Date=received_at", "Unique Key=reference", "Complaint Type=topic", "Closed Date=resolved_at"),
        ),
        (
            "cfpb_60_narratives.csv",
            "bank-complaint-regulatory",
            ("Date received=received_at", "Complaint ID=reference", "Consumer complaint narrative=narrative"),
        ),
        (
            "incident_event_log_60_incidents.csv",
            "it-platform-operations",
            ("sys_updated_at=received_at", "number=reference", "resolved_at=resolved_at"),
        ),
    ],
)
def test_real_tables_are_replayed_whole(file: str, name: str, arguments: tuple[str, ...]) -> None:
    events = sample_path("samples", file)
    given = [part for column in arguments for part in ("--map", column)]
    found = backtest(PACKS, events, *given, "--acknowledged-after", "10m", name=name)
    assert found["cases"] >= 40
    assert all("narrative: String should have at most 20000" in text for text in found["left_out"])
    assert sum(found["plan"]["levels"].values()) == found["cases"]


class Register:
    """The console's door in a test: two reports a page, and what was asked of it."""

    def __init__(self, reports: list[dict[str, Any]]) -> None:
        self.reports = reports
        self.asked: list[httpx.URL] = []

    def __call__(self, method: str, url: str, **given: Any) -> httpx.Response:
        request = httpx.Request(method, url, params=given["params"], headers=given["headers"])
        self.asked.append(request.url)
        start = int(request.url.params.get("after", 0))
        end = start + 2
        page = {"reports": self.reports[start:end], "next": str(end) if end < len(self.reports) else None}
        return httpx.Response(200, json=page, request=request)


def registered(number: str, minute: int, **body: Any) -> dict[str, Any]:
    at = f"2026-03-02T09:{minute:02}:00+08:00"
    given = {"number": number, "reference": f"R-{minute}", "received_at": at, "occurred_at": at, "drill": False}
    return {"kind": "complaint", "body": {**given, "complainant_ref": None, "facts": {}, **body}}


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    found = Register(
        [
            registered("N-1", 0),
            registered("N-2", 1, facts={"people": 150}, drill=True),
            *(registered(f"M-{minute}", minute) for minute in range(2, 50)),
            registered("N-1", 50, facts={"people": 150}),
        ]
    )
    monkeypatch.setattr(httpx, "request", found)
    monkeypatch.setenv("FENGHUO_API_KEY", "fh_test")
    return found


def test_the_registers_last_days_are_replayed_page_by_page_without_rehearsals(packs: Path, register: Register) -> None:
    done = RUNNER.invoke(app, ["backtest", "ladder-test", "--days", "7", "--plans-dir", str(packs), "--json"])
    found = json.loads(done.output)
    assert found["cases"] == 49
    assert found["plan"]["levels"]["red"] == 1
    assert len(register.asked) == 26
    span = [datetime.fromisoformat(register.asked[0].params[name]) for name in ("from", "to")]
    assert span[1] - span[0] == timedelta(days=7)


def test_a_fact_that_only_the_last_report_gives_is_replayed() -> None:
    reports = [registered(f"M-{n % 60}", n % 60) for n in range(200)]
    rows = rows_of_register([*reports, registered("N-1", 59, facts={"people": 150})])
    steps = read_events(rows, Columns(), plan()).steps
    assert [step.name for step in steps if step.report is not None and step.report.facts] == ["N-1"]


def test_an_empty_register_says_so(packs: Path, register: Register) -> None:
    register.reports.clear()
    done = RUNNER.invoke(app, ["backtest", "ladder-test", "--days", "7", "--plans-dir", str(packs)])
    assert done.exit_code == 1
    assert "no reports of these days" in done.output


@pytest.mark.parametrize("arguments", [(), ("--events", "a.csv", "--days", "7")])
def test_events_come_from_a_file_or_from_the_register(packs: Path, arguments: tuple[str, ...]) -> None:
    done = RUNNER.invoke(app, ["backtest", "ladder-test", *arguments, "--plans-dir", str(packs)])
    assert done.exit_code == 1
    assert "either --events FILE or --days N" in done.output
