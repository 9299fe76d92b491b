"""Headers put together at once are the headers of the event, whatever stands in them."""

from datetime import datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Event, encode
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.contracts.values import ChannelKind
from shared.db.outbox import headers_from_text, headers_to_text, stored_headers

IDS = st.uuids()
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30)
# Until 1972 there were zones whose offset has seconds; JSON writes whole minutes, and writers differ in how.
MOMENTS = st.datetimes(min_value=datetime(1973, 1, 1), timezones=st.timezones())  # noqa: DTZ001  # the zone is drawn


@given(IDS, IDS, TEXTS, TEXTS, st.none() | TEXTS, st.none() | TEXTS, MOMENTS)
def test_what_is_stored_is_what_is_sent(  # noqa: PLR0917  # the attributes of an event
    event_id: UUID,
    case_id: UUID,
    source: str,
    org: str,
    causation: str | None,
    traceparent: str | None,
    at: datetime,
) -> None:
    data = ReceiptReceivedV1(
        attempt_id=event_id,
        channel=ChannelKind.SMS,
        provider="sink",
        status=ReceiptStatus.DELIVERED,
        received_at=at,
    )
    event = Event(event_id, source, at, org, case_id, data, causation, traceparent)
    headers, value = encode(event)
    assert headers_from_text(stored_headers(event, str(event.case_id))) == headers
    assert stored_headers(event, str(event.case_id)) == headers_to_text(headers)
    assert value == data.model_dump_json().encode()
