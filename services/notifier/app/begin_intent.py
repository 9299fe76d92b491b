"""The calls of one intent: written down by its transaction, made after it. Shared by who accepts and who claims."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.notifier.app.advance_intents import Advanced
from services.notifier.app.compose_message import compose_message
from services.notifier.app.rules import Rules
from services.notifier.channels.channel import OutgoingMessage
from services.notifier.domain.delivery import Send
from services.notifier.domain.ledger import Intent, NewAttempt, shortened
from services.notifier.domain.urgency import Lane
from shared.contracts.values import Bilingual, ChannelKind
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger

_log = get_logger(__name__)
_PUT_OFF: Final = timedelta(seconds=30)
_CANNOT_BEGIN: Final = Bilingual(
    zh="消息无法生成，稍候重试；原因见通知服务日志",
    en="the message could not be made, to be tried again; see the notifier's log",
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to make now: it stands in the ledger already. `accepted_at` is when its request came in."""

    provider: str
    message: OutgoingMessage
    accepted_at: datetime
    is_retry: bool


class Sender(Protocol):
    """The sender as seen by who accepts requests: it is woken, or lends the places nobody waits for."""

    def wake(self) -> None:
        """Something may be due now."""

    def reserve(self, channel: ChannelKind) -> bool:
        """Keep one place for a new message; False when there is none or others wait for one."""

    def release(self, channel: ChannelKind) -> None:
        """Give a reserved place back unused."""

    def start(self, calls: Sequence[Call]) -> None:
        """Make these calls, each in a place reserved for it. Their attempts are committed."""


@dataclass(frozen=True, slots=True)
class BegunIntent:
    """An intent as it has to be saved, with its attempts to be written and the calls to make after the commit."""

    intent: Intent
    attempts: tuple[NewAttempt, ...] = ()
    calls: tuple[Call, ...] = ()


def begin_intent(one: Advanced, tx: Tx, rules: Rules, ids: Ids, *, company: Sequence[Intent] = ()) -> BegunIntent:
    """The intent with its calls; its message tells its `company` too.

    A message that cannot be made is put off, so that it never holds up the others.
    """
    intent = one.intent
    if not one.decision.sends:
        return BegunIntent(intent)
    try:
        made = [
            _attempt(replace(intent, attempts=intent.attempts + place), send, tx.now, rules, ids, company)
            for place, send in enumerate(one.decision.sends)
        ]
    except Exception:  # noqa: BLE001  # whatever it was, it stays in the ledger, visible and tried again
        _log.exception("delivery.cannot_begin", intent_id=str(intent.id), case_id=str(intent.request.case_id))
        return BegunIntent(replace(intent, lane=Lane.RETRY, due_at=tx.now + _PUT_OFF, waits=_CANNOT_BEGIN))
    attempts = tuple(attempt for attempt, _ in made)
    leased = replace(
        intent,
        attempts=intent.attempts + len(attempts),
        next_channel=attempts[-1].channel,
        due_at=tx.now + rules.answer_within,
    )
    return BegunIntent(leased, attempts, tuple(call for _, call in made))


def _attempt(  # noqa: PLR0917  # everything a message needs
    intent: Intent, send: Send, now: datetime, rules: Rules, ids: Ids, company: Sequence[Intent]
) -> tuple[NewAttempt, Call]:
    route = send.route
    attempt_id = ids.new()
    token = f"{intent.id}.{route.provider}.{route.contact}"
    message = compose_message(intent, route, attempt_id=attempt_id, token=token, rules=rules, now=now, company=company)
    attempt = NewAttempt(
        id=attempt_id,
        intent_id=intent.id,
        number=intent.attempts + 1,
        channel=route.channel,
        provider=route.provider,
        contact=route.contact,
        address=shortened(message.to),
        token=token,
        doubtful=send.doubtful,
        started_at=now,
        answer_until=now + rules.answer_within,
    )
    return attempt, Call(route.provider, message, intent.request.accepted_at, is_retry=intent.attempts > 0)
