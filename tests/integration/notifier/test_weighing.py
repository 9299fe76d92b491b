"""What replicas tell each other about providers: money, arrivals, and requests that reached nobody."""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from services.notifier.app.find_receipt_address import find_receipt_address
from services.notifier.app.find_receipt_addresses import find_receipt_addresses
from services.notifier.app.weigh_providers import weigh_providers
from services.notifier.channels.guarded import ProviderChoice, Standing
from services.notifier.domain.provider_choice import Terms
from shared.access.links import read_receipt_address
from shared.contracts.values import ChannelKind
from shared.db.engine import DATABASE_ERRORS
from shared.runtime.metrics import NOTIFIED_NOBODY
from tests.integration.notifier.desk import CLOCK, SECRET, Desk, request, with_policy
from tests.support.sink import Sink

SMS = ChannelKind.SMS
ZONE = ZoneInfo("Asia/Shanghai")
PHONE = "13800000001"


def _choice(**terms: object) -> tuple[ProviderChoice, Standing]:
    standing = Standing(Terms("sms-http", SMS, **terms))  # type: ignore[arg-type]  # the fields named by the tests
    return ProviderChoice([standing], country="86", zone=ZONE), standing


async def test_two_replicas_keep_to_one_cap(still_desk: Desk) -> None:
    first, ours = _choice(price=1.0, most_per_day=3.0)
    second, theirs = _choice(price=1.0, most_per_day=3.0)
    today = first.today(CLOCK.now())
    ours.unreported[today] = 2_000_000
    theirs.unreported[today] = 1_000_000
    await weigh_providers(database=still_desk.database, providers=first)
    assert "sms-http" not in first.barred(CLOCK.now())
    await weigh_providers(database=still_desk.database, providers=second)
    await weigh_providers(database=still_desk.database, providers=first)

    assert (ours.spent, theirs.spent) == (3_000_000, 3_000_000)
    for choice in (first, second):
        assert "money" in choice.barred(CLOCK.now())["sms-http"].why
    assert (ours.unreported, theirs.unreported) == ({}, {})


async def test_money_that_could_not_be_written_is_written_later(still_desk: Desk) -> None:
    choice, standing = _choice(price=1.0, most_per_day=3.0)
    today = choice.today(CLOCK.now())
    standing.unreported[today] = 2_000_000
    async with still_desk.database.transaction() as tx:
        await tx.execute("ALTER TABLE provider_days RENAME TO away")
    with pytest.raises(DATABASE_ERRORS):
        await weigh_providers(database=still_desk.database, providers=choice)
    standing.unreported[today] += 500_000
    async with still_desk.database.transaction() as tx:
        await tx.execute("ALTER TABLE away RENAME TO provider_days")
    await weigh_providers(database=still_desk.database, providers=choice)
    assert standing.spent == 2_500_000


async def test_a_provider_whose_messages_do_not_arrive_is_weak_though_it_answers_well(
    notifier_url: str, sink: Sink, receipts_url: str, desks: list[Desk]
) -> None:
    policy = with_policy(receipt_within={"sms-http": timedelta(seconds=0.1)})
    desk = Desk(notifier_url, sink, receipts_url, policy=policy)
    desks.append(desk)
    desk.start()
    sink.behave(PHONE, "no-receipt")
    await desk.accept(*(request("liaison", channels=(SMS,)) for _ in range(12)))
    await desk.settled(*["sent"] * 12)
    choice, standing = _choice(receipt_within=timedelta(seconds=0.1))
    assert standing.health.score == 1.0

    async def weighed() -> bool:
        await weigh_providers(database=desk.database, providers=choice)
        return standing.health.delivered == 0.0

    await desk.eventually(weighed, what=lambda: "a share of nothing")
    assert standing.health.score == 0.0
    await desk.stop()


async def test_a_request_that_reached_nobody_is_counted_and_one_that_reached_somebody_is_not(
    desk: Desk, sink: Sink
) -> None:
    choice, _ = _choice()
    await desk.accept(request("empty"), request("empty", "liaison"))
    await desk.settled("nobody", "nobody", "sent", "delivered")
    await weigh_providers(database=desk.database, providers=choice)
    assert NOTIFIED_NOBODY._value.get() == 1.0


async def test_a_message_is_found_by_its_providers_id_only_at_that_provider(desk: Desk) -> None:
    event = request("liaison", channels=(SMS,))
    await desk.accept(event)
    await desk.settled("sent", "delivered")
    [row] = await desk.rows(
        "UPDATE outcomes SET provider_message_id = 'ff01' RETURNING attempt_id",
    )
    links = desk.rules.links
    found = await find_receipt_address(["FF01", "ff01"], provider="sms-http", database=desk.database, links=links)

    assert found is not None
    base, _, token = found.rpartition("/")
    assert base == f"{links.receipts}/v1/receipts"
    address = read_receipt_address(token, SECRET)
    assert (address.attempt_id, address.case_id, address.org) == (row["attempt_id"], event.case_id, "demo")
    assert await find_receipt_address(["ff01"], provider="other", database=desk.database, links=links) is None
    assert await find_receipt_address(["ff02"], provider="sms-http", database=desk.database, links=links) is None


async def test_many_messages_are_found_by_their_providers_ids_only_for_their_organisation(desk: Desk) -> None:
    event = request("liaison", channels=(SMS,))
    await desk.accept(event)
    await desk.settled("sent", "delivered")
    await desk.rows("UPDATE outcomes SET provider_message_id = '2019:1' RETURNING attempt_id")
    ask = partial(find_receipt_addresses, database=desk.database, links=desk.rules.links)

    found = await ask("demo", ["2019:1", "2019:2"], provider="sms-http")
    assert list(found) == ["2019:1"]
    assert read_receipt_address(found["2019:1"], SECRET).case_id == event.case_id
    assert await ask("other", ["2019:1"], provider="sms-http") == {}
    assert await ask("demo", ["2019:1"], provider="other") == {}
