"""Door: silences made, listed and ended, and the list of messages that were kept back."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.notifier.api.roster import no_roster
from services.notifier.app.end_silence import end_silence
from services.notifier.app.list_silences import list_silences
from services.notifier.app.list_withheld import list_withheld
from services.notifier.app.make_silence import make_silence
from services.notifier.app.rules import SilenceKeeper
from services.notifier.domain.silence_file import MadeSilence, WrittenSilence
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.db.engine import Database
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError

Limit = Annotated[int, Query(ge=1, le=500)]


def silences_router(
    book: SilenceKeeper,
    database: Database,
    ids: Ids,
    clock: Clock,
    wake: Callable[[], None],
    *,
    may_read: Reader,
    may_change: Reader,
) -> APIRouter:
    """Silences are changed with the scope of rosters: who may say who is on duty may say when nobody is disturbed."""
    router = APIRouter(tags=["noise"])

    def shown(one: MadeSilence) -> dict[str, Any]:
        over = one.ended_at is not None or one.ends_at <= clock.now()
        return {
            "silence_id": one.id,
            **one.written.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "kind": one.written.kind,
            "made_by": one.made_by,
            "made_at": one.made_at,
            "ends_at": one.ends_at,
            "ended_by": one.ended_by,
            "ended_at": one.ended_at,
            "over": over,
        }

    @router.get("/v1/silences", summary="Planned, running and past silences")
    async def silences(key: Annotated[ApiKey, Depends(may_read)], limit: Limit = 100) -> dict[str, Any]:
        return {
            "organisation": key.org,
            "silences": [shown(one) for one in await list_silences(key.org, limit, database=database)],
        }

    @router.post("/v1/silences", status_code=201, summary="Let messages wait for a while")
    async def make(wanted: WrittenSilence, key: Annotated[ApiKey, Depends(may_change)]) -> dict[str, Any]:
        try:
            made = await make_silence(key.org, wanted, key.label, book=book, database=database, ids=ids)
        except LookupError as error:
            raise no_roster() from error
        except ValueError as error:
            field, _, what = str(error).partition(": ")
            raise ProblemError(422, "The silence cannot be used", code="silence-unfit", fields={field: what}) from error
        return shown(made)

    @router.delete("/v1/silences/{silence_id}", status_code=204, summary="End a silence before its time")
    async def end(silence_id: UUID, key: Annotated[ApiKey, Depends(may_change)]) -> Response:
        if not await end_silence(key.org, silence_id, key.label, book=book, database=database, wake=wake):
            raise ProblemError(404, "There is no such silence in force", code="silence-unknown")
        return Response(status_code=204)

    @router.get("/v1/withheld", summary="Messages that waited, were bundled or left out, and why")
    async def withheld(
        key: Annotated[ApiKey, Depends(may_read)],
        limit: Limit = 100,
        before: Annotated[UUID | None, Query(description="The last intent_id of the page before")] = None,
    ) -> dict[str, Any]:
        rows = await list_withheld(key.org, limit, database=database, before=before)
        return {"organisation": key.org, "withheld": [_withheld(row) for row in rows]}

    return router


def _withheld(row: dict[str, Any]) -> dict[str, Any]:
    zh = row.pop("zh") or row["stopped_zh"] or row["stopped"]
    en = row.pop("en") or row["stopped"]
    rule = row.pop("noise_rule") or "stopped"
    kept = {name: value for name, value in row.items() if name not in {"stopped", "stopped_zh", "due_at"}}
    return {**kept, "rule": rule, "state": _state(row), "because": {"zh": zh, "en": en}}


def _state(row: dict[str, Any]) -> str:
    if row["settlement"] in {"sent", "delivered"}:
        return "told"
    if row["stopped"] is not None:
        return "left-out"
    return "waiting" if row["settlement"] is None else "not-reached"
