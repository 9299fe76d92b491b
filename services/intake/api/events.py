"""CloudEvents 1.0 over HTTP: structured, binary and batched."""

from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.reports import ReportDoors, items_of
from services.intake.api.requests import (
    MAX_BATCH_BODY,
    body_of,
    client_of,
    media_type,
    presented_key,
    problem_of,
)
from services.intake.domain.bodies import Route
from services.intake.domain.cloud_events import (
    BATCHED,
    STRUCTURED,
    CloudEvent,
    read_batch,
    read_binary,
    read_structured,
    to_report,
)
from shared.access.api_keys import Scope
from shared.contracts.json_guard import UnreadableError, read_json
from shared.runtime.problems import ProblemError


class EventDoor:
    """The event's type decides between complaint and incident."""

    def __init__(self, reports: ReportDoors) -> None:
        self._reports = reports

    async def post(self, request: Request) -> Response:
        admit = self._reports.admit
        key = await admit(presented_key(request), Scope.REPORT, client=client_of(request))
        traceparent = request.headers.get("traceparent")
        content_type = media_type(request)
        if content_type == BATCHED:
            items = items_of(read_json(await body_of(request, MAX_BATCH_BODY)))
            await admit.charge(key, len(items) - 1)
            bodies = [_report_or_problem(event) for event in read_batch(items)]
            return await self._reports.register_many(bodies, key.org, traceparent)
        body = await body_of(request)
        if content_type == STRUCTURED:
            event = read_structured(read_json(body))
        else:
            event = read_binary(dict(request.headers), body)
        route, parsed = to_report(event)
        return await self._reports.register(route, parsed, key.org, event.traceparent or traceparent)


def _report_or_problem(event: CloudEvent | UnreadableError) -> tuple[Route, dict[str, object]] | ProblemError:
    if isinstance(event, UnreadableError):
        return problem_of(event)
    try:
        return to_report(event)
    except UnreadableError as error:
        return problem_of(error)
