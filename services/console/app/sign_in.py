"""Lets people in: password, limit of attempts, sessions that can be ended."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.console.app.verify_password import Passwords
from services.console.domain.accounts import LONGEST_PASSWORD, Person, Role
from services.console.store.people import StoredUser, find_user, replace_hash
from services.console.store.sessions import StoredSession, add_session, delete_session, find_sessions
from shared.db.engine import Database
from shared.runtime.ids import new_secret

SESSION_SECONDS: Final = 12 * 3600
_PER_NAME: Final = RateLimitItemPerMinute(8)
_PER_ADDRESS: Final = RateLimitItemPerMinute(40)


class TooManyAttemptsError(Exception):
    """Too many sign-ins for this name or from this address within a minute."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, the token their forms must carry, and what the session is known by (it lets nobody in)."""

    person: Person
    csrf: str
    digest: bytes


class SignIn:
    """Opens, reads and ends sessions.

    A session lives in the database and the key to it in a signed cookie. It ends by signing out, after twelve hours,
    when password, role or organisation change, or when the person is disabled; a copy of the cookie ends with it.
    """

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._passwords = Passwords()
        self._serializer = URLSafeTimedSerializer(
            secret, salt="fenghuo.session", signer_kwargs={"digest_method": hashlib.sha256}
        )
        self._form_key = hashlib.sha256(b"fenghuo.form" + secret).digest()
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def open(self, name: str, password: str, address: str) -> str | None:
        """The cookie of a new session, or None when name and password do not match. Raises TooManyAttemptsError."""
        key = hashlib.sha256(name.encode()).hexdigest()
        if not (
            await self._limiter.hit(_PER_ADDRESS, "address", address)
            and await self._limiter.hit(_PER_NAME, "name", key)
        ):
            raise TooManyAttemptsError
        async with self._database.transaction() as tx:
            user = await find_user(tx, name)
        usable = user if user is not None and user.disabled_at is None else None
        matched = await self._passwords.matches(usable.password_hash if usable else None, password[:LONGEST_PASSWORD])
        if usable is None or not matched:
            return None
        if self._passwords.is_outdated(usable.password_hash):
            fresh = await self._passwords.hash(password)
            async with self._database.transaction() as tx:
                await replace_hash(tx, usable.name, fresh)
                usable = await find_user(tx, usable.name) or usable
        secret = new_secret()
        async with self._database.transaction() as tx:
            await add_session(
                tx,
                digest=_digest(secret),
                name=usable.name,
                fingerprint=_fingerprint(usable),
                address=address,
                expires_at=tx.now + timedelta(seconds=SESSION_SECONDS),
            )
        return self._serializer.dumps(secret)

    async def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie, or None when it is missing, forged, too old, ended or no longer valid."""
        secret = self._secret_of(cookie)
        if secret is None:
            return None
        async with self._database.transaction() as tx:
            found = await find_sessions(tx, [_digest(secret)])
        if not found or not _is_valid(found[0]):
            return None
        user = found[0].user
        return Session(Person(user.name, user.org, Role(user.role)), self.form_token(secret), found[0].digest)

    async def still_open(self, digests: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the sessions that have not ended."""
        async with self._database.transaction() as tx:
            return frozenset(one.digest for one in await find_sessions(tx, list(digests)) if _is_valid(one))

    async def end(self, cookie: str | None) -> None:
        """End the session of the cookie, if there is one."""
        secret = self._secret_of(cookie)
        if secret is not None:
            async with self._database.transaction() as tx:
                await delete_session(tx, _digest(secret))

    def form_token(self, session_id: str) -> str:
        """What forms of this session (or of this not yet signed-in browser) must carry."""
        return hmac.new(self._form_key, session_id.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, expected: str, given: str | None) -> bool:
        """Compare in constant time."""
        return given is not None and hmac.compare_digest(expected.encode(), given.encode())

    def _secret_of(self, cookie: str | None) -> str | None:
        try:
            found: Any = self._serializer.loads(cookie, max_age=SESSION_SECONDS) if cookie else None
        except BadData:
            return None
        return found if isinstance(found, str) else None


def _is_valid(session: StoredSession) -> bool:
    same = hmac.compare_digest(_fingerprint(session.user), session.fingerprint)
    return same and session.user.disabled_at is None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _fingerprint(user: StoredUser) -> str:
    return hashlib.sha256(f"{user.password_hash}|{user.role}|{user.org}".encode()).hexdigest()[:24]
