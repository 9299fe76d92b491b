"""Lets people in: password, limit of attempts, signed session."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from services.console.app.verify_password import Passwords
from services.console.domain.accounts import LONGEST_PASSWORD, Person, Role
from services.console.store.people import StoredUser, find_user, replace_hash
from shared.db.engine import Database
from shared.runtime.ids import new_secret

SESSION_SECONDS: Final = 12 * 3600
_PER_NAME: Final = RateLimitItemPerMinute(8)
_PER_ADDRESS: Final = RateLimitItemPerMinute(40)


class TooManyAttemptsError(Exception):
    """Too many sign-ins for this name or from this address within a minute."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, and the token their forms must carry."""

    person: Person
    csrf: str


class SignIn:
    """Opens, reads and guards sessions.

    A session lives in a signed cookie: it ends after twelve hours, when the password changes, or when the person is
    disabled.
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
        return self._serializer.dumps({"n": usable.name, "p": _fingerprint(usable), "s": new_secret()})

    async def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie, or None when it is missing, forged, too old or no longer valid."""
        if not cookie:
            return None
        try:
            content: Any = self._serializer.loads(cookie, max_age=SESSION_SECONDS)
            name, fingerprint, session_id = content["n"], content["p"], content["s"]
        except (BadData, KeyError, TypeError):
            return None
        async with self._database.transaction() as tx:
            user = await find_user(tx, name)
        if user is None or user.disabled_at is not None or not hmac.compare_digest(_fingerprint(user), fingerprint):
            return None
        return Session(Person(user.name, user.org, Role(user.role)), self.form_token(session_id))

    def form_token(self, session_id: str) -> str:
        """What forms of this session (or of this not yet signed-in browser) must carry."""
        return hmac.new(self._form_key, session_id.encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, expected: str, given: str | None) -> bool:
        """Compare in constant time."""
        return given is not None and hmac.compare_digest(expected.encode(), given.encode())


def _fingerprint(user: StoredUser) -> str:
    return hashlib.sha256(f"{user.password_hash}|{user.role}|{user.org}".encode()).hexdigest()[:24]
