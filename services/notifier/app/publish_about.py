"""What the notifier has to say about a request goes out under the request's case, as an effect of it."""

from services.notifier.domain.ledger import Request
from shared.contracts.envelope import Event
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.tracing import next_span


def publish_about(tx: Tx, request: Request, said: NotificationRequestedV1 | NotificationSettledV1, *, ids: Ids) -> None:
    """With the transaction's commit."""
    tx.outbox.add(
        Event(
            id=ids.new(),
            source="/fenghuo/notifier",
            time=tx.now,
            org=request.org,
            case_id=request.case_id,
            causation=str(request.event_id),
            traceparent=next_span(request.traceparent),
            data=said,
        )
    )
