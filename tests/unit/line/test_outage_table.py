"""What an outage's play shows in the end can be read in a terminal of 80 columns."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from services.line.outage import Played, show_outcome

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def intent(
    person: str, *providers: str, settlement: str | None = "delivered", noise: str | None = None
) -> dict[str, Any]:
    answers = ["refused"] * (len(providers) - 1) + ["accepted"]
    return {
        "person_label": person,
        "role": "business-liaison",
        "attempts": [
            {"provider": name, "outcome": {"answer": answer}} for name, answer in zip(providers, answers, strict=True)
        ],
        "noise": {"rule": noise} if noise else None,
        "settlement": settlement,
        "settled_at": "2026-11-22T01:02:03.400000+00:00" if settlement else None,
    }


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_line_fits_eighty_columns_and_no_word_is_broken(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8" if language == "zh" else "en_US.UTF-8")
    played = [
        Played("第一个网关拒绝，第二个网关挂起", "", "2026-11-000001", NOW, [
            intent("电信业务接口人甲", "dead-gateway", "hanging-gateway", "sms-http"),
            intent("值班经理甲", "sms-http", settlement=None),
        ]),
        Played("broker and notifier are killed", "", "2026-11-000002", NOW, [
            intent("Duty manager A", "voice-webhook", settlement="suppressed", noise="bundled"),
            intent("Duty manager B", "voice-webhook", settlement="no-such-word"),
        ]),
    ]  # fmt: skip
    out = StringIO()
    show_outcome(played, Console(file=out, width=80, highlight=False))
    lines = out.getvalue().splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    for whole in (
        "2026-11-000001",
        "电信业务接口人甲",
        "→ hanging-gateway ✗",
        "→ sms-http ✓",
        "123.4 s",
        "no-such-word"[:10],
    ):
        assert any(whole in line for line in lines), whole
