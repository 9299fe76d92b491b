"""Who may come in by HTTP: an API key with the scope, as `Authorization: Bearer fh_…` or `X-API-Key`."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request

from shared.access.api_keys import ApiKey, Scope
from shared.access.key_store import KeyStore
from shared.runtime.clock import Clock
from shared.runtime.problems import ProblemError

_BEARER: Final = "bearer "
Reader = Callable[[Request], Awaitable[ApiKey]]


def reader(keys: KeyStore, clock: Clock, scope: Scope = Scope.READ) -> Reader:
    """A dependency that answers the caller's key, or 401 or 403."""

    async def authenticated(request: Request) -> ApiKey:
        written = request.headers.get("authorization", "")
        text = written[len(_BEARER) :] if written.lower().startswith(_BEARER) else request.headers.get("x-api-key", "")
        key = await keys.authenticate(text.strip())
        if key is None:
            raise ProblemError(
                401,
                "An API key is needed",
                code="unauthenticated",
                detail="Send it as 'Authorization: Bearer fh_…'.",
                headers={"www-authenticate": "Bearer"},
            )
        if not key.allows(scope, clock.now()):
            what = f"The API key has no scope '{scope.value}', or is no longer valid"
            raise ProblemError(403, what, code="forbidden")
        return key

    return authenticated
