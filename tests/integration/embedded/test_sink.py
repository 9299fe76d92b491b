import json
import smtplib
import time
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from shared.embedded.errors import EmbeddedPartMissingError
from shared.embedded.sink import launch
from tests.support.sink import Callbacks, Sink


def mail(
    to: str, subject: str = "红色预警", text: str = "请确认 http://127.0.0.1:8080/a/b?c=1。", **more: str
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "duty@example.org", to, subject
    for name, value in more.items():
        made[name] = value
    made.set_content(text)
    return made


def post(sink: Sink, message: EmailMessage, *to: str) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=10) as client:
        return client.send_message(message, to_addrs=list(to) or None)


def sms(sink: Sink, to: str, more: Mapping[str, str] = MappingProxyType({}), timeout: float = 5) -> httpx.Response:
    account = {"username": sink.user, "password": sink.password, "from": "10690000", "to": to, "text": "hello"}
    return httpx.get(sink.send_url, params={**account, **more}, timeout=timeout, trust_env=False)


def test_a_mail_is_read_back_with_its_words_and_links(sink: Sink) -> None:
    message = mail("chief@example.org", **{"Message-ID": "<one@example.org>"})
    message.add_alternative('<p>确认 <a href="http://127.0.0.1:8080/a/b?c=1&amp;d=2">这里</a></p>', subtype="html")
    post(sink, message)
    (kept,) = sink.messages("chief@example.org")
    assert (kept["kind"], kept["from"], kept["subject"]) == ("mail", "duty@example.org", "红色预警")
    assert kept["text"].strip() == "请确认 http://127.0.0.1:8080/a/b?c=1。"
    assert kept["html"].startswith("<p>确认")
    assert kept["links"] == ["http://127.0.0.1:8080/a/b?c=1", "http://127.0.0.1:8080/a/b?c=1&d=2"]
    assert kept["message_id"] == "<one@example.org>"
    assert kept["received_at"].endswith("Z")


def test_each_recipient_of_a_mail_has_a_message(sink: Sink) -> None:
    post(sink, mail("a@example.org"), "a@example.org", "b@example.org")
    assert [message["to"] for message in sink.messages()] == ["a@example.org", "b@example.org"]


def test_mail_that_no_parser_likes_is_kept(sink: Sink) -> None:
    head = b"Subject: =?bogus?x?\xff?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\n"
    raw = head + "投诉".encode() + b" \xff\x00\r\n"
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=10) as client:
        client.sendmail("x@example.org", ["y@example.org"], raw)
        client.sendmail("x@example.org", ["y@example.org"], b"\r\n\r\n")
    first, second = sink.messages("y@example.org")
    assert first["text"].startswith("投诉")
    assert second["subject"] is None


def test_mail_recipients_are_refused_for_now_or_for_good_as_scripted(sink: Sink) -> None:
    sink.behave("full@example.org", "busy", kind="mail", code=452)
    sink.behave("gone@*", "refuse")
    refused = post(sink, mail("x@example.org"), "full@example.org", "gone@example.org", "fine@example.org")
    assert {to: answer[0] for to, answer in refused.items()} == {"full@example.org": 452, "gone@example.org": 550}
    assert [message["to"] for message in sink.messages()] == ["fine@example.org"]


def test_a_rule_with_times_wears_off(sink: Sink) -> None:
    sink.behave("twice@example.org", "busy", times=2)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            post(sink, mail("twice@example.org"))
    post(sink, mail("twice@example.org"))
    assert len(sink.messages()) == 1
    assert sink.client.get("/behaviour").json() == []


def test_slow_mail_is_kept_although_the_sender_has_given_up(sink: Sink) -> None:
    sink.behave("slow@example.org", "slow", seconds=30)
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=0.3) as client:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.send_message(mail("slow@example.org"))
        client.close()
    assert len(sink.messages("slow@example.org")) == 1


