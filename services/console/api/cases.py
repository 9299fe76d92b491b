"""Cases over HTTP: list, board, one case, why, commands."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.console.api.access import ApiParts, needs
from services.console.app.command_case import Decision, command_case
from services.console.app.explain_case import explain_case
from services.console.app.list_cases import BadCursorError, list_cases
from services.console.app.read_board import Filter, read_board
from services.console.app.read_case import CaseFile, read_case
from shared.access.api_keys import ApiKey, Scope
from shared.contracts.commands import OF_THE_WHOLE_CASE, CommandKind
from shared.contracts.escalations import CaseState
from shared.contracts.values import ActorKind, CaseKind, Facts, LongText, Name, Slug
from shared.runtime.problems import ProblemError

_Search = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$", description="Number, title, topic, place")]
_Wanted = Annotated[str, Field(description="Case id or number")]


class CommandBody(BaseModel):
    """What somebody wants of a case."""

    model_config = ConfigDict(extra="forbid")

    command: CommandKind
    plan: Slug | None = None
    reason: LongText | None = None
    arguments: Facts = Field(default_factory=dict)
    person: Annotated[
        Name | None,
        Field(description="Who decided, when the key speaks for a person; absent: the key itself, by its label"),
    ] = None


def cases_router(parts: ApiParts) -> APIRouter:
    router = APIRouter(tags=["cases"])
    reader = Depends(needs(parts, Scope.READ))
    commander = Depends(needs(parts, Scope.COMMAND))

    async def case_or_404(org: str, wanted: str) -> CaseFile:
        case = await read_case(org, wanted, database=parts.database, words=parts.words)
        if case is None:
            raise ProblemError(404, "There is no such case", code="no-case")
        return case

    @router.get("/cases", summary="Cases, newest first")
    async def cases(  # noqa: PLR0917  # FastAPI gives them by name
        state: CaseState | None = None,
        level: Annotated[Slug | None, Query()] = None,
        plan: Annotated[Slug | None, Query()] = None,
        kind: CaseKind | None = None,
        q: _Search = None,
        open_only: Annotated[bool | None, Query(alias="open")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=300)] = None,
        key: ApiKey = reader,
    ) -> dict[str, Any]:
        wanted = Filter(open=open_only, state=state.value if state else None, level=level, plan=plan, kind=kind, text=q)
        try:
            found, following = await list_cases(
                key.org, wanted, limit=limit, cursor=cursor, database=parts.database, words=parts.words
            )
        except BadCursorError as error:
            raise ProblemError(422, "The cursor is wrong", code="cursor", fields={"cursor": str(error)}) from error
        return {"cases": found, "next": following}

    @router.get("/board", summary="Open cases that reached a level, most urgent first")
    async def board(key: ApiKey = reader) -> dict[str, Any]:
        shown = await read_board(key.org, Filter(open=True, graded=True), database=parts.database, words=parts.words)
        return {"cases": shown.cases, "totals": shown.totals, "seq": shown.seq}

    @router.get("/cases/{wanted}", summary="One case with its whole history")
    async def case(wanted: str, key: ApiKey = reader) -> dict[str, Any]:
        return (await case_or_404(key.org, wanted)).as_json()

    @router.get("/cases/{wanted}/explain", summary="Why the case is where it is")
    async def explain(wanted: str, key: ApiKey = reader) -> dict[str, Any]:
        return explain_case(await case_or_404(key.org, wanted))

    @router.post("/cases/{wanted}/commands", summary="Ask for a change of the case", status_code=202)
    async def command(wanted: str, body: CommandBody, key: ApiKey = commander) -> Response:
        _check_scope(body.command, key, parts.clock.now())
        answer = await command_case(
            key.org,
            wanted,
            Decision(body.command, body.plan, body.reason, dict(body.arguments)),
            body.person or key.name,
            database=parts.database,
            intake=parts.intake,
            kind=ActorKind.PERSON if body.person else ActorKind.SYSTEM,
        )
        if not answer.accepted:
            raise ProblemError(
                answer.status, answer.title or "Intake refused it", code="command-refused", fields=answer.fields
            )
        said = {"survivor": answer.survivor} if answer.survivor else {}
        return JSONResponse({"case_id": answer.case_id, "accepted": True, **said}, 202)

    return router


def _check_scope(command: CommandKind, key: ApiKey, now: datetime) -> None:
    if command in OF_THE_WHOLE_CASE and not key.allows(Scope.OPERATE, now):
        raise ProblemError(403, f"'{command.value}' takes the scope 'operate' too", code="scope")
