"""One call to a provider, outside any transaction, always ending in an answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from services.notifier.app.begin_intent import Call
from services.notifier.channels.channel import Accepted, Channel, Reject, Reply, Retry
from services.notifier.domain.delivery import Answer, Outcome
from services.notifier.domain.ledger import RecordedAnswer
from shared.runtime.clock import Clock
from shared.runtime.logging import case_context, get_logger
from shared.runtime.metrics import DELIVERY_ATTEMPTS, DELIVERY_IN_FLIGHT, DELIVERY_SECONDS

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Providers:
    """The adapters in use by name. A call is given up after `timeout`, whatever the adapter does."""

    channels: Mapping[str, Channel]
    timeout: timedelta
    clock: Clock


async def call_provider(call: Call, *, providers: Providers) -> RecordedAnswer:
    """The provider's answer. Silence and faults of ours count as unknown: the message may have been sent."""
    message = call.message
    with case_context(message.case_id), DELIVERY_IN_FLIGHT.labels(message.channel.value).track_inprogress():
        reply = await _reply(call, providers)
        ended_at = providers.clock.now()
        recorded = _recorded(call, reply, ended_at=ended_at)
        answer = recorded.outcome.answer
        DELIVERY_ATTEMPTS.labels(message.channel.value, answer.value).inc()
        DELIVERY_SECONDS.labels(message.channel.value).observe(max(0.0, (ended_at - call.accepted_at).total_seconds()))
        if answer is not Answer.ACCEPTED:
            _log.warning(
                "delivery.not_accepted",
                attempt_id=str(message.attempt_id),
                channel=message.channel.value,
                provider=call.provider,
                answer=answer.value,
                reason=recorded.outcome.why,
            )
        return recorded


async def _reply(call: Call, providers: Providers) -> Reply:
    channel = providers.channels.get(call.provider)
    if channel is None:
        return Retry(timedelta(), "the provider is not configured", answer=Answer.UNAVAILABLE)
    try:
        async with asyncio.timeout(providers.timeout.total_seconds()):
            return await channel.send(call.message)
    except TimeoutError:
        return Retry(timedelta(), "the call took too long", answer=Answer.UNKNOWN)
    except Exception as error:  # noqa: BLE001  # a fault of an adapter must not take the others' messages with it
        _log.exception("delivery.adapter_failed", provider=call.provider, attempt_id=str(call.message.attempt_id))
        return Retry(timedelta(), f"the adapter failed: {type(error).__name__}", answer=Answer.UNKNOWN)


def _recorded(call: Call, reply: Reply, *, ended_at: datetime) -> RecordedAnswer:
    attempt = call.message.attempt_id
    match reply:
        case Accepted(provider_id, code):
            return RecordedAnswer(attempt, Outcome(Answer.ACCEPTED, ended_at), provider_id, code)
        case Retry(after, why, code, answer):
            return RecordedAnswer(attempt, Outcome(answer, ended_at, why, after), None, code)
        case Reject(why, code):
            return RecordedAnswer(attempt, Outcome(Answer.PERMANENT, ended_at, why), None, code)
        case _ as never:
            assert_never(never)
