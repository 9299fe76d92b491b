"""Mail over TLS and STARTTLS to a real server whose certificate only our own authority vouches for."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from services.notifier.channels.channel import Accepted, Reply, Retry
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.domain.delivery import Answer
from shared.contracts.values import ChannelKind
from shared.embedded.processes import free_port
from shared.runtime.clock import SystemClock
from tests.support.certificates import Certificates, make_certificates
from tests.support.outgoing import outgoing


class Mailbox:
    """What the server took, and whether the connection was encrypted then."""

    def __init__(self) -> None:
        self.mails: list[tuple[bool, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd names it so
        self.mails.append(
            (session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None, envelope.content)
        )
        return "250 queued as 1"


def _authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"fenghuo", b"s/cret")
    return AuthResult(success=good, handled=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def _serving(certificates: Certificates, mode: str, box: Mailbox) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    how: dict[str, Any] = {"authenticator": _authenticator, "auth_required": mode != "tls"}
    if mode == "tls":
        how |= {"ssl_context": context, "auth_require_tls": False}
    elif mode == "starttls":
        how |= {"tls_context": context, "require_starttls": True}
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **how)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


async def _send(url: str) -> Reply:
    channel = SmtpChannel(
        url, sender="烽火 <fenghuo@example.org>", clock=SystemClock(), timeout=timedelta(seconds=2), connections=2
    )
    try:
        return await channel.send(outgoing(ChannelKind.EMAIL, to="manager-a@example.org"))
    finally:
        await channel.close()


@pytest.mark.parametrize("mode", ["tls", "starttls"])
async def test_a_mail_goes_encrypted_with_a_login_and_comes_back_with_its_receipt_address(
    certificates: Certificates, mode: str
) -> None:
    box = Mailbox()
    with _serving(certificates, mode, box) as port:
        reply = await _send(f"smtp://fenghuo:s%2Fcret@127.0.0.1:{port}?tls={mode}&ca={certificates.authority}")

    assert isinstance(reply, Accepted), reply
    [(encrypted, mail)] = box.mails
    assert encrypted
    assert "".join(message_from_bytes(mail)["X-Fenghuo-Receipt"].split()) == "a.b"


@pytest.mark.parametrize("mode", ["tls", "starttls"])
async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    certificates: Certificates, mode: str, tmp_path: Path
) -> None:
    other = make_certificates(tmp_path)
    box = Mailbox()
    with _serving(certificates, mode, box) as port:
        unknown = await _send(f"smtp://fenghuo:s%2Fcret@127.0.0.1:{port}?tls={mode}")
        wrong = await _send(f"smtp://fenghuo:s%2Fcret@127.0.0.1:{port}?tls={mode}&ca={other.authority}")

    assert isinstance(unknown, Retry)
    assert isinstance(wrong, Retry)
    assert box.mails == []


async def test_a_server_that_drops_starttls_from_its_greeting_gets_no_mail_in_the_clear(
    certificates: Certificates,
) -> None:
    box = Mailbox()
    with _serving(certificates, "none", box) as port:
        reply = await _send(f"smtp://fenghuo:s%2Fcret@127.0.0.1:{port}?tls=starttls&ca={certificates.authority}")

    assert isinstance(reply, Retry)
    assert box.mails == []


async def test_a_wrong_login_is_our_trouble_not_the_persons(certificates: Certificates) -> None:
    box = Mailbox()
    with _serving(certificates, "tls", box) as port:
        reply = await _send(f"smtp://fenghuo:wrong@127.0.0.1:{port}?tls=tls&ca={certificates.authority}")

    assert isinstance(reply, Retry)
    assert (reply.answer, box.mails) == (Answer.UNAVAILABLE, [])
