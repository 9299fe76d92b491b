"""One suite over the sink's SMS door and over Kannel itself: what holds for the one must hold for the other."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import ClassVar, Protocol
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from services.intake.api.receipts import IN_UCS2
from tests.support.http_stub import QuietHandler, answering
from tests.support.kannel import KannelGateway
from tests.support.sink import Callbacks, Sink

RECEIPT = "/receipt?type=%d&answer=%A&id=%F&phone=%p&number=%P&percent=%%&unknown=%x"


class Gateway(Protocol):
    send_url: str
    user: str
    password: str


class GatewaySuite:
    """Written against the protocol only; subclasses say how to start a gateway and see what it delivered."""

    gateway: Gateway
    shown: Callable[[str], list[str]]
    """Texts that one phone got."""

    def send(self, **fields: str) -> httpx.Response:
        account = {"username": self.gateway.user, "password": self.gateway.password, "from": "10690000"}
        return httpx.get(self.gateway.send_url, params=account | fields, timeout=10, trust_env=False)

    def wait_shown(self, phone: str, callbacks: Callbacks, count: int = 1) -> list[str]:
        callbacks.wait_for(lambda _: len(self.shown(phone)) >= count)
        return self.shown(phone)

    def test_a_message_is_accepted_and_both_receipts_come_in_any_order(self, callbacks: Callbacks) -> None:
        answer = self.send(to="13800000101", text="hello", **{"dlr-mask": "31", "dlr-url": callbacks.url + RECEIPT})
        assert (answer.status_code, answer.text) == (202, "0: Accepted for delivery")
        calls = callbacks.wait_for(lambda calls: len(calls) >= 2)
        assert Counter(call["type"] for call in calls) == {"8": 1, "1": 1}
        for call in calls:
            # A receipt travels from the phone, so the phone is its sender.
            assert (call["phone"], call["number"]) == ("13800000101", "10690000")
            assert (call["percent"], call["unknown"]) == ("%", "%x")
        assert {call["type"]: call["answer"] for call in calls} == {"8": "ACK/", "1": ""}
        assert next(call["id"] for call in calls if call["type"] == "1") != ""

    def test_only_the_receipts_of_the_mask_come(self, callbacks: Callbacks) -> None:
        self.send(to="13800000102", text="one", **{"dlr-mask": "1", "dlr-url": callbacks.url + RECEIPT})
        self.send(to="13800000103", text="all", **{"dlr-mask": "31", "dlr-url": callbacks.url + RECEIPT})
        calls = callbacks.wait_for(lambda calls: len(calls) >= 3)
        assert Counter((call["phone"], call["type"]) for call in calls) == {
            ("13800000102", "1"): 1,
            ("13800000103", "1"): 1,
            ("13800000103", "8"): 1,
        }

    def test_chinese_arrives_when_the_request_asks_for_it(self, callbacks: Callbacks) -> None:
        answer = self.send(to="13800000104", text="红色预警：网络投诉 12 件", coding="2", charset="UTF-8")
        assert answer.status_code == 202
        assert self.wait_shown("13800000104", callbacks) == ["红色预警：网络投诉 12 件"]

    def test_chinese_is_lost_when_the_request_does_not_ask_for_it(self, callbacks: Callbacks) -> None:
        self.send(to="13800000105", text="投诉 a")
        assert self.wait_shown("13800000105", callbacks) == ["?? a"]

    def test_two_bytes_a_sign_are_the_charset_of_ucs2_unless_another_is_named(self, callbacks: Callbacks) -> None:
        account = f"username={self.gateway.user}&password={self.gateway.password}&from=10690000"
        raw = quote("投诉".encode("utf-16-be"), safe="")
        answer = httpx.get(f"{self.gateway.send_url}?{account}&to=13800000106&coding=2&text={raw}", trust_env=False)
        assert answer.status_code == 202
        assert self.wait_shown("13800000106", callbacks) == ["投诉"]

    def test_several_recipients_get_one_message_each(self, callbacks: Callbacks) -> None:
        assert self.send(to="13800000107 +8613800000108", text="both").status_code == 202
        assert self.wait_shown("13800000107", callbacks) == ["both"]
        assert self.wait_shown("+8613800000108", callbacks) == ["both"]

    @pytest.mark.parametrize(
        ("fields", "status", "words"),
        [
            ({"to": "13800000109", "password": "wrong"}, 403, "Authorization failed for sendsms"),
            ({"to": "13800000109", "username": "nobody"}, 403, "Authorization failed for sendsms"),
            ({}, 400, "Missing receiver number, rejected"),
            ({"to": ""}, 400, "Empty receiver number not allowed, rejected"),
            ({"to": "13800000109", "from": ""}, 400, "Sender missing and no global set, rejected"),
            ({"to": "somebody"}, 400, "Number(s) has/have been denied by white- and/or black-lists."),
        ],
        ids=["password", "user", "no recipient", "empty recipient", "no sender", "not a number"],
    )
    def test_a_bad_request_is_refused(self, fields: dict[str, str], status: int, words: str) -> None:
        answer = self.send(text="never", **fields)
        assert (answer.status_code, answer.text) == (status, words)
        assert self.shown("13800000109") == []

    def test_a_post_carries_the_text_as_its_body_and_the_rest_in_headers(self, callbacks: Callbacks) -> None:
        headers = {
            "X-Kannel-Username": self.gateway.user,
            "X-Kannel-Password": self.gateway.password,
            "X-Kannel-From": "10690000",
            "X-Kannel-To": "13800000110",
            "X-Kannel-DLR-Mask": "1",
            "X-Kannel-DLR-Url": callbacks.url + RECEIPT,
            "Content-Type": "text/plain",
        }
        answer = httpx.post(self.gateway.send_url, headers=headers, content="from a body", trust_env=False)
        assert answer.status_code == 202
        assert self.wait_shown("13800000110", callbacks) == ["from a body"]
        assert callbacks.wait_for(lambda calls: len(calls) >= 1)[0]["type"] == "1"

    def test_a_form_is_refused(self) -> None:
        account = {"username": self.gateway.user, "password": self.gateway.password, "from": "1", "to": "13800000109"}
        answer = httpx.post(self.gateway.send_url, data=account | {"text": "never"}, trust_env=False)
        assert (answer.status_code, answer.text) == (400, "Invalid content-type")

    def test_a_receipt_that_nobody_takes_is_offered_again(self, callbacks: Callbacks) -> None:
        callbacks.status = 503
        self.send(to="13800000111", text="again", **{"dlr-mask": "1", "dlr-url": callbacks.url + RECEIPT})
        callbacks.wait_for(lambda calls: len(calls) >= 1)
        callbacks.status = 200
        calls = callbacks.wait_for(lambda calls: len(calls) >= 2)
        assert {call["type"] for call in calls} == {"1"}


class TestSink(GatewaySuite):
    @pytest.fixture(autouse=True)
    def _gateway(self, sink: Sink) -> None:
        self.gateway = sink
        self.shown = lambda phone: [message["text"] for message in sink.messages(phone)]


class TestKannel(GatewaySuite):
    @pytest.fixture(autouse=True)
    def _gateway(self, kannel: KannelGateway) -> None:
        self.gateway = kannel
        self.shown = lambda phone: [shown.text for shown in kannel.received() if shown.to == phone]


def test_kannel_keeps_what_is_sent_while_its_centre_is_away(kannel: KannelGateway, callbacks: Callbacks) -> None:
    kannel.disconnect_centre()
    account = {"username": kannel.user, "password": kannel.password, "from": "10690000"}
    fields = {"to": "13800000120", "text": "later", "dlr-mask": "31", "dlr-url": callbacks.url + RECEIPT}
    answer = httpx.get(kannel.send_url, params=account | fields, trust_env=False)
    assert (answer.status_code, answer.text) == (202, "3: Queued for later delivery")
    kannel.connect_centre()
    calls = callbacks.wait_for(lambda calls: len(calls) >= 2)
    assert {call["type"] for call in calls} == {"8", "1"}


def test_kannel_splits_a_long_text_into_linked_parts(kannel: KannelGateway, callbacks: Callbacks) -> None:
    text = "升级提醒" * 40
    account = {"username": kannel.user, "password": kannel.password, "from": "10690000"}
    fields = {"to": "13800000121", "text": text, "coding": "2", "charset": "UTF-8"}
    httpx.get(kannel.send_url, params=account | fields, trust_env=False).raise_for_status()
    callbacks.wait_for(lambda _: sum(shown.to == "13800000121" for shown in kannel.received()) == 3)
    parts = sorted((shown for shown in kannel.received() if shown.to == "13800000121"), key=lambda shown: shown.part)
    assert [(shown.part, shown.parts) for shown in parts] == [(1, 3), (2, 3), (3, 3)]
    # The fake centre shows a part with a header as bytes, whatever its coding.
    assert "".join(shown.text for shown in parts).encode("latin-1").decode("utf-16-be") == text


@pytest.fixture
def replying(
    callbacks: Callbacks, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str, str], object]]:
    """Something that makes a phone send an SMS through a gateway whose reply address is the callback server."""
    reply_url = f"{callbacks.url}/reply?from=%p&to=%P&text=%a&id=%I&charset=%C"
    if request.param == "kannel":
        request.getfixturevalue("kannel")
        gateway = KannelGateway(tmp_path_factory.mktemp("kannel"), reply_url)
        gateway.start()
        yield gateway.reply
        gateway.stop()
    else:
        sink = Sink(reply_url=reply_url)
        sink.start()
        yield lambda sender, to, text: sink.client.post("/replies", json={"from": sender, "to": to, "text": text})
        sink.stop()


@pytest.mark.parametrize("replying", ["sink", "kannel"], indirect=True)
def test_a_reply_from_a_phone_is_handed_to_the_reply_address(
    replying: Callable[[str, str, str], object], callbacks: Callbacks
) -> None:
    replying("13800000130", "10690000", "收到 4821")
    (call,) = callbacks.wait_for(lambda calls: len(calls) == 1)
    assert call.pop("id") != ""
    assert call == {"from": "13800000130", "to": "10690000", "text": "收到 4821", "charset": "UTF-8"}


class _Answers(QuietHandler):
    """Answers like intake: a known phone in Chinese, a stranger with nothing."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:  # noqa: N802  # the name the library calls
        [sender] = parse_qs(urlsplit(self.path).query)["from"]
        self.asked.append(sender)
        is_known = sender == "13800000131"
        said = "已确认 2026-11-000123 / acknowledged".encode() if is_known else b""
        self.send_response(200 if is_known else 202)
        named = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(said)), **IN_UCS2}
        for name, value in named.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)


def test_what_is_answered_to_a_reply_reaches_the_phone_in_chinese_and_a_stranger_gets_nothing(
    kannel: KannelGateway, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with answering(_Answers) as url:
        gateway = KannelGateway(tmp_path_factory.mktemp("kannel"), f"{url}/reply?from=%p&text=%a")
        gateway.start()
        try:
            # One after the other: the fake message centre takes one line at a time.
            for sender, answers in (("13800000131", 1), ("13800000132", 1), ("13800000131", 2)):
                gateway.reply(sender, "10690000", "签收 2026-11-000123")
                for _ in range(400):
                    if _Answers.asked[-1:] == [sender] and len(gateway.received()) == answers:
                        break
                    time.sleep(0.05)
            received = gateway.received()
        finally:
            gateway.stop()
    assert _Answers.asked == ["13800000131", "13800000132", "13800000131"]
    assert [(one.to, one.text) for one in received] == [("13800000131", "已确认 2026-11-000123 / acknowledged")] * 2
