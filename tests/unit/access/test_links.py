"""A link acts for one person on one case until it expires, and nothing else does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.access.links import (
    AcknowledgementLink,
    LinkExpiredError,
    LinkInvalidError,
    ReceiptAddress,
    read_acknowledgement,
    read_receipt_address,
    sign_acknowledgement,
    sign_receipt_address,
)

SECRET = b"a secret of the tests"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LINK = AcknowledgementLink(
    case_id=UUID("01a20098-047b-70eb-9a33-0bdad46323c2"),
    intent_id=UUID("01a20098-047b-70eb-9a33-0bdbe097da55"),
    org="demo",
    plan="telecom-service-quality",
    person="duty-manager-a",
    expires_at=NOW + timedelta(hours=24),
)
ADDRESS = ReceiptAddress(case_id=uuid4(), attempt_id=uuid4(), org="demo", provider="kannel")


def test_a_link_says_again_what_it_was_made_of() -> None:
    text = sign_acknowledgement(LINK, SECRET)
    assert read_acknowledgement(text, SECRET, NOW) == LINK
    assert len(text) < 180, "it has to fit into an SMS"


def test_a_link_ends_at_its_second() -> None:
    text = sign_acknowledgement(LINK, SECRET)
    assert read_acknowledgement(text, SECRET, LINK.expires_at - timedelta(seconds=1)) == LINK
    with pytest.raises(LinkExpiredError):
        read_acknowledgement(text, SECRET, LINK.expires_at)


@pytest.mark.parametrize("position", [0, 10, 40, 80, -1])
def test_a_changed_character_makes_it_worthless(position: int) -> None:
    text = sign_acknowledgement(LINK, SECRET)
    swapped = "A" if text[position] != "A" else "B"
    at = position % len(text)
    with pytest.raises(LinkInvalidError):
        read_acknowledgement(text[:at] + swapped + text[at + 1 :], SECRET, NOW)


def test_another_secret_or_another_purpose_does_not_open_it() -> None:
    with pytest.raises(LinkInvalidError):
        read_acknowledgement(sign_acknowledgement(LINK, b"another secret"), SECRET, NOW)
    with pytest.raises(LinkInvalidError):
        read_acknowledgement(sign_receipt_address(ADDRESS, SECRET), SECRET, NOW)
    with pytest.raises(LinkInvalidError):
        read_receipt_address(sign_acknowledgement(LINK, SECRET), SECRET)


def test_a_receipt_address_says_again_what_it_was_made_of() -> None:
    assert read_receipt_address(sign_receipt_address(ADDRESS, SECRET), SECRET) == ADDRESS


@given(st.text(max_size=500))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(LinkInvalidError):
        read_acknowledgement(text, SECRET, NOW)
