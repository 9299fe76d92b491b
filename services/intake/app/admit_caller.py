"""Who may come in: a genuine key with the scope, not faster than its rate."""

import math
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from shared.access.api_keys import ApiKey, Scope
from shared.access.key_store import KeyStore
from shared.runtime.clock import Clock
from shared.runtime.problems import ProblemError

_FAILURES_PER_SECOND: Final = 20


class AdmitCaller:
    """Checks keys, scopes and rates. Rates are per process, in memory."""

    def __init__(self, keys: KeyStore, clock: Clock, *, rate_per_second: int, page_rate_per_minute: int) -> None:
        self._keys = keys
        self._clock = clock
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rate = RateLimitItemPerSecond(rate_per_second, namespace="key")
        self._page_rate = RateLimitItemPerMinute(page_rate_per_minute, namespace="page")
        self._failure_rate = RateLimitItemPerSecond(_FAILURES_PER_SECOND, namespace="failure")

    async def __call__(self, presented: str | None, scope: Scope, *, client: str) -> ApiKey:
        """The caller's key. Raises ProblemError: 401 without a genuine key, 403 without the scope, 429 too fast."""
        key = await self._keys.authenticate(presented) if presented else None
        now = self._clock.now()
        if key is None or not any(key.allows(held, now) for held in key.scopes):
            await self._hit(self._failure_rate, client, 1)
            raise ProblemError(
                401,
                "An API key is needed",
                code="unauthenticated",
                detail="Send a valid key as 'Authorization: Bearer fh_…' or 'X-Api-Key'",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if not key.allows(scope, now):
            raise ProblemError(
                403, "The key may not do this", code="forbidden", detail=f"The scope '{scope.value}' is needed"
            )
        await self._hit(self._rate, key.prefix, 1)
        return key

    async def charge(self, key: ApiKey, further: int) -> None:
        """Count the other items of a batch. Raises ProblemError 429."""
        if further > 0:
            await self._hit(self._rate, key.prefix, further)

    async def page(self, client: str) -> None:
        """Count a request that carries a signed address instead of a key. Raises ProblemError 429."""
        await self._hit(self._page_rate, client, 1)

    async def _hit(self, rate: RateLimitItem, who: str, cost: int) -> None:
        if not await self._limiter.hit(rate, who, cost=cost):
            seconds = math.ceil(rate.get_expiry())
            raise ProblemError(
                429,
                "Too many requests",
                code="rate-limited",
                detail=f"At most {rate.amount} in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )
