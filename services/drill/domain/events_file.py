"""Events from a table or from lines of JSON, as reports to be replayed: columns mapped, instants read, facts typed."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.drill.domain.steps import Step
from shared.contracts.commands import CommandKind
from shared.contracts.values import CaseKind, FactValue
from shared.plans.cases import Happening, ReportSpec
from shared.plans.compiled import CompiledPlan
from shared.plans.facts import FactSpec, FactType, fact_problem

MAX_EVENTS: Final = 100_000
MAX_CELL: Final = 1_000_000
_INSTANTS: Final = ("received_at", "occurred_at", "acknowledged_at", "resolved_at")
_TEXTS: Final = ("topic", "category", "channel", "title", "narrative", "complainant", "source")
_PLACE: Final = ("place.province", "place.city", "place.district", "place.site")
NAMES: Final = ("reference", "kind", *_INSTANTS, *_TEXTS, *_PLACE)
# With the year first a date can be read in one way only, so a column may mix these.
_YEAR_FIRST: Final = (
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y年%m月%d日",
    "%Y年%m月%d日 %H:%M:%S",
)
_FORMATS: Final = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%m-%Y %H:%M",
    "%m-%d-%Y %H:%M",
    "%d-%m-%y",
    "%m-%d-%y",
    "%d-%b-%y",
    "%d-%b-%Y",
)
_TRUE: Final = frozenset({"true", "yes", "y", "1", "t", "是", "有"})
_FALSE: Final = frozenset({"false", "no", "n", "0", "f", "否", "无"})
_UNKNOWN: Final = frozenset({"", "?", "n/a", "na", "null", "none", "unspecified"})
_SHOWN: Final = 10


class EventsFileError(ValueError):
    """The file, or how its columns are mapped, cannot be used; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How columns become fields. `mapped` is column to name, `fixed` are values for every event.

    A name is one of `NAMES` or a fact of the plan. `time_format` as in strptime; None finds the one that fits.
    """

    mapped: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    time_format: str | None = None


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """Steps in the order of time. `left_out` says which rows are not among them, `unfit` which values, and why."""

    steps: tuple[Step, ...]
    cases: int
    left_out: tuple[str, ...]
    unfit: tuple[str, ...]


def rows_of(content: bytes, name: str) -> list[dict[str, str]]:
    """The rows of a CSV or JSONL file in UTF-8 or GB 18030. Raises EventsFileError."""
    text = _decoded(content, name)
    rows = _lines(text, name) if name.endswith((".jsonl", ".ndjson")) else _table(text, name)
    if not rows:
        raise EventsFileError(f"{name} holds no events")
    if len(rows) > MAX_EVENTS:
        raise EventsFileError(f"{name} holds {len(rows)} events; at most {MAX_EVENTS} are replayed at once")
    return rows


def _decoded(content: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EventsFileError(f"{name} is neither UTF-8 nor GBK")


def _table(text: str, name: str) -> list[dict[str, str]]:
    try:
        csv.field_size_limit(MAX_CELL)
        reader = csv.DictReader(io.StringIO(text, newline=""))
        return [
            {k: v or "" for k, v in row.items() if isinstance(k, str) and not isinstance(v, list)} for row in reader
        ]
    except csv.Error as error:
        raise EventsFileError(f"{name} is no table: {error}") from error


def _lines(text: str, name: str) -> list[dict[str, str]]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise EventsFileError(f"{name}, line {number}: {error}") from error
        if not isinstance(row, dict):
            raise EventsFileError(f"{name}, line {number}: not an object")
        found.append(flat_row(row))
    return found


def flat_row(event: Mapping[str, Any]) -> dict[str, str]:
    """An event as intake takes it, with its facts and its place in objects of their own, as a row of texts."""
    return dict(_flat(event))


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in row.items():
        if key in {"facts", "place"} and isinstance(value, dict):
            prefix = "place." if key == "place" else ""
            yield from ((prefix + name, _text(inner)) for name, inner in value.items())
        else:
            yield key, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(one) for one in value)
    return str(value)


def read_events(rows: Sequence[Mapping[str, str]], columns: Columns, plan: CompiledPlan) -> ReadEvents:
    """The rows as reports for this plan. Rows with an equal reference are one case. Raises EventsFileError."""
    names = _names(rows, columns, plan)
    instants = {name: _reader(rows, column, columns, plan.zone) for column, name in names.items() if name in _INSTANTS}
    reader = _Rows(names, dict(columns.fixed), instants, plan)
    left_out: list[str] = []
    steps: list[Step] = []
    for number, row in enumerate(rows, start=1):
        try:
            steps.extend(reader.steps(number, row))
        except EventsFileError as error:
            left_out.append(f"row {number}: {error}")
    if not steps:
        raise EventsFileError(f"no row can be replayed: {'; '.join(left_out[:3])}")
    ordered = tuple(sorted(steps, key=lambda step: step.at))
    return ReadEvents(ordered, len({step.name for step in ordered}), tuple(left_out), tuple(reader.unfit))


def _names(rows: Sequence[Mapping[str, str]], columns: Columns, plan: CompiledPlan) -> dict[str, str]:
    known = {*NAMES, *plan.plan.facts}
    there = list(dict.fromkeys(column for row in rows[:100] for column in row))
    wanted = dict(columns.mapped)
    for column, name in wanted.items():
        if column not in there:
            raise EventsFileError(f"there is no column '{column}'; there are: {', '.join(there)}")
        if name not in known:
            raise EventsFileError(f"'{name}' is neither a field nor a fact of the plan: {', '.join(sorted(known))}")
    for name in columns.fixed:
        if name not in known or name in _INSTANTS:
            raise EventsFileError(f"'{name}' cannot be set: it is neither a field nor a fact of the plan")
    taken = {*wanted.values(), *columns.fixed}
    wanted |= {column: column for column in there if column in known and column not in taken and column not in wanted}
    if not {"received_at", "occurred_at"} & set(wanted.values()):
        raise EventsFileError(f"no column says when: map one to received_at; there are: {', '.join(there)}")
    return wanted


def _reader(rows: Iterable[Mapping[str, str]], column: str, columns: Columns, zone: ZoneInfo) -> "_Instants":
    texts = [text for row in rows if (text := row.get(column, "").strip()).lower() not in _UNKNOWN]
    if columns.time_format is not None:
        return _Instants(columns.time_format, zone)
    if all(_parsed(text, None) is not None for text in texts):
        return _Instants(None, zone)
    fitting = [known for known in _FORMATS if all(_parsed(text, known) is not None for text in texts)]
    readings = {tuple(_parsed(text, known) for text in texts) for known in fitting}
    if len(readings) > 1:
        raise EventsFileError(f"column '{column}' can be read as {' or '.join(fitting)}: give --time-format")
    if not fitting:
        odd = (text for text in texts if all(_parsed(text, known) is None for known in (None, *_FORMATS)))
        wrong = next(odd, texts[0])
        raise EventsFileError(f"column '{column}' is not one kind of date and time, such as '{wrong}'")
    return _Instants(fitting[0], zone)


@dataclass(frozen=True, slots=True)
class _Instants:
    written: str | None
    zone: ZoneInfo

    def __call__(self, text: str) -> datetime | None:
        if text.strip().lower() in _UNKNOWN:
            return None
        moment = _parsed(text.strip(), self.written)
        if moment is None:
            raise EventsFileError(f"'{text[:40]}' is no date and time as the others")
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self.zone)


def _parsed(text: str, written: str | None) -> datetime | None:
    """By this format; None: ISO 8601 or anything else that begins with the year."""
    if written is None:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return next((found for known in _YEAR_FIRST if (found := _parsed(text, known)) is not None), None)
    try:
        return datetime.strptime(text, written)  # noqa: DTZ007  # the plan's zone is put in by whoever reads the column
    except ValueError:
        return None


class _Rows:
    def __init__(
        self, names: Mapping[str, str], fixed: dict[str, str], instants: Mapping[str, _Instants], plan: CompiledPlan
    ) -> None:
        self._names = names
        self._fixed = fixed
        self._instants = instants
        self._facts = plan.plan.facts
        self._kind = plan.plan.applies.kinds[0] if plan.plan.applies.kinds else CaseKind.COMPLAINT
        self.unfit: list[str] = []

    def steps(self, number: int, row: Mapping[str, str]) -> Iterator[Step]:
        given = {name: row.get(column, "").strip() for column, name in self._names.items()} | self._fixed
        given = {name: text for name, text in given.items() if text.lower() not in _UNKNOWN}
        at = {name: read(given[name]) for name, read in self._instants.items() if name in given}
        begun = at.get("received_at") or at.get("occurred_at")
        if begun is None:
            raise EventsFileError("it does not say when")
        name = given.get("reference") or f"row-{number}"
        yield Step(begun, name, report=self._report(number, given, begun, at.get("occurred_at")))
        for instant, command in (("acknowledged_at", CommandKind.ACKNOWLEDGE), ("resolved_at", CommandKind.RESOLVE)):
            moment = at.get(instant)
            if moment is not None and moment >= begun:
                yield Step(moment, name, command=Happening(at="0s", command=command))

    def _report(self, number: int, given: Mapping[str, str], at: datetime, occurred: datetime | None) -> ReportSpec:
        fields: dict[str, Any] = {name: given[name] for name in _TEXTS if name in given}
        place = {name.removeprefix("place."): given[name] for name in _PLACE if name in given}
        if place:
            fields["place"] = place
        if occurred is not None and occurred < at:
            fields["occurred"] = f"{round((at - occurred).total_seconds())}s"
        facts: dict[str, FactValue] = {}
        for name, spec in self._facts.items():
            if name in given:
                value = fact_of(given[name], spec)
                if value is None:
                    self.unfit.append(f"row {number}: {name} = '{given[name][:40]}'")
                else:
                    facts[name] = value
        try:
            return ReportSpec.model_validate({"kind": given.get("kind", self._kind), **fields, "facts": facts})
        except ValueError as error:
            raise EventsFileError(_first(error)) from error


def fact_of(text: str, spec: FactSpec) -> FactValue | None:
    """A cell's text as a value of the fact's type; None where it is none."""
    found: FactValue | None = text
    if spec.type is FactType.BOOL:
        found = text.lower() in _TRUE if text.lower() in _TRUE | _FALSE else None
    elif spec.type in {FactType.INT, FactType.NUMBER}:
        try:
            found = int(text) if spec.type is FactType.INT else float(text)
        except ValueError:
            found = None
    elif spec.type is FactType.ENUM:
        found = text if text in (spec.enum or ()) else None
    elif spec.type is FactType.SET:
        parts = [part.strip() for part in text.split(";") if part.strip()]
        found = parts if set(parts) <= set(spec.set_ or ()) else None
    return found if found is not None and fact_problem("fact", spec, found) is None else None


def _first(error: ValueError) -> str:
    problems = getattr(error, "errors", None)
    if problems is None:
        return str(error)
    first = problems()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def shortened(texts: Sequence[str]) -> list[str]:
    """The first of them, and how many more there are."""
    more = len(texts) - _SHOWN
    return [*texts[:_SHOWN], *([f"… {more}"] if more > 0 else [])]
