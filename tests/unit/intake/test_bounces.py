"""Returned mails: what they report, and that no bytes break the reader."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.bounces import Bounce, NoBounce, read_bounce
from shared.contracts.receipts import ReceiptStatus

TOKEN = "A" * 60 + "." + "b" * 60


def bounce(
    action: str = "failed", *, token: str | None = TOKEN, headers_only: bool = False, status: str = "5.1.1"
) -> bytes:
    """A notification as a mail server writes it, around a mail of ours."""
    original = EmailMessage()
    original["Subject"] = "【烽火】红色预警"
    if token is not None:
        original["X-Fenghuo-Receipt"] = f"{token[:50]} {token[50:100]} {token[100:]}"
    original.set_content("text")
    returned = original.as_bytes()
    kind = "text/rfc822-headers" if headers_only else "message/rfc822"
    parts = (
        b"Content-Type: text/plain\n\nYour mail could not be delivered.\n",
        b"Content-Type: message/delivery-status\n\n"
        b"Reporting-MTA: dns; mail.example.org\n\n"
        b"Final-Recipient: rfc822; manager-a@example.org\n"
        + f"Action: {action}\nStatus: {status}\nRemote-MTA: dns; mx.example.org\n".encode()
        + b"Diagnostic-Code: smtp; 550 5.1.1 no such\n user here\n\n",
        f"Content-Type: {kind}\n\n".encode() + (returned.partition(b"\n\n")[0] if headers_only else returned),
    )
    head = b'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\n'
    return head + b"".join(b"--B\n" + part + b"\n" for part in parts) + b"--B--\n"


@pytest.mark.parametrize("headers_only", [False, True])
@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("failed", ReceiptStatus.UNDELIVERED),
        ("Delayed", ReceiptStatus.BUFFERED),
        ("delivered", ReceiptStatus.DELIVERED),
        ("relayed", ReceiptStatus.ACCEPTED),
        ("surprised", ReceiptStatus.UNKNOWN),
    ],
)
def test_a_notification_names_our_mail_and_what_became_of_it(
    action: str, status: ReceiptStatus, *, headers_only: bool
) -> None:
    found = read_bounce(bounce(action, headers_only=headers_only))
    assert isinstance(found, Bounce)
    assert found.token == TOKEN
    assert (found.receipt.status, found.receipt.code) == (status, "5.1.1")
    assert "no such user here" in (found.receipt.detail or "")


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (b"Subject: I am on leave\r\n\r\nBack on Monday", "multipart/report"),
        (bounce(token=None), "receipt address"),
        (bounce().replace(b"Action:", b"Inaction:"), "delivery status"),
        (b"", "multipart/report"),
        (
            b"Content-Type: multipart/report; boundary=x\n\n"
            + b"--x\nContent-Type: multipart/mixed; boundary=x\n\n" * 3,
            "",
        ),
    ],
)
def test_other_mails_are_no_bounces_of_ours(mail: bytes, reason: str) -> None:
    found = read_bounce(mail)
    assert isinstance(found, NoBounce)
    assert reason in found.reason


def test_a_report_inside_the_returned_mail_is_not_believed() -> None:
    inner = bounce("delivered").replace(b"--B", b"--C").replace(b'"B"', b'"C"')
    outer = bounce("failed", token=None).replace(b"\ntext\n", b"\n" + inner)
    assert isinstance(read_bounce(outer), NoBounce)


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    assert read_bounce(content) is not None
    assert read_bounce(b"Content-Type: multipart/report; boundary=x\n\n--x\n" + content) is not None


@pytest.mark.parametrize("levels", [3_000])
def test_boxes_in_boxes_end_in_a_refusal(levels: int) -> None:
    nested = "".join(f"Content-Type: multipart/report; boundary=b{n}\n\n--b{n}\n" for n in range(levels))
    assert isinstance(read_bounce(nested.encode()), NoBounce)
