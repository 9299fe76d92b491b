"""Dead letters over HTTP: list and replay."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.console.api.access import ApiParts, needs
from services.console.app.read_dead_letters import BadCursorError, read_dead_letters
from services.console.app.replay_dead_letter import replay_dead_letter
from shared.access.api_keys import ApiKey, Scope
from shared.runtime.problems import ProblemError


def dead_letters_router(parts: ApiParts) -> APIRouter:
    router = APIRouter(tags=["dead letters"])
    operator = Depends(needs(parts, Scope.OPERATE))

    @router.get("/dead-letters", summary="What could not be applied, newest first")
    async def dead_letters(
        waiting: Annotated[bool | None, Query(description="true: not replayed yet")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=120)] = None,
        key: ApiKey = operator,
    ) -> dict[str, Any]:
        try:
            found, following = await read_dead_letters(
                key.org, database=parts.database, limit=limit, waiting=waiting, cursor=cursor
            )
        except BadCursorError as error:
            raise ProblemError(422, "The cursor is wrong", code="cursor", fields={"cursor": str(error)}) from error
        return {"dead_letters": found, "next": following}

    @router.post("/dead-letters/{letter_id}/replay", summary="Send the record to its topic again", status_code=202)
    async def replay(letter_id: UUID, key: ApiKey = operator) -> dict[str, Any]:
        answer = await replay_dead_letter(key.org, letter_id, key.name, database=parts.database, intake=parts.intake)
        if not answer.accepted:
            raise ProblemError(
                answer.status, answer.title or "Intake refused it", code="replay-refused", fields=answer.fields
            )
        return {"id": str(letter_id), "replayed": True}

    return router
