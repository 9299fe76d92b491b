"""Door: live tests of whether people can be reached, started and looked at with a key that may change rosters."""

from datetime import timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.notifier.app.ask_for_answers import NobodyToAskError
from services.notifier.app.list_live_tests import list_live_tests
from services.notifier.app.rules import Rosters
from services.notifier.app.show_live_test import show_live_test
from services.notifier.app.start_live_test import start_live_test
from services.notifier.domain.live_tests import LiveTest, Wanted
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.values import Name, Slug
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError


class TestWanted(BaseModel):
    """Exactly one of `role`, `person` and `all`. An answer counts within `wait_s` seconds."""

    model_config = ConfigDict(extra="forbid")

    role: Slug | None = None
    person: Name | None = None
    all: bool = False
    wait_s: Annotated[int, Field(ge=1, le=86_400)] = 900

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.role is not None) + (self.person is not None) + self.all != 1:
            raise ValueError("give exactly one of role, person and all")
        return self


def live_tests_router(rosters: Rosters, database: Database, ids: Ids, may_change: Reader) -> APIRouter:
    router = APIRouter(tags=["roster"])

    @router.post("/v1/roster/live-tests", status_code=201, summary="Ask people whether messages reach them")
    async def start(wanted: TestWanted, key: Annotated[ApiKey, Depends(may_change)]) -> dict[str, Any]:
        try:
            test = await start_live_test(
                key.org,
                Wanted(wanted.role, wanted.person),
                timedelta(seconds=wanted.wait_s),
                key.label,
                rosters=rosters,
                database=database,
                ids=ids,
            )
        except NobodyToAskError as error:
            what = f"Nobody to ask: '{error}' is not in the roster, or has nobody on duty now"
            fields = {"role" if wanted.role is not None else "person" if wanted.person is not None else "all": what}
            raise ProblemError(422, what, code="nobody-to-ask", fields=fields) from error
        return _shown(test, over=False)

    @router.get("/v1/roster/live-tests", summary="The last live tests, those of the schedule too: who did not answer")
    async def latest(
        key: Annotated[ApiKey, Depends(may_change)], limit: Annotated[int, Query(ge=1, le=200)] = 20
    ) -> dict[str, Any]:
        found = await list_live_tests(key.org, limit, database=database)
        return {"live_tests": [_shown(test, over=over) for test, over in found]}

    @router.get("/v1/roster/live-tests/{test_id}", summary="Who answered a live test after how long")
    async def show(test_id: UUID, key: Annotated[ApiKey, Depends(may_change)]) -> dict[str, Any]:
        found = await show_live_test(key.org, test_id, database=database)
        if found is None:
            raise ProblemError(404, "There is no such live test", code="live-test-unknown")
        test, over = found
        return _shown(test, over=over)

    return router


def _shown(test: LiveTest, *, over: bool) -> dict[str, Any]:
    return {
        "test_id": test.id,
        "number": test.number,
        "made_by": test.made_by,
        "asked_at": test.asked_at,
        "ends_at": test.ends_at,
        "over": over,
        "unanswered": test.unanswered(),
        "people": [
            {
                "person": one.person,
                "answered_at": one.answered_at,
                "answered_after_s": (
                    None if one.answered_at is None else (one.answered_at - test.asked_at).total_seconds()
                ),
            }
            for one in test.answers
        ],
    }
