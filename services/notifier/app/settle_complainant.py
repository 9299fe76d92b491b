"""What became of a notice to a complainant: written down, and told to the other services."""

from collections.abc import Mapping
from typing import Final

from services.notifier.domain.complainant_notices import ComplainantNotice, Following, Told
from services.notifier.store import complainant_notices as rows
from shared.contracts.envelope import Event
from shared.contracts.notifications import COMPLAINANT, NotificationSettledV1, Purpose, Settlement
from shared.contracts.values import Bilingual, ChannelKind
from shared.db.tx import Tx
from shared.runtime.ids import Ids

_WORDS: Final = Bilingual(zh="投诉人", en="Complainant")
_SAID: Final[Mapping[Told | None, tuple[Settlement, str]]] = {
    Told.SENT: (Settlement.SENT, "服务商已受理"),
    Told.DELIVERED: (Settlement.DELIVERED, "服务商已确认送达"),
    Told.FAILED: (Settlement.FAILED, "未能送达，请人工告知"),
}


async def settle_complainant(
    tx: Tx,
    notice: ComplainantNotice,
    following: Following,
    *,
    ids: Ids,
    channel: ChannelKind | None = None,
    provider: str | None = None,
) -> None:
    """With the transaction's commit. What was delivered before stays so.

    The others are told nothing while it is still tried, or where nobody asked.
    """
    is_written = await rows.settle(tx, notice.id, following, channel=channel, provider=provider)
    said = _SAID.get(following.settlement)
    if not is_written or said is None:
        return
    settlement, zh = said
    why = following.why[:500] or settlement.value
    tx.outbox.add(
        Event(
            id=ids.new(),
            source="/fenghuo/notifier",
            time=tx.now,
            org=notice.org,
            case_id=notice.case_id,
            data=NotificationSettledV1(
                request_id=notice.id,
                intent_id=notice.id,
                number=notice.number,
                plan=notice.plan,
                purpose=Purpose.INFORM,
                step=0,
                role=COMPLAINANT,
                role_words=_WORDS,
                person=None,
                channel=channel,
                provider=provider,
                settlement=settlement,
                attempts=notice.attempts,
                reason=why,
                reason_words=Bilingual(zh=zh, en=why),
                settled_at=tx.now,
            ),
        )
    )
