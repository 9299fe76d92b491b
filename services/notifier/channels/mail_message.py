"""A mail as bytes: plain text with an HTML alternative, headers that nothing from outside can break."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

from services.notifier.channels.channel import OutgoingMessage

_PRIORITY: Final = "1"
_PIECE: Final = 50
_ENCODED: Final = "=?"


def mail_bytes(message: OutgoingMessage, *, sender: str, now: datetime) -> bytes:
    """The mail in wire form (CRLF). Raises ValueError for an address or subject that would not be one header line."""
    name, address = parseaddr(sender)
    for part in (message.to, address, name, message.text.headline):
        if any(char in part for char in "\r\n\x00"):
            raise ValueError("a header field holds a line break")
    if not message.to.isascii() or _ENCODED in message.to:
        raise ValueError("the address is not ASCII")
    domain = address.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=name, addr_spec=address)
    mail["To"] = Address(addr_spec=message.to)
    # An encoded word (RFC 2047) in somebody's title would be decoded here, line breaks and all, and by every reader.
    mail["Subject"] = message.text.headline.replace(_ENCODED, "= ?")
    mail["Date"] = format_datetime(now)
    # The same for every repetition of this message, so that a mailbox shows it once.
    mail["Message-ID"] = f"<{message.token}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Priority"] = _PRIORITY
    mail["X-Fenghuo-Case"] = str(message.case_id)
    mail["X-Fenghuo-Attempt"] = str(message.attempt_id)
    # Comes back in a bounce; in pieces, because a header line has an end.
    token = message.receipt_url.rpartition("/")[2]
    mail["X-Fenghuo-Receipt"] = " ".join(token[at : at + _PIECE] for at in range(0, len(token), _PIECE))
    if message.drill:
        mail["X-Fenghuo-Drill"] = "true"
    mail.set_content(message.text.plain, cte="base64")
    mail.add_alternative(message.text.html, subtype="html", cte="base64")
    content = mail.as_bytes()
    head = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    if [line.partition(b":")[0].decode() for line in head if line[:1] not in {b" ", b"\t"}] != list(mail):
        raise ValueError("a header field would become another one")
    return content
