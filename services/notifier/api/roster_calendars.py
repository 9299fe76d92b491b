"""Door: duty as an iCalendar feed to subscribe to, and leave or overrides read from a calendar.

Calendar programs cannot send headers: a feed's address carries a signature instead of a key, good for that feed only.
"""

import hashlib
import hmac
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.notifier.api.roster import no_roster
from services.notifier.api.roster_changes import change_shown, text_of
from services.notifier.app.change_roster import ChangeRefusedError, change_roster
from services.notifier.app.feed_roster import feed_roster
from services.notifier.app.read_calendar import read_calendar
from services.notifier.app.rules import Book
from services.notifier.domain.roster_ical import CalendarUnreadableError
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.values import Slug
from shared.db.engine import Database
from shared.runtime.clock import Clock
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError

_FEED_DAYS: Final = 60
_FEED: Final = "/v1/roster/feed.ics"


def roster_calendars_router(
    book: Book, database: Database, ids: Ids, clock: Clock, *, secret: bytes, may_read: Reader, may_change: Reader
) -> APIRouter:
    router = APIRouter(tags=["roster"])

    @router.get("/v1/roster/feed-address", summary="The address of a feed, to be put into a calendar program")
    async def address(
        key: Annotated[ApiKey, Depends(may_read)], role: Slug | None = None, person: Slug | None = None
    ) -> dict[str, str]:
        _one_of(role, person)
        if feed_roster(key.org, clock.now(), 1, rosters=book, role=role, person=person) is None:
            raise ProblemError(404, "There is no such role or person", code="roster-unknown")
        named = {"org": key.org} | ({"role": role} if role else {"person": person or ""})
        return {"path": f"{_FEED}?{urlencode(named | {'signature': _signature(named, secret)})}"}

    @router.get(_FEED, summary="Duty of a role or a person as iCalendar", response_class=Response)
    async def feed(
        org: Annotated[str, Query(max_length=120)],
        signature: Annotated[str, Query(max_length=128)],
        role: Slug | None = None,
        person: Slug | None = None,
    ) -> Response:
        _one_of(role, person)
        named = {"org": org} | ({"role": role} if role else {"person": person or ""})
        if not hmac.compare_digest(_signature(named, secret).encode(), signature.encode()):
            raise ProblemError(403, "The address of the feed is not genuine", code="forbidden")
        text = feed_roster(org, clock.now(), _FEED_DAYS, rosters=book, role=role, person=person)
        if text is None:
            raise ProblemError(404, "There is no such role or person any more", code="roster-unknown")
        return Response(text, media_type="text/calendar; charset=utf-8")

    @router.post("/v1/roster/calendar", status_code=201, summary="Leave or overrides from an iCalendar text")
    async def take_in(
        request: Request,
        key: Annotated[ApiKey, Depends(may_change)],
        person: Annotated[Slug, Query(description="Whose leave it is, or who stands in")],
        role: Annotated[Slug | None, Query(description="The person takes this role's duty; absent: leave")] = None,
    ) -> dict[str, Any]:
        try:
            found = read_calendar(key.org, await text_of(request), clock.now(), person=person, role=role, rosters=book)
            if found is None:
                raise no_roster()
            made = await change_roster(key.org, list(found), key.label, book=book, database=database, ids=ids)
        except CalendarUnreadableError as error:
            fields = {f"calendar.{number}": what for number, what in enumerate(error.problems)}
            raise ProblemError(422, "The calendar cannot be used", code="calendar-unsound", fields=fields) from error
        except ChangeRefusedError as error:
            raise ProblemError(
                422, "The calendar does not fit the roster", code="change-unfit", fields=error.problems
            ) from error
        return {"changes": [change_shown(one) for one in made]}

    return router


def _one_of(role: str | None, person: str | None) -> None:
    if (role is None) == (person is None):
        raise ProblemError(422, "Give either a role or a person", code="one-of", fields={"role": "or person, not both"})


def _signature(named: dict[str, str], secret: bytes) -> str:
    text = urlencode(sorted(named.items()))
    return hmac.new(secret, b"fenghuo.feed\x00" + text.encode(), hashlib.sha256).hexdigest()
