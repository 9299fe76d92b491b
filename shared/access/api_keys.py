"""API keys: 256 random bits, stored as a keyed hash, limited to scopes, bound to one organisation.

A key reads `fh_<prefix>_<secret>`; the prefix is public and identifies it. Histories call it by its label.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

_FORM: Final = re.compile(r"^fh_([0-9a-f]{8})_([A-Za-z0-9_-]{43})$")
_LONGEST_NAME: Final = 120


class Scope(StrEnum):
    REPORT = "report"  # post complaints, incidents and hooks
    COMMAND = "command"  # change cases
    READ = "read"  # read cases, rosters, plans
    RECEIPT = "receipt"  # post delivery receipts and SMS replies
    OPERATE = "operate"  # dead letters, replays
    ROSTER = "roster"  # change rosters
    ADDRESS = "address"  # read where a complainant who asked to be told is reached


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as stored: nothing here lets anyone act."""

    prefix: str
    digest: bytes
    org: str
    scopes: frozenset[Scope]
    label: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def name(self) -> str:
        """What people call it where it acts by itself: its label, else its prefix. 1 to 120 characters."""
        return self.label.strip()[:_LONGEST_NAME] or self.prefix

    def allows(self, scope: Scope, now: datetime) -> bool:
        """True when the key is neither revoked nor expired and has the scope."""
        alive = self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
        return alive and scope in self.scopes


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as a caller presents it."""

    prefix: str
    secret: str

    @classmethod
    def parse(cls, text: str) -> "PresentedKey | None":
        """None when the text is not in the form of a key."""
        match = _FORM.fullmatch(text)
        return cls(match[1], match[2]) if match else None

    def matches(self, stored: ApiKey, pepper: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(digest_of(self.secret, pepper), stored.digest)


def key_text(prefix: str, secret: str) -> str:
    """The one time a key is shown."""
    return f"fh_{prefix}_{secret}"


def digest_of(secret: str, pepper: bytes) -> bytes:
    """HMAC-SHA-256 of the secret: useless without the pepper, which is not in the database."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).digest()
