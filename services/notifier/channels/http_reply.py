"""What an HTTP call to a provider came to, in the words of the channel interface."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from services.notifier.channels.channel import Reject, Reply, Retry
from services.notifier.channels.http_client import HttpAnswer, NoAnswerError, NotSentError, UnusableAnswerError
from services.notifier.domain.delivery import Answer
from services.notifier.domain.words import clean

_SHOWN: Final = 200
_A_DAY: Final = timedelta(days=1)


async def answered(call: Awaitable[HttpAnswer], judge: Callable[[HttpAnswer], Reply]) -> Reply:
    """The reply to a call. What failed before the request was sent may be repeated; what came after is not known."""
    try:
        answer = await call
    except NotSentError as error:
        return Retry(timedelta(), str(error), answer=Answer.TRANSIENT)
    except NoAnswerError as error:
        return Retry(timedelta(), str(error), answer=Answer.UNKNOWN)
    except UnusableAnswerError as error:
        return Retry(timedelta(), str(error), answer=Answer.UNAVAILABLE)
    return judge(answer)


def refused(response: HttpAnswer, answer: Answer) -> Reply:
    """Retry or Reject with the provider's own words, shortened and cleaned."""
    why = f"HTTP {response.status} {shown(response)}".strip()
    if answer is Answer.PERMANENT:
        return Reject(why, str(response.status))
    return Retry(_retry_after(response), why, str(response.status), answer)


def shown(response: HttpAnswer) -> str:
    """The beginning of the body as one harmless line."""
    return clean(response.content.decode("utf-8", "replace"), _SHOWN)


def _retry_after(response: HttpAnswer) -> timedelta:
    """RFC 9110 §10.2.3: seconds, or a date by the provider's clock, else by ours. Nonsense counts as absent."""
    written = response.headers.get("retry-after", "").strip()
    if written.isascii() and written.isdigit():
        return min(timedelta(seconds=int(written[:9])), _A_DAY)
    until = _instant(written)
    if until is None:
        return timedelta()
    sent = _instant(response.headers.get("date", "")) or response.received_at
    return min(max(timedelta(), until - sent), _A_DAY)


def _instant(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
