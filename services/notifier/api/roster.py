"""Door: who is on duty for a role, now or at another instant, and why.

Addresses are personal data: shortened, unless the key may operate the line.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from services.notifier.api.reader import Reader
from services.notifier.app.list_roles import list_roles
from services.notifier.app.rules import Rosters
from services.notifier.app.who_is_on_duty import OnDuty, RoleUnknownError, who_is_on_duty
from services.notifier.domain.ledger import shortened
from shared.access.api_keys import ApiKey, Scope
from shared.contracts.values import Slug
from shared.runtime.clock import Clock
from shared.runtime.problems import ProblemError


def roster_router(rosters: Rosters, clock: Clock, may_read: Reader) -> APIRouter:
    router = APIRouter(tags=["roster"])

    @router.get("/v1/roster/on-duty", summary="Who is on duty for a role, and why")
    async def on_duty(
        key: Annotated[ApiKey, Depends(may_read)],
        role: Annotated[Slug, Query(description="Role id as plans name it")],
        at: Annotated[AwareDatetime | None, Query(description="RFC 3339 with an offset; absent: now")] = None,
    ) -> dict[str, Any]:
        try:
            answer = who_is_on_duty(key.org, role, at or clock.now(), rosters=rosters)
        except RoleUnknownError as error:
            raise ProblemError(
                404, "There is no such role", code="role-unknown", fields={"role": f"no role '{role}' in the roster"}
            ) from error
        return _shown(answer, whole=key.allows(Scope.OPERATE, clock.now()))

    @router.get("/v1/roster/roles", summary="The roles of the roster")
    async def roles(key: Annotated[ApiKey, Depends(may_read)]) -> dict[str, Any]:
        found = list_roles(key.org, rosters=rosters)
        if found is None:
            raise ProblemError(404, "The organisation has no roster", code="roster-unknown")
        return {"roles": found}

    return router


def _shown(answer: OnDuty, *, whole: bool) -> dict[str, Any]:
    return {
        "role": answer.role,
        "at": answer.at,
        "roster_sha256": answer.roster_sha256,
        "on_duty": [
            {
                "person": duty.person.id,
                "label": duty.person.label.model_dump(),
                "because": duty.because.model_dump(),
                "contacts": {
                    contact.id: contact.to if whole else shortened(contact.to) for contact in duty.person.contacts
                },
            }
            for duty in answer.duties
        ],
    }
