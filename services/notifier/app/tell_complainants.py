"""Complainants who asked for it are told what their plan wants them told: once, by the channel they named."""

from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from services.notifier.app.begin_intent import Call
from services.notifier.app.call_provider import Providers, call_provider
from services.notifier.app.rules import Rules
from services.notifier.app.settle_complainant import settle_complainant
from services.notifier.channels.channel import OutgoingMessage
from services.notifier.channels.register import RegisterAwayError
from services.notifier.domain.complainant_notices import (
    Address,
    ComplainantNotice,
    Following,
    Told,
    after_answer,
    words_of,
)
from services.notifier.domain.delivery import Route
from services.notifier.domain.reach import Reach
from services.notifier.store import complainant_notices as rows
from shared.access.links import ReceiptAddress, sign_receipt_address
from shared.db.engine import Database
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
# The lease outlasts one question to the register and one call; of several the last would begin after its end.
_AT_ONCE: Final = 1
_LEASE: Final = timedelta(minutes=2)
_REGISTER_AWAY: Final = timedelta(seconds=30)
_CONTACT: Final = "complainant"


class Addresses(Protocol):
    """Knows where complainants want to be told. Raises RegisterAwayError."""

    async def address(self, case_id: UUID) -> Address | None: ...


async def tell_complainants(
    *, addresses: Addresses, providers: Providers, rules: Rules, database: Database, ids: Ids
) -> int:
    """How many notices were looked at. Each is claimed and committed before its call, with the same token every time.

    A crash between call and answer calls again after the lease: twice at most where the provider keeps no tokens.
    """
    async with database.transaction() as tx:
        claimed = await rows.claim(tx, most=_AT_ONCE, lease=_LEASE)
    for notice in claimed:
        try:
            address = await addresses.address(notice.case_id)
        except RegisterAwayError as error:
            _log.warning("complainant.register_away", case_id=str(notice.case_id), reason=str(error))
            async with database.transaction() as tx:
                await rows.put_off(tx, notice.id, tx.now + _REGISTER_AWAY)
            continue
        if address is None:
            async with database.transaction() as tx:
                await settle_complainant(tx, notice, Following(Told.NOT_ASKED, None, "did not ask to be told"), ids=ids)
            continue
        await _tell(notice, address, providers=providers, rules=rules, database=database, ids=ids)
    return len(claimed)


async def _tell(
    notice: ComplainantNotice, address: Address, *, providers: Providers, rules: Rules, database: Database, ids: Ids
) -> None:
    provider = _provider(notice, address, rules)
    if provider is None:
        following = Following(Told.FAILED, None, f"no provider is configured for {address.channel.value}")
    else:
        recorded = await call_provider(_call(notice, address, provider, rules), providers=providers)
        following = after_answer(notice.attempts, recorded.outcome)
    async with database.transaction() as tx:
        # A receipt may have been faster than the answer.
        await settle_complainant(tx, notice, following, ids=ids, channel=address.channel, provider=provider)


def _provider(notice: ComplainantNotice, address: Address, rules: Rules) -> str | None:
    """The next one with every try, in the order that prefixes and health give."""
    routes = tuple(Route(address.channel, one, _CONTACT) for one in rules.providers.get(address.channel, ()))
    names = [route.provider for route in rules.routed(Reach(routes, ()), {_CONTACT: address.to}).routes]
    return names[(notice.attempts - 1) % len(names)] if names else None


def _call(notice: ComplainantNotice, address: Address, provider: str, rules: Rules) -> Call:
    signed = sign_receipt_address(ReceiptAddress(notice.case_id, notice.id, notice.org, provider), rules.links.secret)
    message = OutgoingMessage(
        token=notice.id.hex,
        attempt_id=notice.id,
        case_id=notice.case_id,
        channel=address.channel,
        to=address.to,
        text=words_of(notice, max_segments=rules.max_sms_segments),
        link=None,
        receipt_url=f"{rules.links.receipts}/v1/receipts/{signed}",
        drill=False,
    )
    return Call(provider, message, notice.noted_at, is_retry=notice.attempts > 1)
