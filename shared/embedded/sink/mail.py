"""The SMTP door: accepts mail for anybody, as the behaviours say, and keeps one message for each recipient."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from shared.embedded.sink.behaviour import Behaviour, Behaviours, Conduct
from shared.embedded.sink.store import MessageStore
from shared.runtime.ids import Ids

LARGEST_MAIL: Final = 5 * 1024 * 1024
_GREETING: Final = "fenghuo sink"


class MailDoor:
    """An aiosmtpd handler. Replies follow RFC 5321: 250 kept, 4xx try again, 5xx never."""

    def __init__(self, store: MessageStore, behaviours: Behaviours, ids: Ids) -> None:
        self._store = store
        self._behaviours = behaviours
        self._ids = ids

    def protocol(self) -> SMTP:
        """A connection's protocol, for `loop.create_server`."""
        return SMTP(self, hostname="localhost", ident=_GREETING, data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        rule = self._behaviours.decide("mail", address)
        if rule.do is Conduct.BUSY:
            return f"{rule.code or 451} mailbox of this recipient is busy, try again"
        if rule.do is Conduct.REFUSE:
            return f"{rule.code or 550} no such recipient"
        envelope.rcpt_tos.append(address)
        _rules_of(envelope)[address] = rule
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        rules = list(_rules_of(envelope).values())
        hang = max((rule.seconds for rule in rules if rule.do is Conduct.HANG), default=0.0)
        if hang:
            await asyncio.sleep(hang)
            if server.transport is not None:
                server.transport.close()
            return "421 giving up"
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        parsed = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        queued = self._ids.new()
        for recipient in envelope.rcpt_tos:
            await self._store.add(
                "mail",
                to=recipient,
                sender=envelope.mail_from or "",
                subject=_header(parsed, "subject"),
                text=_body(parsed, "plain") or "",
                html=_body(parsed, "html"),
                message_id=_header(parsed, "message-id") or f"<{queued}@localhost>",
            )
        await asyncio.sleep(max((rule.seconds for rule in rules if rule.do is Conduct.SLOW), default=0.0))
        return f"250 OK queued as {queued}"


def _rules_of(envelope: Envelope) -> dict[str, Behaviour]:
    """What was decided for the recipients so far; aiosmtpd makes a new envelope for each message."""
    rules: dict[str, Behaviour] = envelope.__dict__.setdefault("fenghuo_rules", {})
    return rules


def _header(mail: EmailMessage, name: str) -> str | None:
    """A decoded header, None when absent; one that breaks the parser comes as it stood."""
    try:
        value = mail[name]
    except (ValueError, IndexError, AttributeError):
        value = next((raw for key, raw in mail.raw_items() if key.lower() == name), None)
    return None if value is None else str(value)


def _body(mail: EmailMessage, subtype: str) -> str | None:
    """The text of the first part of this kind, undecodable bytes replaced; None when there is no such part."""
    part: Any = mail.get_body((subtype,))
    if part is None:
        return None
    payload = part.get_payload(decode=True) or b""
    try:
        return str(payload.decode(part.get_content_charset("utf-8"), errors="replace"))
    except LookupError:
        return str(payload.decode("utf-8", errors="replace"))
