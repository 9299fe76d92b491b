"""Replies, receipts, numbers, people's hashes, sealed bytes and the fold of registration."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.intake.domain.bodies import Complainant, Route
from services.intake.domain.identity import complainant_ref, normalised_phone
from services.intake.domain.numbers import find_number, month_of, number_text
from services.intake.domain.receipts import channel_of, read_fields, read_kannel
from services.intake.domain.registration import Contradicted, Entry, KnownCase, Repeated, decide
from services.intake.domain.replies import MOST_NUMBERS, Replies, Reply, UnclearReply, Wish, read_reply
from services.intake.domain.reports import Report, prepare
from services.intake.domain.routing import Routing
from services.intake.store.vault import UnreadableSealError, Vault, seal, unseal
from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import ChannelKind

_KEY = b"key"


@pytest.mark.parametrize(
    "text",
    [
        "1 2026-11-000123",
        "确认 2026-11-000123",
        "确认2026-11-000123",
        "１　２０２６－１１－０００１２３",
        "ACK 202611000123",
        "收到，2026-11-000123",
    ],
)
def test_reply_acknowledges_the_case_it_names(text: str) -> None:
    found = read_reply(text)
    assert isinstance(found, Replies)
    assert [(one.wish, one.number) for one in found.asked] == [(Wish.ACKNOWLEDGE, "2026-11-000123")]


@pytest.mark.parametrize(
    ("text", "wish", "number", "rest"),
    [
        ("全部签收", Wish.ACKNOWLEDGE_ALL, None, ""),
        (" ack all.", Wish.ACKNOWLEDGE_ALL, None, ""),
        ("1a", Wish.ACKNOWLEDGE_ALL, None, ""),
        ("签收 2026-11-000123", Wish.ACKNOWLEDGE, "2026-11-000123", ""),
        ("已解决 2026-11-000123", Wish.RESOLVE, "2026-11-000123", ""),
        ("Resolved 2026-11-000123 router replaced", Wish.RESOLVE, "2026-11-000123", "router replaced"),
        ("无法处理 2026-11-000123 不在本地", Wish.CANNOT_HANDLE, "2026-11-000123", "不在本地"),
        ("cannot handle 2026-11-000123", Wish.CANNOT_HANDLE, "2026-11-000123", ""),
        ("can’t handle 2026-11-000123", Wish.CANNOT_HANDLE, "2026-11-000123", ""),
        ("解决不了 2026-11-000123", Wish.CANNOT_HANDLE, "2026-11-000123", ""),
        ("收到但无法处理 2026-11-000123", Wish.CANNOT_HANDLE, "2026-11-000123", ""),
        ("無法處理 2026-11-000123 無權限", Wish.CANNOT_HANDLE, "2026-11-000123", "無權限"),
        ("已解決 2026-11-000123", Wish.RESOLVE, "2026-11-000123", ""),
        ("簽收 2026-11-000123", Wish.ACKNOWLEDGE, "2026-11-000123", ""),
        ("全部簽收", Wish.ACKNOWLEDGE_ALL, None, ""),
        # a group warning has a number of its own
        ("1 2026-11-W00012", Wish.ACKNOWLEDGE, "2026-11-W00012", ""),
        ("签收 ２０２６１１ｗ００００１２", Wish.ACKNOWLEDGE, "2026-11-W000012", ""),
        # what phones put around a number that was copied
        ("\u200b签收 \u202d2026-11-000123\u202c", Wish.ACKNOWLEDGE, "2026-11-000123", ""),
        ("停", Wish.STOP, None, ""),
        ("STOP", Wish.STOP, None, ""),
        ("验证 123456", Wish.VERIFY, None, "123456"),
        ("验证码：０１２３４５", Wish.VERIFY, None, "012345"),
        ("Verify 123456.", Wish.VERIFY, None, "123456"),
    ],
)
def test_replies_have_codes_in_both_languages(text: str, wish: Wish, number: str | None, rest: str) -> None:
    assert read_reply(text) == Replies((Reply(wish, number, rest),))


A, B, C = "2026-11-000123", "2026-11-000124", "2026-11-W00012"


@pytest.mark.parametrize(
    ("text", "asked", "mentioned"),
    [
        (f"签收 {A}、{B}", [("acknowledge", A, ""), ("acknowledge", B, "")], ()),
        (f"1 {A} {B} {C}", [("acknowledge", A, ""), ("acknowledge", B, ""), ("acknowledge", C, "")], ()),
        (f"收到{A}和{B}，马上到", [("acknowledge", A, "马上到"), ("acknowledge", B, "马上到")], ()),
        (f"ack {A} and {B}, {A}", [("acknowledge", A, A), ("acknowledge", B, A)], ()),
        (f"1 {A} 4 {B}", [("acknowledge", A, ""), ("cannot-handle", B, "")], ()),
        (f"收到 {A}，無法處理 {B} 不在本地", [("acknowledge", A, ""), ("cannot-handle", B, "不在本地")], ()),
        (f"签收 {A} 马上到，已解决 {B}", [("acknowledge", A, "马上到"), ("resolve", B, "")], ()),
        (f"已解决 {A}，签收 {B}、{C}", [("resolve", A, ""), ("acknowledge", B, ""), ("acknowledge", C, "")], ()),
        # what is only spoken of is left alone, and so is what is listed with it
        (f"收到 {A} 疑似重复 {B}", [("acknowledge", A, f"疑似重复 {B}")], (B,)),
        (f"签收 {A}，与 {B} 无关", [("acknowledge", A, f"与 {B} 无关")], (B,)),
        (f"收到 {A} 和 {B} 是同一件事", [("acknowledge", A, f"和 {B} 是同一件事")], (B,)),
        (f"签收 {A}，不是 {B}、{C}", [("acknowledge", A, f"不是 {B} 、 {C}")], (B, C)),
        (f"已解决 {A}，尚未解决 {B}", [("resolve", A, f"尚未解决 {B}")], (B,)),
        (f"签收 {A}，解决了吗 {B}", [("acknowledge", A, f"解决了吗 {B}")], (B,)),
        (f"签收 {A} 停 {B}", [("acknowledge", A, f"停 {B}")], (B,)),
    ],
)
def test_one_reply_answers_for_every_case_it_names(
    text: str, asked: list[tuple[str, str, str]], mentioned: tuple[str, ...]
) -> None:
    found = read_reply(text)
    assert isinstance(found, Replies)
    assert [(one.wish.value, one.number, one.rest) for one in found.asked] == asked
    assert found.mentioned == mentioned


def test_one_reply_answers_for_so_many_cases_and_says_which_it_left_out() -> None:
    numbers = [f"2026-11-{count:06d}" for count in range(MOST_NUMBERS + 3)]
    found = read_reply("签收 " + " ".join(numbers))
    assert isinstance(found, Replies)
    assert [one.number for one in found.asked] == numbers[:MOST_NUMBERS]
    assert list(found.mentioned) == numbers[MOST_NUMBERS:]


@pytest.mark.parametrize(
    "text",
    [
        "停电了",
        "停机保号怎么办",
        "全部签收了吗？",
        "allow",
        "解决不了",
        "签收不了 ",
        "已解决了吗 2026-11-000123？",
        "已解决不了 2026-11-000123",
        "收到了么 2026-11-000123",
        "done? 2026-11-000123",
        "已解决 2026-11-000123 了吗？",
        "签收 2026-11-000123 没有?",
        "resolved 2026-11-000123 ??",
        "1? 2026-11-000123",
        # numbers of tests and of checks look alike and are none of a case
        "1 T-2026-11-000123",
        "签收 v-2026-11-000123",
        "ack 演练D-2026-11-000123",
        "stopped working",
        "验证 12345",
        "验证码 123456 是什么",
    ],
)
def test_a_complaint_that_begins_like_a_code_is_none(text: str) -> None:
    assert isinstance(read_reply(text), UnclearReply)


@pytest.mark.parametrize(
    "text", ["", "1", "nop", "2026-11-000123", "不确认 2026-11-000123", "11 2026-11-000123", "okay"]
)
def test_anything_less_acknowledges_nothing(text: str) -> None:
    assert isinstance(read_reply(text), UnclearReply)


def test_numbers() -> None:
    late = datetime(2026, 10, 31, 16, 30, tzinfo=UTC)
    assert month_of(late, ZoneInfo("Asia/Shanghai")) == "2026-11"
    assert month_of(late, ZoneInfo("UTC")) == "2026-10"
    assert number_text("2026-11", 123) == "2026-11-000123"
    assert number_text("2026-11", 1_234_567) == "2026-11-1234567"
    assert find_number("案件 2026-11-1234567 。") == "2026-11-1234567"
    assert find_number("2026-13-000123") is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("1", ReceiptStatus.DELIVERED),
        ("2", ReceiptStatus.UNDELIVERED),
        ("4", ReceiptStatus.BUFFERED),
        ("8", ReceiptStatus.ACCEPTED),
        ("16", ReceiptStatus.REJECTED),
        ("9", ReceiptStatus.DELIVERED),
        ("0", ReceiptStatus.UNKNOWN),
        ("-1", ReceiptStatus.UNKNOWN),
        ("x", ReceiptStatus.UNKNOWN),
        ("¹", ReceiptStatus.UNKNOWN),
    ],
)
def test_kannel_types(kind: str, status: ReceiptStatus) -> None:
    assert read_kannel({"type": kind}).status is status


def test_receipts_in_other_words() -> None:
    assert read_fields({"MessageStatus": "delivered", "MessageSid": "SM1"}).provider_message_id == "SM1"
    assert read_fields({"status": "No_Answer"}).status is ReceiptStatus.UNDELIVERED
    unknown = read_fields({"status": "teleported"})
    assert (unknown.status, unknown.detail) == (ReceiptStatus.UNKNOWN, "status 'teleported' is not known")
    assert read_fields({}).status is ReceiptStatus.UNKNOWN
    assert channel_of("kannel", None) is ChannelKind.SMS
    assert channel_of("voice:acme", None) is ChannelKind.VOICE
    assert channel_of("acme", "email") is ChannelKind.EMAIL


def test_phones_in_every_spelling_are_one() -> None:
    spellings = ("13800001234", "+86 138-0000-1234", "0086 13800001234", "86-13800001234", "１３８００００１２３４")
    assert {normalised_phone(phone) for phone in spellings} == {"13800001234"}
    assert normalised_phone("010-1234 5678") == normalised_phone("(010)12345678")
    assert normalised_phone("n/a") == ""


def test_ref_says_nothing_without_the_key_and_is_absent_without_particulars() -> None:
    person = Complainant(phone="13800001234")
    assert complainant_ref("a", person, b"k1") != complainant_ref("a", person, b"k2")
    assert complainant_ref("a", person, b"k1") != complainant_ref("b", person, b"k1")
    assert complainant_ref("a", Complainant(name="甲方"), b"k1") is None
    assert complainant_ref("a", Complainant(phone="n/a", customer_number=" C1 "), b"k1") == complainant_ref(
        "a", Complainant(customer_number="c1"), b"k1"
    )


def test_sealed_bytes_open_only_in_their_place_with_their_key() -> None:
    vault = Vault(b"a secret of at least thirty-two bytes")
    key = vault.new_key()
    sealed = seal(key, b"personal", "events:1:original")
    assert b"personal" not in sealed
    assert unseal(key, sealed, "events:1:original") == b"personal"
    person = UUID(int=1)
    assert vault.unwrap(vault.wrap(key, person), person) == key
    for broken in (sealed[:-1], sealed[:5], b"", b"\x02" + sealed[1:]):
        with pytest.raises(UnreadableSealError):
            unseal(key, broken, "events:1:original")
    with pytest.raises(UnreadableSealError):
        unseal(key, sealed, "events:2:original")
    with pytest.raises(UnreadableSealError):
        vault.unwrap(vault.wrap(key, person), UUID(int=2))
    with pytest.raises(UnreadableSealError):
        Vault(b"another secret of thirty-two bytes!").unwrap(vault.wrap(key, person), person)
    with pytest.raises(ValueError, match="at least 32"):
        Vault(b"short")


def _report(reference: str = "R", *, repeatable: bool = False, route: Route = Route.INCIDENT, **body: object) -> Report:
    parsed = {"source": "s", "reference": reference, **body}
    return prepare(route, parsed, org="o", key=_KEY, repeatable=repeatable)


def _ids(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(1, count + 1)]


def _anything_fits(_report: Report, _before: Routing) -> dict[str, str]:
    return {}


def test_what_is_not_given_again_still_decides_the_plans_of_a_case() -> None:
    seen: list[Routing] = []

    def note(_: Report, before: Routing) -> dict[str, str]:
        seen.append(before)
        return {}

    reports = [_report(id="1", category="a", plans=["p"]), _report(id="2", topic="t", plans=["q"]), _report(id="3")]
    decide(reports, _ids(3), {}, {}, note)
    assert seen == [Routing(), Routing(category="a", plans=("p",)), Routing("t", "a", plans=("p", "q"))]


def test_a_group_gives_the_result_of_its_reports_one_by_one() -> None:
    reports = [_report(id="1"), _report("Q", id="2"), _report(id="1"), _report(id="3"), _report(id="1", title="x")]
    decisions, changed = decide(reports, _ids(5), {}, {}, _anything_fits)
    assert [type(decision) for decision in decisions] == [Entry, Entry, Repeated, Entry, Contradicted]
    assert [decision.sequence for decision in decisions if isinstance(decision, Entry)] == [1, 1, 2]
    assert changed["o", "s", "R"].last_sequence == 2
    assert changed["o", "s", "R"].case_id == UUID(int=1)


def test_repeatable_reports_are_new_again_after_a_change() -> None:
    firing, resolved = _report(repeatable=True), _report(repeatable=True, status="resolved")
    decisions, _ = decide([firing, firing, resolved, firing], _ids(4), {}, {}, _anything_fits)
    assert [type(decision) for decision in decisions] == [Entry, Repeated, Entry, Entry]
    ids = {decision.event_id for decision in decisions if isinstance(decision, Entry)}
    assert len(ids) == 3


def test_a_reference_of_the_other_kind_is_contradicted() -> None:
    complaint = _report(route=Route.COMPLAINT)
    known = KnownCase(UUID(int=9), _report().kind, "2026-11-000001", 1, "e", b"h")
    [decision], changed = decide([complaint], _ids(1), {complaint.case_key: known}, {}, _anything_fits)
    assert isinstance(decision, Contradicted)
    assert changed == {}
