"""A key opens what its scopes name, while it is in force."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.access.api_keys import ApiKey, PresentedKey, Scope, digest_of, key_text
from shared.runtime.ids import new_secret

PEPPER = b"pepper"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
SECRET = "s" * 43


def stored(**changes: object) -> ApiKey:
    fields = {
        "prefix": "0a1b2c3d",
        "digest": digest_of(SECRET, PEPPER),
        "org": "demo",
        "scopes": frozenset({Scope.REPORT}),
        "label": "call centre",
        "created_at": NOW,
    }
    return ApiKey(**{**fields, **changes})  # type: ignore[arg-type]  # builder of a test


def test_a_key_is_known_by_its_secret_and_pepper_only() -> None:
    presented = PresentedKey.parse(key_text("0a1b2c3d", SECRET))
    assert presented is not None
    assert presented.matches(stored(), PEPPER)
    assert not presented.matches(stored(), b"another pepper")
    assert not presented.matches(stored(digest=digest_of(new_secret(), PEPPER)), PEPPER)


@pytest.mark.parametrize(
    ("label", "name"),
    [("交接台", "交接台"), ("  desk ", "desk"), ("x" * 500, "x" * 120), ("", "0a1b2c3d"), (" ", "0a1b2c3d")],
)
def test_a_key_is_called_by_its_label_in_histories(label: str, name: str) -> None:
    assert stored(label=label).name == name


def test_the_stored_form_does_not_contain_the_secret() -> None:
    assert SECRET.encode() not in stored().digest


@pytest.mark.parametrize(
    "text",
    ["", "fh_", "fh_0a1b2c3d_short", f"fh_0A1B2C3D_{SECRET}", f"xx_0a1b2c3d_{SECRET}", f" fh_0a1b2c3d_{SECRET}"],
)
def test_what_does_not_look_like_a_key_is_none(text: str) -> None:
    assert PresentedKey.parse(text) is None


def test_scope_expiry_and_revocation_decide() -> None:
    assert stored().allows(Scope.REPORT, NOW)
    assert not stored().allows(Scope.COMMAND, NOW)
    assert stored(expires_at=NOW + timedelta(seconds=1)).allows(Scope.REPORT, NOW)
    assert not stored(expires_at=NOW).allows(Scope.REPORT, NOW)
    assert not stored(revoked_at=NOW).allows(Scope.REPORT, NOW)
