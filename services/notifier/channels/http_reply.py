"""What an HTTP call to a provider came to, in the words of the channel interface."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from services.notifier.channels.channel import Reject, Reply, Retry
from services.notifier.domain.delivery import Answer
from services.notifier.domain.words import clean

_SHOWN: Final = 200
_READ_AT_MOST: Final = 64 * 1024


async def answered(call: Callable[[], Awaitable[httpx.Response]], judge: Callable[[httpx.Response], Reply]) -> Reply:
    """The reply to a call. What failed before the request was sent may be repeated; what came after is not known."""
    try:
        response = await call()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        return Retry(timedelta(), f"cannot connect: {type(error).__name__}", answer=Answer.TRANSIENT)
    except httpx.TimeoutException as error:
        return Retry(timedelta(), f"no answer in time: {type(error).__name__}", answer=Answer.UNKNOWN)
    except httpx.TransportError as error:
        return Retry(timedelta(), f"connection broke: {type(error).__name__}", answer=Answer.UNKNOWN)
    except (httpx.InvalidURL, httpx.TooManyRedirects, httpx.DecodingError) as error:
        return Retry(timedelta(), f"unusable answer: {type(error).__name__}", answer=Answer.UNAVAILABLE)
    return judge(response)


def refused(response: httpx.Response, answer: Answer) -> Reply:
    """Retry or Reject with the provider's own words, shortened and cleaned."""
    why = f"HTTP {response.status_code} {shown(response)}".strip()
    if answer is Answer.PERMANENT:
        return Reject(why, str(response.status_code))
    return Retry(_retry_after(response), why, str(response.status_code), answer)


def shown(response: httpx.Response) -> str:
    """The beginning of the body as one harmless line."""
    return clean(response.content[:_READ_AT_MOST].decode("utf-8", "replace"), _SHOWN)


def _retry_after(response: httpx.Response) -> timedelta:
    """RFC 9110 §10.2.3: seconds or a date; nonsense counts as absent."""
    written = response.headers.get("retry-after", "").strip()
    if written.isascii() and written.isdigit():
        return timedelta(seconds=min(int(written[:9]), 86_400))
    try:
        until = parsedate_to_datetime(written)
        sent = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError):
        return timedelta()
    return max(timedelta(), _aware(until) - _aware(sent))


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
