"""Door: which contact points are verified, and codes sent to those that are not.

The code itself comes back through intake, as everything from outside does.
"""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, model_validator

from services.notifier.api.roster import no_roster
from services.notifier.app.begin_verification import AskedTooOftenError
from services.notifier.app.list_contacts import ContactState, list_contacts
from services.notifier.app.rules import Rules
from services.notifier.app.show_verifications import show_verifications
from services.notifier.app.verify_contacts import NothingToVerifyError, verify_contacts
from services.notifier.domain.verification import TRIES, Verification
from shared.access.api_keys import ApiKey
from shared.access.bearer import Reader
from shared.contracts.values import Name
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.problems import ProblemError


class CheckWanted(BaseModel):
    """A person's contact point, without `contact` all of theirs that are not verified, with `all` everybody's."""

    model_config = ConfigDict(extra="forbid")

    person: Name | None = None
    contact: Name | None = None
    all: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.person is not None) == self.all:
            raise ValueError("give either person or all")
        if self.all and self.contact is not None:
            raise ValueError("contact: needs person")
        return self


def verifications_router(
    rules: Rules, database: Database, ids: Ids, *, may_read: Reader, may_change: Reader
) -> APIRouter:
    router = APIRouter(tags=["roster"])

    @router.post("/v1/roster/verifications", status_code=201, summary="Send a code to contact points")
    async def verify(wanted: CheckWanted, key: Annotated[ApiKey, Depends(may_change)]) -> dict[str, Any]:
        try:
            begun = await verify_contacts(
                key.org, wanted.person, wanted.contact, key.label, rules=rules, database=database, ids=ids
            )
        except NothingToVerifyError as error:
            what = f"Nothing to verify: '{error}' is not in the roster, has no provider, or is verified"
            fields = {"contact" if wanted.contact is not None else "person": what}
            raise ProblemError(422, what, code="nothing-to-verify", fields=fields) from error
        except AskedTooOftenError as error:
            what = f"Too many codes were sent to '{error}' within an hour"
            raise ProblemError(429, what, code="asked-too-often") from error
        return {"verifications": [_shown(one, one.asked_at) for one in begun]}

    @router.get("/v1/roster/verifications", summary="Codes that were sent, and what became of them")
    async def shown(
        key: Annotated[ApiKey, Depends(may_read)],
        person: Annotated[str | None, Query(max_length=120, description="Only this person's")] = None,
    ) -> dict[str, Any]:
        found, now = await show_verifications(key.org, person, database=database)
        return {"verifications": [_shown(one, now) for one in found]}

    @router.get("/v1/roster/contacts", summary="Contact points, and whether they are verified")
    async def contacts(
        key: Annotated[ApiKey, Depends(may_read)],
        unverified: Annotated[bool, Query(description="Only those that are not")] = False,  # noqa: FBT002  # a query flag
    ) -> dict[str, Any]:
        found = await list_contacts(key.org, rosters=rules.rosters, database=database, unverified=unverified)
        if found is None:
            raise no_roster()
        points, now = found
        return {
            "organisation": key.org,
            "unverified": sum(not one.verified for one in points),
            "contacts": [_contact(one, now) for one in points],
        }

    return router


def _shown(one: Verification, now: datetime) -> dict[str, Any]:
    return {
        "verification_id": one.id,
        "number": one.number,
        "person": one.person,
        "contact": one.contact,
        "channel": one.channel.value,
        "address": one.address,
        "made_by": one.made_by,
        "asked_at": one.asked_at,
        "expires_at": one.expires_at,
        "state": one.state_at(now).value,
        "tries_left": max(0, TRIES - one.tries),
        "ended_at": one.ended_at,
        "answered_by": one.answered_by,
    }


def _contact(one: ContactState, now: datetime) -> dict[str, Any]:
    return {
        "person": one.person,
        "label": one.label.model_dump(),
        "contact": one.contact,
        "channel": one.channel.value,
        "address": one.address,
        "verified": one.verified,
        "how": one.how,
        "since": one.since,
        "last": _shown(one.last, now) if one.last is not None else None,
    }