def test_hanging_mail_is_not_kept(sink: Sink) -> None:
    sink.behave("hang@example.org", "hang", seconds=0.1)
    with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPDataError)):
        post(sink, mail("hang@example.org"))
    assert sink.messages() == []


def test_an_sms_that_cannot_be_sent_is_refused_as_scripted_and_not_kept(sink: Sink) -> None:
    sink.behave("13800000001", "busy")
    sink.behave("13800000002", "busy", kind="sms", code=500)
    sink.behave("13800000003", "refuse")
    sink.behave("13800000004", "hang", seconds=0.05)
    answers = [sms(sink, f"1380000000{last}").status_code for last in "1234"]
    assert answers == [503, 500, 400, 503]
    assert sink.messages() == []


def test_a_slow_sms_is_kept_once_although_the_sender_has_given_up(sink: Sink, callbacks: Callbacks) -> None:
    sink.behave("13800000005", "slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        sms(sink, "13800000005", {"dlr-mask": "1", "dlr-url": f"{callbacks.url}/?type=%d"}, timeout=0.3)
    assert len(sink.messages("13800000005")) == 1
    assert callbacks.wait_for(lambda calls: len(calls) == 1) == [{"type": "1"}]


@pytest.mark.parametrize(
    ("conduct", "types"),
    [
        ("undelivered", ["8", "2"]),
        ("rejected", ["16"]),
        ("duplicate-receipts", ["8", "1", "8", "1"]),
        ("reversed-receipts", ["1", "8"]),
    ],
)
def test_receipts_come_as_scripted(sink: Sink, callbacks: Callbacks, conduct: str, types: list[str]) -> None:
    sink.behave("13800000006", conduct)
    sms(sink, "13800000006", {"dlr-mask": "31", "dlr-url": f"{callbacks.url}/?type=%d"})
    calls = callbacks.wait_for(lambda calls: len(calls) == len(types))
    assert [call["type"] for call in calls] == types
    deadline = time.monotonic() + 5
    while sink.messages()[0]["receipts"] != [int(kind) for kind in types]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_receipt_means_none(sink: Sink, callbacks: Callbacks) -> None:
    sink.behave("13800000007", "no-receipt")
    wish = {"dlr-mask": "31", "dlr-url": f"{callbacks.url}/?phone=%p"}
    sms(sink, "13800000007", wish)
    sms(sink, "13800000008", wish)
    calls = callbacks.wait_for(lambda calls: len(calls) == 2)
    assert {call["phone"] for call in calls} == {"13800000008"}


def test_a_queued_sms_is_said_to_be_queued_and_its_receipts_come_later(sink: Sink, callbacks: Callbacks) -> None:
    sink.behave("13800000009", "queued", seconds=0.2)
    begun = time.monotonic()
    answer = sms(sink, "13800000009", {"dlr-mask": "1", "dlr-url": f"{callbacks.url}/?type=%d"})
    assert answer.text == "3: Queued for later delivery"
    callbacks.wait_for(lambda calls: len(calls) == 1)
    assert time.monotonic() - begun > 0.2


def test_of_two_messages_one_has_its_receipts_reversed(sink: Sink, callbacks: Callbacks) -> None:
    for _ in range(2):
        sms(sink, "13800000010", {"dlr-mask": "31", "dlr-url": f"{callbacks.url}/?id=%F&type=%d"})
    calls = callbacks.wait_for(lambda calls: len(calls) == 4)
    orders = {
        tuple(call["type"] for call in calls if call["id"] == message["message_id"]) for message in sink.messages()
    }
    assert orders == {("8", "1"), ("1", "8")}


def test_messages_are_read_on_from_where_one_stopped(sink: Sink) -> None:
    for last in "12345":
        sms(sink, f"1380000001{last}")
    first = sink.client.get("/messages", params={"limit": 2}).json()
    rest = sink.messages(since=first[-1]["seq"])
    assert [message["to"][-1] for message in first + rest] == list("12345")
    assert [message["seq"] for message in rest] == [first[-1]["seq"] + 1, first[-1]["seq"] + 2, first[-1]["seq"] + 3]
    sink.client.delete("/messages")
    sms(sink, "13800000016")
    assert sink.messages()[0]["seq"] == rest[-1]["seq"] + 1


def test_a_reader_may_wait_for_the_next_message(sink: Sink) -> None:
    begun = time.monotonic()
    assert sink.client.get("/messages", params={"wait": 0.1}).json() == []
    assert time.monotonic() - begun >= 0.1
    sink.behave("13800000017", "slow", seconds=0.2)
    sms(sink, "13800000017")
    assert len(sink.client.get("/messages", params={"wait": 10}).json()) == 1


def told_of(answer: httpx.Response) -> set[str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("ask", "status", "fields"),
    [
        (lambda client: client.post("/behaviour", json={"to": "x", "do": "dance"}), 422, {"do"}),
        (lambda client: client.post("/behaviour", json={"do": "busy"}), 422, {"to"}),
        (lambda client: client.post("/behaviour", json={"to": "x", "do": "busy", "times": 0}), 422, {"times"}),
        (lambda client: client.post("/behaviour", json={"to": "x", "do": "busy", "whom": 1}), 422, {"whom"}),
        (lambda client: client.post("/behaviour", content=b"\xff\x00"), 422, {"body"}),
        (lambda client: client.post("/replies", json={"from": "abc", "to": "1", "text": "x"}), 422, {"from"}),
        (lambda client: client.get("/messages", params={"since": "x"}), 422, {"query.since"}),
        (lambda client: client.get("/messages", params={"limit": 0}), 422, {"query.limit"}),
    ],
)
def test_a_bad_request_is_answered_with_the_field(
    sink: Sink, ask: Callable[[httpx.Client], httpx.Response], status: int, fields: set[str]
) -> None:
    answer = ask(sink.client)
    assert answer.status_code == status
    assert told_of(answer) == fields


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "mail", "do": "undelivered"},
        {"do": "busy", "code": 503},
        {"kind": "sms", "do": "slow", "code": 503},
        {"kind": "mail", "do": "busy", "code": 550},
        {"kind": "mail", "do": "refuse", "code": 451},
        {"kind": "sms", "do": "refuse", "code": 200},
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(sink: Sink, rule: dict[str, object]) -> None:
    assert sink.client.post("/behaviour", json={"to": "*", **rule}).status_code == 422
    assert sink.client.get("/behaviour").json() == []


