"""Passwords: Argon2id with 19 MiB, two passes, one lane (about 18 ms), a few at a time and never on the event loop.

Parameters: OWASP Password Storage Cheat Sheet, first choice for Argon2id.
"""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
_AT_ONCE: Final = 4
# Checked when the name is unknown, so that the answer takes as long as for a known one.
_NOBODY: Final = _HASHER.hash("a person who does not exist")


class Passwords:
    """Hashes and checks passwords in threads, at most four at once so that sign-ins cannot take the whole machine."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        async with self._room:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """False for a wrong password, a damaged hash or None; takes the same time in each case but the second."""
        async with self._room:
            matched = await asyncio.to_thread(_verify, stored or _NOBODY, password)
        return matched and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """True when the hash was made with other parameters than today's."""
        return _HASHER.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
