"""Encryption of personal fields: AES-256-GCM, a data key per person, wrapped by the master key.

Sealed bytes read `version | nonce | ciphertext and tag`; the additional data names table, row and column, so that a
value moved elsewhere does not open. Deleting a person's wrapped key makes everything sealed with it unreadable.
"""

import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_SHORTEST_SECRET: Final = 32


class UnreadableSealError(ValueError):
    """The bytes do not open with this key at this place: another master key, or they were moved or damaged."""


class Vault:
    """Keys derived from one secret of at least 32 bytes. Holds no key of a person."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SHORTEST_SECRET:
            raise ValueError(f"the identity key must have at least {_SHORTEST_SECRET} characters")
        self._secret = secret
        self._wrapping = AESGCM(self._derive(b"wrapping"))
        self._org_keys: dict[str, bytes] = {}
        self.ref_key: bytes = self._derive(b"references")

    def new_key(self) -> bytes:
        """A fresh data key."""
        return AESGCM.generate_key(_KEY_BYTES * 8)

    def wrap(self, key: bytes, person_id: UUID) -> bytes:
        """The data key as it may be stored."""
        return _seal(self._wrapping, key, f"person_keys:{person_id}:wrapped_key")

    def unwrap(self, wrapped: bytes, person_id: UUID) -> bytes:
        """The data key. Raises UnreadableSealError."""
        return _open(self._wrapping, wrapped, f"person_keys:{person_id}:wrapped_key")

    def org_key(self, org: str) -> bytes:
        """For what belongs to no person: reports without complainant, quarantined payloads."""
        key = self._org_keys.get(org)
        if key is None:
            key = self._org_keys[org] = self._derive(b"organisation:" + org.encode())
        return key

    def _derive(self, purpose: bytes) -> bytes:
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"fenghuo.intake." + purpose).derive(self._secret)


def seal(key: bytes, plain: bytes, place: str) -> bytes:
    """Sealed bytes that open only with the same key and `place` (`table:row:column`)."""
    return _seal(AESGCM(key), plain, place)


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """Inverse of `seal`. Raises UnreadableSealError."""
    return _open(AESGCM(key), sealed, place)


def event_place(event_key: tuple[str, str, str], column: str) -> str:
    """Where a sealed column of an event stands."""
    return f"events:{'/'.join(event_key)}:{column}"


def _seal(cipher: AESGCM, plain: bytes, place: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + cipher.encrypt(nonce, plain, place.encode())


def _open(cipher: AESGCM, sealed: bytes, place: str) -> bytes:
    if sealed[:1] != _VERSION:
        raise UnreadableSealError("unknown version of sealed bytes")
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, body, place.encode())
    except (InvalidTag, ValueError) as error:
        raise UnreadableSealError("sealed bytes do not open") from error
