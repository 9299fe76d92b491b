"""What the register holds of a case."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import json_response
from services.intake.api.requests import client_of, presented_key, uuid_in_path
from services.intake.app.admit_caller import AdmitCaller
from services.intake.app.show_case import ShowCase
from services.intake.domain.numbers import find_number
from shared.access.api_keys import Scope
from shared.runtime.problems import ProblemError


class CaseDoors:
    """Reading; the originals take the right to operate."""

    def __init__(self, admit: AdmitCaller, show: ShowCase) -> None:
        self._admit = admit
        self._show = show

    async def case(self, request: Request) -> Response:
        """By id or by number."""
        key = await self._admit(presented_key(request), Scope.READ, client=client_of(request))
        wanted = request.path_params["case_id"]
        number = find_number(wanted)
        case_id = _uuid(wanted)
        found = await self._show.case(key.org, case_id=case_id, number=number) if case_id or number else None
        if found is None:
            raise _no_case()
        return json_response(found)

    async def complainant_address(self, request: Request) -> Response:
        """Where the complainant wants to be told. 404 when they did not ask for it, or were forgotten."""
        key = await self._admit(presented_key(request), Scope.ADDRESS, client=client_of(request))
        found = await self._show.complainant_address(key.org, uuid_in_path(request, "case_id"))
        if found is None:
            raise ProblemError(404, "Nobody asked to be told", code="not-asked")
        return json_response({"channel": found.channel, "to": found.to, "language": found.language})

    async def originals(self, request: Request) -> Response:
        key = await self._admit(presented_key(request), Scope.OPERATE, client=client_of(request))
        found = await self._show.originals(key.org, uuid_in_path(request, "case_id"))
        if found is None:
            raise _no_case()
        return json_response({"originals": found})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _no_case() -> ProblemError:
    return ProblemError(404, "There is no such case", code="not-found")
