"""Complaints and incidents, one or many: the doors that must be fast, so plain Starlette routes."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import (
    json_response,
    outcome_body,
    outcome_response,
    outcome_status,
    problem_body,
    refusal,
)
from services.intake.api.requests import (
    MAX_BATCH_BODY,
    body_of,
    client_of,
    presented_key,
    problem_of,
)
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.group_commit import GroupCommit, RegisterAwayError
from services.intake.domain.bodies import Route
from services.intake.domain.reports import Outcome, Refused, Report, prepare
from shared.access.api_keys import Scope
from shared.contracts.json_guard import UnreadableError, read_json, read_object
from shared.runtime.problems import ProblemError

MAX_ITEMS: Final = 500


class ReportDoors:
    """One instance serves all report routes. `ref_key` keys the hashes of complainants."""

    def __init__(
        self,
        admit: AdmitCaller,
        reports: GroupCommit[Report, Outcome],
        *,
        ref_key: bytes,
        public_url: str,
    ) -> None:
        self.admit = admit
        self.public_url = public_url
        self._reports = reports
        self._ref_key = ref_key

    async def complaint(self, request: Request) -> Response:
        return await self._one(request, Route.COMPLAINT)

    async def incident(self, request: Request) -> Response:
        return await self._one(request, Route.INCIDENT)

    async def complaints(self, request: Request) -> Response:
        return await self._batch(request, Route.COMPLAINT)

    async def incidents(self, request: Request) -> Response:
        return await self._batch(request, Route.INCIDENT)

    async def register(self, route: Route, parsed: dict[str, Any], org: str, traceparent: str | None) -> Response:
        """Register one parsed body and answer. Raises what `problem_of` knows."""
        report = prepare(route, parsed, org=org, key=self._ref_key, traceparent=traceparent)
        return outcome_response(await self._reports.submit(report), self.public_url)

    async def register_many(
        self, bodies: Sequence[tuple[Route, dict[str, Any]] | ProblemError], org: str, traceparent: str | None
    ) -> Response:
        """Register what is valid and answer for each place: 207 when some failed, else 201, or 200 for nothing new."""
        prepared = [self._prepared(body, org, traceparent) for body in bodies]
        reports = [report for report in prepared if isinstance(report, Report)]
        outcomes = await self._reports.submit_all(reports)
        if outcomes and all(isinstance(outcome, RegisterAwayError) for outcome in outcomes):
            raise RegisterAwayError
        waiting = iter(outcomes)
        results = [
            self._result(index, next(waiting) if isinstance(item, Report) else item)
            for index, item in enumerate(prepared)
        ]
        statuses = {result["status"] for result in results}
        status = next((one for one in (200, 201) if statuses == {one}), None)
        if status is None:
            status = 201 if statuses == {200, 201} else 207
        return json_response({"results": results}, status)

    async def _one(self, request: Request, route: Route) -> Response:
        key = await self.admit(presented_key(request), Scope.REPORT, client=client_of(request))
        parsed = read_object(await body_of(request))
        return await self.register(route, parsed, key.org, request.headers.get("traceparent"))

    async def _batch(self, request: Request, route: Route) -> Response:
        key = await self.admit(presented_key(request), Scope.REPORT, client=client_of(request))
        items = items_of(read_json(await body_of(request, MAX_BATCH_BODY)))
        await self.admit.charge(key, len(items) - 1)
        bodies = [(route, item) if isinstance(item, dict) else _not_an_object() for item in items]
        return await self.register_many(bodies, key.org, request.headers.get("traceparent"))

    def _prepared(
        self, body: tuple[Route, dict[str, Any]] | ProblemError, org: str, traceparent: str | None
    ) -> Report | ProblemError:
        if isinstance(body, ProblemError):
            return body
        try:
            return prepare(body[0], body[1], org=org, key=self._ref_key, traceparent=traceparent)
        except ValidationError as error:
            return problem_of(error)

    def _result(self, index: int, item: Outcome | BaseException) -> dict[str, Any]:
        if isinstance(item, Refused):
            item = refusal(item)
        if isinstance(item, BaseException):
            problem = problem_of(item)
            return {"index": index, "status": problem.status, "problem": problem_body(problem)}
        return {"index": index, "status": outcome_status(item), **outcome_body(item, self.public_url)}


def items_of(value: Any) -> list[Any]:
    """The items of a batch: an array, or an object with the array under `items`. Raises UnreadableError."""
    if isinstance(value, dict) and set(value) == {"items"}:
        value = value["items"]
    if not isinstance(value, list) or not value:
        raise UnreadableError("must be a non-empty array of objects, or an object with it under 'items'")
    if len(value) > MAX_ITEMS:
        raise UnreadableError(f"at most {MAX_ITEMS} items", field="items")
    return value


def _not_an_object() -> ProblemError:
    return problem_of(UnreadableError("must be a JSON object"))
