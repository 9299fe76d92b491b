"""A new message that finds a free place is begun in the transaction that accepts it; otherwise it waits its turn."""

from collections.abc import Sequence

import pytest

from services.notifier.app import accept_requests as accepting
from services.notifier.app.begin_intent import BegunIntent, begin_intent
from services.notifier.store import attempts as attempt_rows
from shared.contracts.values import ChannelKind
from tests.integration.notifier.desk import Desk, request

SMS = ChannelKind.SMS


def _open(desk: Desk) -> int:
    return desk.sender._capacities[SMS].open.total()


async def test_request_and_attempt_are_one_commit(desk: Desk) -> None:
    await desk.accept(request("liaison"))
    await desk.settled("sent", "delivered")

    [row] = await desk.rows(
        "SELECT r.accepted_at = a.started_at AS at_once, i.attempts FROM attempts a "
        "JOIN intents i USING (intent_id) JOIN requests r USING (request_id)"
    )
    assert row == {"at_once": True, "attempts": 1}
    assert _open(desk) == 0


async def test_without_a_place_the_message_waits_and_goes_when_there_is_one(desk: Desk) -> None:
    capacity = desk.sender._capacities[SMS]
    places, capacity.places = capacity.places, 0
    await desk.accept(request("liaison"))
    assert await desk.attempts() == []

    capacity.places = places
    desk.sender.wake()
    await desk.settled("sent", "delivered")


async def test_new_messages_do_not_overtake_those_that_wait(still_desk: Desk) -> None:
    await still_desk.accept(request("liaison"))
    sender = still_desk.sender
    sender._open = True
    begun = await still_desk.begin(fresh={}, retries={})
    sender._wait(begun)

    assert sender.reserve(SMS) is False


async def test_a_transaction_that_fails_gives_its_places_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: object, attempts: Sequence[object]) -> None:
        if attempts:
            raise RuntimeError("the database refused")

    monkeypatch.setattr(attempt_rows, "begin", breaks)
    with pytest.raises(RuntimeError, match="refused"):
        await desk.accept(request("liaison"))
    assert (_open(desk), desk.sender._reserved) == (0, 0)
    assert await desk.rows("SELECT * FROM requests") == []


async def test_a_message_that_cannot_be_made_keeps_no_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:

    def unmade(*arguments: object) -> object:
        return BegunIntent(begin_intent(*arguments).intent)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(accepting, "begin_intent", unmade)
    await desk.accept(request("liaison"))
    assert (_open(desk), desk.sender._reserved) == (0, 0)
