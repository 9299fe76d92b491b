from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.embedded.sink import store as module
from shared.embedded.sink.behaviour import Behaviour, Behaviours, Conduct
from shared.embedded.sink.gsm import shown_text
from shared.embedded.sink.receipts import filled
from shared.embedded.sink.store import MessageStore, links_in

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Noon:
    def now(self) -> datetime:
        return NOON


async def fill(store: MessageStore, *texts: str) -> None:
    for text in texts:
        await store.add("sms", to="13800000001", sender="1", text=text, message_id="x")


async def test_only_the_newest_messages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEWEST_KEPT", 3)
    store = MessageStore(Noon())
    await fill(store, "a", "b", "c", "d", "e")
    assert [(message.seq, message.text) for message in store.since()] == [(3, "c"), (4, "d"), (5, "e")]


async def test_large_messages_push_out_older_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_KEPT", 10_000)
    store = MessageStore(Noon())
    # 4 bytes for each of 1 000 characters and 1 000 for the rest: 5 000 each, two fit.
    await fill(store, "a" * 1000, "b" * 1000, "c" * 1000)
    assert [message.text[0] for message in store.since()] == ["b", "c"]


async def test_endless_text_is_cut() -> None:
    store = MessageStore(Noon())
    await fill(store, "x" * 1_000_000)
    assert len(store.since()[0].text) == 100_000


async def test_a_journal_that_cannot_be_written_keeps_the_message_from_counting(tmp_path: Path) -> None:
    store = MessageStore(Noon(), tmp_path / "journal")
    store.close()
    with pytest.raises(ValueError, match="closed file"):
        await fill(store, "a")
    assert store.since() == []


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("确认：http://a.example/x?y=1，谢谢", ["http://a.example/x?y=1"]),
        ("See https://a.example/x. And (https://b.example/y)!", ["https://a.example/x", "https://b.example/y"]),
        ("twice http://a.example http://a.example", ["http://a.example"]),
        ('<a href="http://a.example/?a=1&amp;b=2">', ["http://a.example/?a=1&b=2"]),
        ("ftp://a.example javascript:alert(1) http://", []),
    ],
)
def test_links_are_found_without_the_sentence_around_them(text: str, links: list[str]) -> None:
    assert links_in(text) == links


def test_the_newest_rule_that_fits_decides() -> None:
    rules = Behaviours()
    rules.add(Behaviour(to="*", do=Conduct.BUSY))
    rules.add(Behaviour(to="138*", do=Conduct.NO_RECEIPT, kind="sms"))
    assert rules.decide("sms", "13800000001").do is Conduct.NO_RECEIPT
    assert rules.decide("sms", "13900000001").do is Conduct.BUSY
    # A rule about receipts says nothing about mail, not even one for everybody.
    rules.add(Behaviour(to="*", do=Conduct.UNDELIVERED))
    assert rules.decide("mail", "chief@example.org").do is Conduct.BUSY
    rules.clear()
    assert rules.decide("mail", "chief@example.org").do is Conduct.DELIVER


def test_a_rule_with_times_is_used_up_by_the_messages_it_decides() -> None:
    rules = Behaviours()
    rules.add(Behaviour(to="13800000001", do=Conduct.REFUSE, times=2))
    assert rules.decide("sms", "13800000002").do is Conduct.DELIVER
    assert [rules.decide("sms", "13800000001").do for _ in range(3)] == [
        Conduct.REFUSE,
        Conduct.REFUSE,
        Conduct.DELIVER,
    ]


@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("http://x/?d=%d&a=%A", "http://x/?d=1&a=ACK%2F+%E6%94%B6%26"),
        ("http://x/?p=%%d&q=%d%%", "http://x/?p=%d&q=1%"),
        ("http://x/?x=%x&end=%", "http://x/?x=%x&end=%"),
        ("http://x/%2F%d", "http://x/%2F1"),
    ],
)
def test_escapes_are_filled_in_encoded_and_unknown_ones_stay(template: str, address: str) -> None:
    assert filled(template, {"d": "1", "A": "ACK/ 收&"}) == address


@pytest.mark.parametrize(
    ("raw", "coding", "charset", "shown"),
    [
        (b"Hello {world} \xe2\x82\xac", 0, None, "Hello {world} €"),
        ("投诉 `".encode(), 0, "UTF-8", "?? ?"),
        ("投诉".encode(), 2, "UTF-8", "投诉"),
        ("投诉".encode("gb18030"), 2, "gb18030", "投诉"),
        ("投诉".encode("utf-16-be"), 2, None, "投诉"),
    ],
)
def test_a_phone_shows_what_its_alphabet_has(raw: bytes, coding: int, charset: str | None, shown: str) -> None:
    assert shown_text(raw, coding, charset) == shown


def test_bytes_that_are_not_in_the_charset_are_an_error() -> None:
    with pytest.raises(ValueError, match="decode"):
        shown_text(b"\xff\xfe\xfd", 2, "UTF-8")
    with pytest.raises(LookupError):
        shown_text(b"a", 2, "no-such-charset")
