"""HTTP calls to providers: one pool of connections each, every call made at most once.

A twentieth of the processor time of the general client for each call when many are open at once (`make bench`), and
the difference between "not sent" and "not known whether sent" is kept apart by type.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from shared.runtime.clock import SystemClock

READ_AT_MOST: Final = 64 * 1024
"""Bytes of an answer that are read; what a provider says beyond is not worth the memory."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the other side said. Header names are in lower case; `content` may be cut at `READ_AT_MOST`."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    received_at: datetime = field(default_factory=SystemClock().now, compare=False)


class NotSentError(Exception):
    """Nothing of the request left this process: it may be repeated without telling anybody twice."""


class NoAnswerError(Exception):
    """The request may have been carried out."""


class UnusableAnswerError(Exception):
    """The other side does not speak HTTP, or the address is none."""


class HttpClient:
    """Opens its connections at the first call. Redirects are answers; proxies of the environment are not used.

    `timeout` is the longest wait for a connection, and again for each part of the answer.
    """

    def __init__(self, *, timeout: timedelta, connections: int) -> None:
        limit = timeout.total_seconds()
        self._timeout = aiohttp.ClientTimeout(total=None, connect=limit, sock_read=limit)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, *, params: Mapping[str, str], headers: Mapping[str, str] | None = None) -> HttpAnswer:
        """Raises NotSentError, NoAnswerError, UnusableAnswerError."""
        return await self._call("GET", url, params=params, headers=headers, content=None)

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Raises NotSentError, NoAnswerError, UnusableAnswerError."""
        return await self._call("POST", url, params=None, headers=headers, content=content)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
    ) -> HttpAnswer:
        session = self._session or self._open()
        try:
            async with session.request(
                method, url, params=params, headers=headers, data=content, allow_redirects=False
            ) as response:
                body = await _beginning(response.content)
                return HttpAnswer(
                    response.status, {name.lower(): value for name, value in response.headers.items()}, body
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSentError(f"cannot connect: {type(error).__name__}") from error
        except (aiohttp.InvalidURL, aiohttp.ClientResponseError, ValueError) as error:
            raise UnusableAnswerError(f"unusable answer: {type(error).__name__}") from error
        except TimeoutError as error:
            raise NoAnswerError(f"no answer in time: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswerError(f"connection broke: {type(error).__name__}") from error

    def _open(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
        )
        # By itself it repeats a GET on a broken connection: a second message that nobody would have counted.
        session._retry_connection = False  # noqa: SLF001  # there is no other way to say so
        self._session = session
        return session


async def _beginning(stream: aiohttp.StreamReader) -> bytes:
    found = bytearray()
    while len(found) < READ_AT_MOST:
        chunk = await stream.read(READ_AT_MOST - len(found))
        if not chunk:
            break
        found += chunk
    return bytes(found)
