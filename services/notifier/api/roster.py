"""Door: who is on duty for a role and why, the timetable ahead, and what is wrong with it.

Addresses are personal data: shortened, unless the key may operate the line.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field

from services.notifier.app.check_roster import check_roster
from services.notifier.app.list_roles import list_roles
from services.notifier.app.rules import Rules
from services.notifier.app.show_timetable import RoleTimes, show_timetable
from services.notifier.app.who_is_on_duty import OnDuty, RoleUnknownError, who_is_on_duty
from services.notifier.domain.ledger import shortened
from services.notifier.domain.roster_duty import Duty
from services.notifier.domain.roster_findings import Finding
from shared.access.api_keys import ApiKey, Scope
from shared.access.bearer import Reader
from shared.contracts.values import Slug
from shared.runtime.clock import Clock
from shared.runtime.problems import ProblemError

# Calendars end with the year 9999 and begin with 1: an instant near either end has no day before or after it.
At = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(2200, 1, 1, tzinfo=UTC))]
Days = Annotated[int, Query(ge=1, le=92, description="How far ahead")]


def roster_router(rules: Rules, clock: Clock, may_read: Reader) -> APIRouter:
    router = APIRouter(tags=["roster"])
    rosters = rules.rosters

    @router.get("/v1/roster/on-duty", summary="Who is on duty for a role, and why")
    async def on_duty(
        key: Annotated[ApiKey, Depends(may_read)],
        role: Annotated[Slug, Query(description="Role id as plans name it")],
        at: Annotated[At | None, Query(description="RFC 3339 with an offset; absent: now")] = None,
    ) -> dict[str, Any]:
        try:
            answer = who_is_on_duty(key.org, role, at or clock.now(), rosters=rosters)
        except RoleUnknownError as error:
            raise _no_role(role) from error
        shown = _shown(answer, whole=key.allows(Scope.OPERATE, clock.now()))
        return {"organisation": key.org, **shown}

    @router.get("/v1/roster/roles", summary="The roles of the roster")
    async def roles(key: Annotated[ApiKey, Depends(may_read)]) -> dict[str, Any]:
        found = list_roles(key.org, rosters=rosters)
        if found is None:
            raise no_roster()
        return {"roles": found}

    @router.get("/v1/roster/timetable", summary="Who is on duty for every role in the days ahead")
    async def timetable(
        key: Annotated[ApiKey, Depends(may_read)],
        days: Days = 7,
        role: Annotated[Slug | None, Query(description="Only this role")] = None,
        start: Annotated[At | None, Query(description="RFC 3339 with an offset; absent: now")] = None,
    ) -> dict[str, Any]:
        begins_at = start or clock.now()
        found = show_timetable(key.org, begins_at, begins_at + timedelta(days=days), rosters=rosters, role=role)
        if found is None:
            raise no_roster() if role is None else _no_role(role)
        return {
            "organisation": key.org,
            "timezone": found.zone,
            "begins_at": found.begins_at,
            "ends_at": found.ends_at,
            "roster_sha256": found.roster_sha256,
            "roles": [_times(one) for one in found.roles],
        }

    @router.get("/v1/roster/findings", summary="Gaps, unreachable people and leave in the way, found ahead")
    async def findings(key: Annotated[ApiKey, Depends(may_read)], days: Days = 14) -> dict[str, Any]:
        found = check_roster(key.org, clock.now(), days, rules=rules)
        if found is None:
            raise no_roster()
        return {
            "days": days,
            "gaps": sum(one.is_gap for one in found),
            "findings": [finding_shown(one) for one in found],
        }

    return router


def no_roster() -> ProblemError:
    return ProblemError(404, "The organisation has no roster", code="roster-unknown")


def _no_role(role: str) -> ProblemError:
    return ProblemError(
        404, "There is no such role", code="role-unknown", fields={"role": f"no role '{role}' in the roster"}
    )


def _times(found: RoleTimes) -> dict[str, Any]:
    return {
        "role": found.role.id,
        "label": found.role.label.model_dump(),
        "may_be_empty": found.role.may_be_empty,
        "segments": [
            {
                "begins_at": segment.begins_at,
                "ends_at": segment.ends_at,
                "on_duty": [_duty(duty) for duty in segment.duties],
            }
            for segment in found.segments
        ],
    }


def finding_shown(found: Finding) -> dict[str, Any]:
    return {
        "kind": found.kind.value,
        "is_gap": found.is_gap,
        "role": found.role,
        "person": found.person,
        "begins_at": found.begins_at,
        "ends_at": found.ends_at,
        "what": found.what.model_dump(),
    }


def _duty(duty: Duty) -> dict[str, Any]:
    return {
        "person": duty.person.id,
        "label": duty.person.label.model_dump(),
        "because": duty.because.model_dump(),
        "chain": [{"kind": step.kind.value, "zh": step.zh, "en": step.en} for step in duty.chain],
    }


def _contacts(duty: Duty, *, whole: bool) -> Mapping[str, str]:
    return {contact.id: contact.to if whole else shortened(contact.to) for contact in duty.person.contacts}


def _shown(answer: OnDuty, *, whole: bool) -> dict[str, Any]:
    return {
        "role": answer.role,
        "at": answer.at,
        "roster_sha256": answer.roster_sha256,
        "on_duty": [_duty(duty) | {"contacts": _contacts(duty, whole=whole)} for duty in answer.duties],
    }
