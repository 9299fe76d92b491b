"""Why a message did not go is readable in Chinese: whatever our own channels say has its words."""

import re
from pathlib import Path

import pytest

from services.notifier.domain.reasons import in_chinese

SERVICE = Path(__file__).resolve().parents[3] / "services" / "notifier"
_SAID = re.compile(r'\b(?:Retry|Bar|Outcome)\([^"\n]*, f?"([^"]+)"|\bReject\(f?"([^"]+)"')


@pytest.mark.parametrize(
    ("said", "zh"),
    [
        ("the call took too long", "调用超时"),
        ("cannot connect: ConnectionRefusedError", "连接不上：ConnectionRefusedError"),
        ("not called after 5 failures in a row", "连续失败 5 次，暂停调用"),
        ("sms: manager-a has no contact point", "短信：没有联系方式"),
        ("voice: no provider is configured", "电话：没有配置服务商"),
        ("HTTP 503 busy", "HTTP 503 busy"),
        ("余额不足", "余额不足"),
    ],
)
def test_our_phrases_are_translated_and_a_provider_s_words_are_kept(said: str, zh: str) -> None:
    assert in_chinese(said) == zh


def test_whatever_the_channels_say_has_chinese_words() -> None:
    said = {
        (one[0] or one[1], path.name)
        for path in SERVICE.rglob("*.py")
        for one in _SAID.findall(path.read_text("utf-8"))
    }
    ours = {(text, name) for text, name in said if not text.startswith(("{", "proved by")) and text != "barred"}
    assert len(ours) > 10
    silent = {
        (text, name)
        for text, name in ours
        if re.sub(r"\{[^}]*\}", "7", text) == in_chinese(re.sub(r"\{[^}]*\}", "7", text))
    }
    assert not silent
