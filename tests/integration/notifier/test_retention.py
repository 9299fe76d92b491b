"""What the notifier forgets of erased cases, while messages are on their way and after."""

from datetime import timedelta
from uuid import UUID

from services.notifier.store.retention import erase_personal_data, erase_whole_cases
from shared.access.links import ReceiptAddress
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseErasedV1, ErasedPart
from shared.contracts.receipts import ReceiptStatus
from shared.kafka.erasing import Erasing, Share
from shared.kafka.outcome import DONE
from shared.runtime.ids import TimeOrderedIds
from tests.integration.notifier.desk import CLOCK, Desk, request

PHONE = "138****0001"


def erased(case_id: UUID, org: str, part: ErasedPart = ErasedPart.PERSONAL_DATA) -> Event[CaseErasedV1]:
    now = CLOCK.now()
    data = CaseErasedV1(number="N-1", part=part, last_changed_at=now - timedelta(minutes=1), erased_at=now)
    return Event(id=TimeOrderedIds().new(), source="/t", time=now, org=org, case_id=case_id, data=data)


def erasing(desk: Desk) -> Erasing:
    return Erasing(desk.database, Share(erase_personal_data, erase_whole_cases))


async def test_who_was_told_by_what_stays_and_what_the_message_said_does_not(desk: Desk) -> None:
    event, other = request("liaison"), request("liaison")
    await desk.accept(event, other)
    await desk.settled("sent", "sent", "delivered", "delivered")
    assert list(await erasing(desk)([erased(event.case_id, event.org)])) == [DONE]

    mine, others = [
        (
            await desk.rows(
                "SELECT CAST(r.body AS text) AS body, i.person, i.channel, i.provider, i.settlement, a.address "
                "FROM requests AS r JOIN intents AS i USING (request_id) JOIN attempts AS a USING (intent_id) "
                "WHERE r.case_id = :id",
                id=one.case_id,
            )
        )[0]
        for one in (event, other)
    ]
    assert (mine["person"], mine["channel"], mine["settlement"]) == ("manager-a", "sms", "delivered")
    because = event.data.subject.because
    assert because is not None
    assert (because in mine["body"], because in others["body"]) == (False, True)
    assert (mine["address"], others["address"]) == ("", PHONE)


async def test_a_receipt_that_comes_after_all_is_still_understood(desk: Desk) -> None:
    event = request("liaison")
    await desk.accept(event)
    await desk.settled("sent", "delivered")
    await erasing(desk)([erased(event.case_id, event.org)])
    (attempt,) = await desk.rows("SELECT attempt_id FROM attempts")
    address = ReceiptAddress(event.case_id, attempt["attempt_id"], event.org, "sms-http")
    assert await desk.receipt(address, ReceiptStatus.DELIVERED) == DONE


async def test_a_message_that_is_not_sent_yet_is_sent_as_it_was_asked_for(still_desk: Desk) -> None:
    event = request("liaison")
    await still_desk.accept(event)
    await erasing(still_desk)([erased(event.case_id, event.org)])
    await erasing(still_desk).again()
    (row,) = await still_desk.rows("SELECT CAST(body AS text) AS body FROM requests")
    assert event.data.subject.because is not None
    assert event.data.subject.because in row["body"]


async def test_of_a_case_whose_time_is_over_no_row_stays(desk: Desk) -> None:
    event, other = request("liaison"), request("liaison")
    await desk.accept(event, other)
    await desk.settled("sent", "sent", "delivered", "delivered")
    await erasing(desk)([erased(event.case_id, event.org, ErasedPart.CASE)])
    for table in ("requests", "intents"):
        left = await desk.rows(f"SELECT DISTINCT case_id FROM {table}")  # noqa: S608  # constants
        assert left == [{"case_id": other.case_id}], table
    for table in ("attempts", "outcomes", "receipts"):
        assert await desk.rows(f"SELECT 1 FROM {table}"), table  # noqa: S608  # constants
    assert len(await desk.rows("SELECT 1 FROM attempts")) == 1
