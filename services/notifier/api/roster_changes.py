"""Door: overrides, swaps, leave and whole rosters, changed with a key that may, and who did it.

Why this door is here and not in intake: docs/adr, "Rosters are changed at the notifier".
"""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request
from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from starlette.responses import PlainTextResponse, Response

from services.notifier.api.roster import Days, finding_shown, no_roster
from services.notifier.app.change_roster import ChangeRefusedError, RosterMissingError, change_roster
from services.notifier.app.export_roster import export_roster
from services.notifier.app.import_roster import import_roster
from services.notifier.app.rules import Book
from services.notifier.app.show_roster_history import show_roster_history
from services.notifier.app.withdraw_change import withdraw_change
from services.notifier.domain.roster_changes import CHANGE, AnyChange, Change, MadeChange, called
from services.notifier.domain.roster_problems import RosterError
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError, fields_of

_MOST: Final = 500


def roster_changes_router(  # noqa: C901  # one closure for each route
    book: Book, database: Database, ids: Ids, may_read: Reader, may_change: Reader
) -> APIRouter:
    router = APIRouter(tags=["roster"])

    @router.post("/v1/roster/changes", status_code=201, summary="Override duty, swap turns, enter leave")
    async def change(
        wanted: Annotated[list[Change] | Change, WrapValidator(_understood), Body()],
        key: Annotated[ApiKey, Depends(may_change)],
    ) -> dict[str, Any]:
        changes = wanted if isinstance(wanted, list) else [wanted]
        try:
            made = await change_roster(key.org, changes, key.label, book=book, database=database, ids=ids)
        except RosterMissingError as error:
            raise no_roster() from error
        except ChangeRefusedError as error:
            raise ProblemError(
                422, "The change does not fit the roster", code="change-unfit", fields=error.problems
            ) from error
        return {"changes": [change_shown(one) for one in made]}

    @router.delete("/v1/roster/changes/{change_id}", status_code=204, summary="Take a change back")
    async def withdraw(change_id: UUID, key: Annotated[ApiKey, Depends(may_change)]) -> Response:
        if not await withdraw_change(key.org, change_id, key.label, book=book, database=database):
            raise ProblemError(404, "There is no such change in force", code="change-unknown")
        return Response(status_code=204)

    @router.get("/v1/roster/history", summary="Who changed the roster, when and how")
    async def history(key: Annotated[ApiKey, Depends(may_read)]) -> dict[str, Any]:
        found = await show_roster_history(key.org, database=database)
        return {
            "versions": [
                {
                    "number": one.number,
                    "sha256": one.sha256,
                    "origin": one.origin,
                    "made_by": one.made_by,
                    "made_at": one.made_at,
                }
                for one in found.versions
            ],
            "changes": [change_shown(one) for one in found.changes],
        }

    @router.put("/v1/roster", summary="Take a whole roster over, or with dry_run only compare it")
    async def take_over(
        request: Request,
        key: Annotated[ApiKey, Depends(may_change)],
        dry_run: Annotated[bool, Query(description="Compare, do not change")] = False,  # noqa: FBT002  # a query flag
        days: Days = 14,
    ) -> dict[str, Any]:
        text = await text_of(request)
        try:
            done = await import_roster(
                key.org, text, key.label, dry_run=dry_run, days=days, book=book, database=database
            )
        except RosterError as error:
            raise ProblemError(422, "The text is not a roster", code="roster-unsound", fields=error.by_field) from error
        return {
            "applied": done.applied,
            "differences": [
                {
                    "how": one.how.value,
                    "section": one.section,
                    "id": one.id,
                    "before": one.before,
                    "after": one.after,
                }
                for one in done.differences
            ],
            "unfit": [change_shown(one) for one in done.unfit],
            "findings": [finding_shown(one) for one in done.findings],
        }

    @router.get("/v1/roster", summary="The roster as YAML", response_class=PlainTextResponse)
    async def export(
        key: Annotated[ApiKey, Depends(may_change)],
        changes: Annotated[bool, Query(description="With what was changed beside it")] = False,  # noqa: FBT002  # a query flag
    ) -> PlainTextResponse:
        text = await export_roster(key.org, with_changes=changes, database=database, book=book)
        if text is None:
            raise no_roster()
        return PlainTextResponse(text, media_type="application/yaml")

    return router


def _understood(wanted: Any, _: ValidatorFunctionWrapHandler) -> list[AnyChange]:
    """Every change by the contract of its own kind: of a union's errors none would name the field alone."""
    entries = wanted if isinstance(wanted, list) else [wanted]
    if not 0 < len(entries) <= _MOST:
        fields = {"body": f"from 1 to {_MOST} changes at once"}
        raise ProblemError(422, f"From 1 to {_MOST} changes at once", code="too-many", fields=fields)
    understood: list[AnyChange] = []
    fields = {}
    for number, entry in enumerate(entries):
        try:
            understood.append(CHANGE.validate_python(entry))
        except ValidationError as error:
            prefix = f"{number}." if isinstance(wanted, list) else ""
            # The first step of a path is the kind of change.
            found = fields_of([{**one, "loc": one["loc"][1:] or ("kind",)} for one in error.errors()])
            whose = called(entry) if len(entries) > 1 and isinstance(entry, dict) else ""
            fields |= {f"{prefix}{field}": f"{whose}{what}" for field, what in found.items()}
    if fields:
        raise ProblemError(422, "The change does not fit its contract", code="invalid", fields=fields)
    return understood


async def text_of(request: Request) -> str:
    """The body, which has at most MAX_BYTES, as text. Raises ProblemError 422 for what is none."""
    try:
        # Editors of Windows begin a file with a mark of its encoding.
        return (await request.body()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"The text is not UTF-8 (byte {error.start})"
        fields = {"body": f"byte {error.start} is not valid UTF-8"}
        raise ProblemError(422, what, code="roster-unsound", fields=fields) from error


def change_shown(one: MadeChange) -> dict[str, Any]:
    return {
        "change_id": one.id,
        **one.change.model_dump(mode="json", by_alias=True, exclude_none=True),
        "made_by": one.made_by,
        "made_at": one.made_at,
        "ends_at": one.ends_at,
        "withdrawn_by": one.withdrawn_by,
        "withdrawn_at": one.withdrawn_at,
    }
