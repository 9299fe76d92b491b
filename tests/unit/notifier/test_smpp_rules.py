"""SMPP's units, texts and receipts without a network; another implementation is the judge of the bytes."""

from typing import Any

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.delivery import Answer
from services.notifier.domain.provider_codes import smpp_answer
from services.notifier.domain.smpp_pdu import (
    SUBMIT_SM,
    Address,
    Delivery,
    Pdu,
    SmppFormatError,
    Submission,
    bind_body,
    read_delivery,
    read_header,
    submit_body,
)
from services.notifier.domain.smpp_receipt import ReceiptIds, SmppReceipt, read_receipt, submitted_ids
from services.notifier.domain.smpp_text import GSM, UCS2, LongTexts, decoded, parts_of
from shared.plans.sms_segments import segments

GSM_TEXT = "@£$¥èéùìòÇ Øø ÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ ¤ ¡ÄÖÑÜ§¿äöñüà ^{}\\[~]|€"


@given(st.text(max_size=900), st.sampled_from(LongTexts))
def test_a_text_is_whole_after_its_parts_are_put_together(text: str, long_texts: LongTexts) -> None:
    parts = parts_of(text, reference=300, long_texts=long_texts)
    joined = b"".join(part.content[6:] if part.esm_class else part.content for part in parts)
    assert decoded(joined, parts[0].coding) == text.encode("utf-16-be", "replace").decode("utf-16-be")
    if long_texts is not LongTexts.PAYLOAD:
        assert len(parts) == max(1, segments(text))
        assert all(len(part.content) <= 160 for part in parts)


def test_the_whole_default_alphabet_travels_both_ways() -> None:
    [part] = parts_of(GSM_TEXT, reference=1, long_texts=LongTexts.UDH)
    assert part.coding == GSM
    assert decoded(part.content, GSM) == GSM_TEXT


def test_pairs_are_never_split() -> None:
    surrogates = parts_of("🔥" * 60, reference=1, long_texts=LongTexts.UDH)
    escapes = parts_of("€" * 150, reference=1, long_texts=LongTexts.UDH)
    assert all(decoded(part.content[6:], UCS2).replace("🔥", "") == "" for part in surrogates)
    assert all(decoded(part.content[6:], GSM).replace("€", "") == "" for part in escapes)


def test_too_long_is_refused_instead_of_cut() -> None:
    with pytest.raises(ValueError, match="255"):
        parts_of("文" * 67 * 256, reference=1, long_texts=LongTexts.UDH)
    with pytest.raises(ValueError, match="payload"):
        parts_of("文" * 40_000, reference=1, long_texts=LongTexts.PAYLOAD)


@given(
    st.binary(max_size=254),
    st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=20),
    st.dictionaries(st.integers(1, 0xFFFF), st.binary(max_size=40), max_size=3),
)
def test_another_implementation_reads_what_we_write(content: bytes, number: str, tlvs: dict[int, bytes]) -> None:
    one = Submission(Address("10690000", 0, 1), Address(number, 1, 1), content, 8, 0x40, 2, tlvs=tlvs)
    read: Any = smpp34.decode(Pdu(SUBMIT_SM, 7, body=submit_body(one)).encoded())
    assert (read.source_addr, read.destination_addr, read.short_message) == ("10690000", number, content)
    assert (read.data_coding, read.esm_class, read.registered_delivery, read.dest_addr_ton) == (8, 0x40, 2, 1)
    assert {tlv.tag: tlv.value for tlv in read.tlvs} == tlvs


@given(st.binary(max_size=200))
def test_any_bytes_are_a_delivery_or_refused(body: bytes) -> None:
    try:
        delivery = read_delivery(body)
    except SmppFormatError:
        return
    read_receipt(delivery)
    assert decoded(delivery.content, delivery.coding) is not None


@pytest.mark.parametrize("length", [0, 15, 65_537, 0xFFFFFFFF])
def test_a_length_no_peer_should_send_is_refused(length: int) -> None:
    with pytest.raises(SmppFormatError):
        read_header(length.to_bytes(4) + bytes(12))


@pytest.mark.parametrize("password", ["nine-long", "pass\x00", "密码"])
def test_a_password_that_does_not_fit_is_refused_by_its_name(password: str) -> None:
    with pytest.raises(SmppFormatError, match="password") as raised:
        bind_body(system_id="fenghuo", password=password, system_type="", version=0x34)
    assert password not in str(raised.value)


def _said(text: bytes, tlvs: dict[int, bytes] | None = None) -> SmppReceipt | None:
    return read_receipt(Delivery("1", "2", 0, is_receipt=True, content=text, tlvs=tlvs or {}))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"id:a1 sub:001 dlvrd:001 submit date:2 done date:2 stat:DELIVRD err:000 text:hi", "delivered"),
        (b"id:a1 stat:UNDELIV err:000", "undelivered"),
        (b"id:a1 stat:ENROUTE err:000", "buffered"),
        (b"ID: a1 STAT: REJECTD ERR: 000", "rejected"),
        (b"id:a1 stat:EXPIRED err:000 Text: stat:DELIVRD", "expired"),
        (b"id:a1 stat:NEWWORD err:000", "unknown"),
        (b"id:a1 err:000", "unknown"),
    ],
)
def test_a_receipt_in_words(text: bytes, status: str) -> None:
    assert _said(text) == SmppReceipt("a1", status, "000")


def test_parameters_count_more_than_words() -> None:
    tlvs = {0x001E: b"b2\x00", 0x0427: b"\x05", 0x0423: b"\x03\x01\x02"}
    assert _said(b"id:a1 stat:DELIVRD err:000", tlvs) == SmppReceipt("b2", "undelivered", "258")
    assert _said(b"hello") is None
    assert _said(b"id:" + b"x" * 500) is None


def test_ids_are_matched_only_as_the_centre_is_known_to_write_them() -> None:
    assert submitted_ids("255", ReceiptIds.SAME) == ("255",)
    assert submitted_ids("255", ReceiptIds.DECIMAL) == ("ff", "FF", "000000ff", "000000FF")
    assert submitted_ids("ff", ReceiptIds.HEX) == ("255",)
    assert submitted_ids("not-a-number", ReceiptIds.HEX) == ("not-a-number",)


def test_statuses_that_nobody_listed_leave_the_person_alone() -> None:
    assert smpp_answer(0x400) is Answer.UNAVAILABLE
    assert smpp_answer(0x0B) is Answer.PERMANENT
