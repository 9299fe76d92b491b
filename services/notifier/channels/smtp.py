"""Mail through one SMTP server over kept connections.

A connection costs several round trips and, measured, is the larger part of a mail; so connections are kept and used
again. A kept connection that the server has closed meanwhile shows at MAIL, before anything was handed over, and is
then replaced without counting as a failure.
"""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from services.notifier.channels.channel import Accepted, OutgoingMessage, Reject, Reply, Retry
from services.notifier.channels.mail_message import mail_bytes
from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import is_smtp_refusal, smtp_answer
from services.notifier.domain.words import clean
from shared.contracts.values import ChannelKind
from shared.runtime.clock import Clock, monotonic

_SHOWN: Final = 200
_IDLE_S: Final = 60.0  # RFC 5321 §4.5.3.2 lets servers wait 5 minutes; many close far sooner
_MAX_ID: Final = 200


class Tls(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """`smtp://user:password@host:port?tls=none|starttls|tls&ca=/path/to/ca.pem`.

    `ca` names the certificates that may vouch for the server, instead of those the machine trusts.
    """

    host: str
    port: int
    username: str | None
    password: str | None
    tls: Tls
    ca: str | None = None

    @classmethod
    def parse(cls, url: str) -> "SmtpAddress":
        """Raises ValueError naming what is wrong, never showing the password."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("the mail server's address must be smtp://user:password@host:port?tls=starttls")
        default = Tls.TLS if parts.scheme == "smtps" else Tls.NONE
        options = parse_qs(parts.query)
        written = options.get("tls", [default.value])[0]
        if written not in set(Tls):
            raise ValueError("tls in the mail server's address must be none, starttls or tls")
        tls = Tls(written)
        return cls(
            host=parts.hostname,
            port=parts.port or {Tls.NONE: 25, Tls.STARTTLS: 587, Tls.TLS: 465}[tls],
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            ca=options.get("ca", [None])[0],
        )


class SmtpChannel:
    """One server, at most `connections` kept connections."""

    def __init__(
        self, url: str, *, sender: str, clock: Clock, timeout: timedelta, connections: int, name: str = "smtp"
    ) -> None:
        self._address = SmtpAddress.parse(url)
        self._sender = sender
        self._envelope_sender = parseaddr(sender)[1]
        if "@" not in self._envelope_sender:
            raise ValueError("the mail sender must be an address such as 烽火 <fenghuo@example.org>")
        # Made once: reading the trusted certificates takes longer than a mail.
        self._tls = None if self._address.tls is Tls.NONE else ssl.create_default_context(cafile=self._address.ca)
        self._clock = clock
        self._timeout = timeout.total_seconds()
        self._name = name
        self._places = asyncio.Semaphore(connections)
        self._idle: list[tuple[SMTP, float]] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind.EMAIL

    async def send(self, message: OutgoingMessage) -> Reply:
        """Accepted with the server's own reply, which mostly names its queue id."""
        try:
            body = mail_bytes(message, sender=self._sender, now=self._clock.now())
        except ValueError as error:
            return Reject(f"no mail can be made of this: {error}")
        async with self._places:
            try:
                client = await self._opened(message.to)
            except (SMTPException, OSError) as error:
                return _not_sent(error)
            if isinstance(client, Retry | Reject):
                return client
            return await self._hand_over(client, body)

    async def close(self) -> None:
        while self._idle:
            client, _ = self._idle.pop()
            with suppress(SMTPException, OSError):
                await client.quit()
            client.close()

    async def _opened(self, to: str) -> SMTP | Retry | Reject:
        """A connection on which the server has taken sender and receiver, or its refusal of them."""
        while True:
            client, kept = await self._connection()
            try:
                refusal = await self._envelope(client, to)
            except (SMTPServerDisconnected, SMTPTimeoutError, OSError):
                client.close()
                if kept:
                    continue
                raise
            except BaseException:
                client.close()
                raise
            if refusal is None:
                return client
            await self._give_back(client)
            return refusal

    async def _envelope(self, client: SMTP, to: str) -> Retry | Reject | None:
        try:
            await client.mail(self._envelope_sender)
        except SMTPResponseException as error:
            # The server refuses our sender, so the fault is not the receiver's.
            return _refusal(error, at_least=Answer.UNAVAILABLE)
        try:
            await client.rcpt(to)
        except SMTPResponseException as error:
            return _refusal(error)
        return None

    async def _hand_over(self, client: SMTP, body: bytes) -> Reply:
        try:
            response = await client.data(body)
        except (SMTPException, OSError) as error:
            if isinstance(error, SMTPResponseException) and is_smtp_refusal(error.code):
                await self._give_back(client)
                return _refusal(error)
            # The text may have been taken before the connection broke or nonsense came.
            client.close()
            return Retry(timedelta(), f"no answer to the mail's text: {type(error).__name__}", answer=Answer.UNKNOWN)
        except BaseException:
            client.close()
            raise
        self._idle.append((client, monotonic()))
        return Accepted(provider_id=clean(response.message, _MAX_ID) or None, code=str(response.code))

    async def _connection(self) -> tuple[SMTP, bool]:
        """The most recently used kept connection, else a new one. True: kept."""
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and monotonic() - since < _IDLE_S:
                return client, True
            client.close()
        client = SMTP(
            hostname=self._address.host,
            port=self._address.port,
            username=self._address.username,
            password=self._address.password,
            use_tls=self._address.tls is Tls.TLS,
            start_tls=self._address.tls is Tls.STARTTLS,
            timeout=self._timeout,
            tls_context=self._tls,
            # Named here, because finding it out asks the resolver on every connection.
            local_hostname=self._envelope_sender.rpartition("@")[2],
        )
        await client.connect()
        return client, False

    async def _give_back(self, client: SMTP) -> None:
        """After a refusal the transaction is reset, so that the next mail begins afresh."""
        try:
            await client.rset()
        except (SMTPException, OSError):
            client.close()
            return
        self._idle.append((client, monotonic()))


def _not_sent(error: Exception) -> Retry:
    """Before the text was handed over nothing can have been sent."""
    if isinstance(error, SMTPAuthenticationError):
        return Retry(timedelta(), "the server refuses our credentials", str(error.code), Answer.UNAVAILABLE)
    if isinstance(error, SMTPResponseException):
        return Retry(timedelta(), f"{error.code} {clean(error.message, _SHOWN)}", str(error.code), Answer.UNAVAILABLE)
    return Retry(timedelta(), f"cannot connect: {type(error).__name__}", answer=Answer.TRANSIENT)


def _refusal(error: SMTPResponseException, *, at_least: Answer | None = None) -> Retry | Reject:
    answer = smtp_answer(error.code)
    why = f"{error.code} {clean(error.message, _SHOWN)}"
    if at_least is not None and answer is Answer.PERMANENT:
        answer = at_least
    if answer is Answer.PERMANENT:
        return Reject(why, str(error.code))
    return Retry(timedelta(), why, str(error.code), answer)
