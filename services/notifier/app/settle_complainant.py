"""The outcome of a notice to a complainant, told to the other services."""

from typing import Final

from services.notifier.domain.complainant_notices import ComplainantNotice, Told
from shared.contracts.envelope import Event
from shared.contracts.notifications import COMPLAINANT, NotificationSettledV1, Purpose, Settlement
from shared.contracts.values import Bilingual, ChannelKind
from shared.db.tx import Tx
from shared.runtime.ids import Ids

_WORDS: Final = Bilingual(zh="投诉人", en="Complainant")
_SETTLEMENTS: Final = {
    Told.SENT: Settlement.SENT,
    Told.DELIVERED: Settlement.DELIVERED,
    Told.FAILED: Settlement.FAILED,
}
_REASONS: Final = {
    Told.SENT: "服务商已受理",
    Told.DELIVERED: "服务商已确认送达",
    Told.FAILED: "未能送达，请人工告知",
}


def settle_complainant(
    tx: Tx,
    notice: ComplainantNotice,
    told: Told | None,
    why: str,
    *,
    ids: Ids,
    by: tuple[ChannelKind, str | None],
) -> None:
    """With the transaction's commit. Nothing is said while it is still tried, or where nobody asked."""
    settlement = _SETTLEMENTS.get(told) if told is not None else None
    if told is None or settlement is None:
        return
    channel, provider = by
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
                reason=why[:500] or told.value,
                reason_words=Bilingual(zh=_REASONS[told], en=why[:500] or told.value),
                settled_at=tx.now,
            ),
        )
    )