def test_replies_need_an_address_and_a_listener(sink: Sink) -> None:
    said = {"from": "13800000001", "to": "10690000", "text": "收到"}
    assert sink.client.post("/replies", json=said).status_code == 409
    deaf = Sink(reply_url="http://127.0.0.1:9/?a=%a")
    deaf.start()
    try:
        answer = deaf.client.post("/replies", json=said)
        assert (answer.status_code, answer.json()["detail"]) == (502, "ClientConnectorError")
    finally:
        deaf.stop()


def test_the_journal_holds_every_message_and_the_log_no_number(tmp_path: Path) -> None:
    journal, log = tmp_path / "messages.jsonl", tmp_path / "sink.log"
    for _ in range(2):
        made = Sink(journal=journal, log_file=log)
        made.start()
        try:
            sms(made, "13800000001", {"coding": "2", "charset": "UTF-8", "text": "投诉"})
            post(made, mail("chief@example.org"))
        finally:
            made.stop()
    kept = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [(line["kind"], line["to"]) for line in kept] == [("sms", "13800000001"), ("mail", "chief@example.org")] * 2
    assert kept[0]["text"] == "投诉"
    assert "13800000001" not in log.read_text(encoding="utf-8")
    assert "chief@example.org" not in log.read_text(encoding="utf-8")


def test_without_the_smtp_library_the_word_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedPartMissingError, match=r"pip install 'fenghuo\[embedded\]'"):
        launch.sink_child(1, 2)
