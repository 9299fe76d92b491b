"""API keys at the door: which organisation, which scopes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request

from services.console.app.command_case import Intake
from services.console.app.follow_changes import Changes
from services.console.app.watch_access import AccessWatch
from services.console.domain.plan_words import PlanWords
from shared.access.api_keys import ApiKey, Scope
from shared.access.key_store import KeyStore
from shared.db.engine import Database
from shared.runtime.clock import Clock
from shared.runtime.problems import ProblemError

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fenghuo"'}


@dataclass(frozen=True)
class ApiParts:
    """What the API works with."""

    database: Database
    keys: KeyStore
    watch: AccessWatch[str]
    intake: Intake
    changes: Changes
    words: PlanWords
    clock: Clock


def needs(parts: ApiParts, scope: Scope) -> Callable[[Request], Awaitable[ApiKey]]:
    """A dependency: the caller's key if it is genuine, in force and has the scope; else 401 or 403."""

    async def key_of(request: Request) -> ApiKey:
        key = await parts.keys.authenticate(_presented(request))
        if key is None:
            raise ProblemError(401, "An API key is needed", code="no-key", headers=_CHALLENGE)
        if not key.allows(scope, parts.clock.now()):
            raise ProblemError(
                403, f"The key {key.prefix} is expired, revoked or lacks the scope '{scope.value}'", code="scope"
            )
        return key

    return key_of


def _presented(request: Request) -> str:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
