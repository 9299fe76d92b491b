"""One case with everything that led to where it is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from services.console.app.find_case import find_case
from services.console.domain.criteria import all_criteria
from services.console.domain.plan_words import PlanWords
from services.console.domain.views import View, criterion_view, instant, line_view, with_names
from services.console.store import cases
from services.console.store.case_views import views_of
from services.console.store.linked import numbers_of
from shared.db.engine import Database

_HISTORY_SHOWN: Final = 1000
_TOLD_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case: as it stands under each plan, what was reported, how it was judged, and its history oldest first."""

    case_id: str
    number: str
    plans: list[View]
    reports: list[View]
    classifications: dict[str, list[View]]
    timeline: list[View]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def read_case(org: str, wanted: str, *, database: Database, words: PlanWords) -> CaseFile | None:
    """By id or number; None when the organisation has no such case."""
    case_id = await find_case(org, wanted, database=database)
    if case_id is None:
        return None
    async with database.transaction() as tx:
        reports = await cases.reports_of(tx, org, case_id)
        judged = await cases.classifications_of(tx, org, case_id)
        told = await cases.criteria_words(tx, sorted({row["body"]["plan"]["sha256"] for row in judged}))
        history = await cases.history_of(tx, org, case_id, _HISTORY_SHOWN)
        linked = {UUID(one) for row in judged for one in _other_cases(row["body"])}
        called = await numbers_of(tx, org, linked)
        plans = await views_of(tx, org, await cases.by_id(tx, org, case_id), words, shown=_TOLD_SHOWN)
    classifications: dict[str, list[View]] = {}
    for row in judged:
        body = row["body"]
        sha256 = body["plan"]["sha256"]
        view = {"revision": row["revision"], "classified_at": instant(row["classified_at"]), **body}
        view.pop("answers", None)
        view["linked"] = _called(body["linked_cases"], called)
        view["counted"] = [
            {
                **one,
                "words": words.name(row["plan"], one.get("baseline") or one["window"]).model_dump(),
                "earliest": _called(one["earliest"], called),
                "latest": _called(one["latest"], called),
            }
            for one in body.get("counted", ())
        ]
        view["plan_words"] = words.title(row["plan"]).model_dump()
        view["level_words"] = words.level(row["plan"], view["level"]).model_dump()
        criteria = all_criteria(body, told.get(sha256) or words.criteria(sha256))
        view["criteria"] = [criterion_view(criterion, row["plan"], words) for criterion in criteria]
        classifications.setdefault(row["plan"], []).append(view)
    numbers = [row["number"] for row in (*plans, *reports, *judged)]
    return CaseFile(
        case_id=str(case_id),
        number=next(iter(numbers), str(case_id)),
        plans=plans,
        reports=[
            {"sequence": row["sequence"], "kind": row["kind"], "event_id": str(row["event_id"]), **row["body"]}
            for row in reports
        ],
        classifications=classifications,
        timeline=with_names([line_view(row) for row in history], [one for plan in plans for one in plan["told"]]),
    )


def _other_cases(body: dict[str, Any]) -> Iterator[str]:
    """Ids of the cases that made this judgement."""
    yield from body["linked_cases"]
    for one in body.get("counted", ()):
        yield from one["earliest"]
        yield from one["latest"]


def _called(case_ids: Iterable[str], numbers: Mapping[UUID, str]) -> list[dict[str, str | None]]:
    """Cases as people call them; without a number where it is not known here."""
    return [{"case_id": one, "number": numbers.get(UUID(one))} for one in case_ids]
