"""A roster that is written out reads back as the same roster, whatever people are called and why they change turns."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notifier.domain.roster_diff import differences, to_text
from services.notifier.domain.roster_file import WrittenFile
from services.notifier.domain.roster_text import MondayToFriday, read_roster

ROSTERS = sorted((Path(__file__).resolve().parents[3] / "deploy" / "rosters").glob("*.yaml"))
# What YAML takes for something else than a text when nobody puts it in quotes.
MISTAKABLE = st.sampled_from(
    [
        *("yes", "no", "on", "null", "~", "1", "0x10", "1e3", "2026-01-01", "09:00", "a: b", "# c", "'", '"', "- x"),
        *("{a}", "&a", "*a", "!t", "%x", "@x", "`", "|", "> x", "?a", "? a", "tab\there", "end ", " lead", "a\nb"),
        *("x\x85y", "\u2028x", "\ufeffx", "😀", "=", "<<", ".inf", "a,b", "a]", "[", "a #b", "a:", ":a", "---", "\\n"),
    ]
)
# Neither halves of pairs nor NUL are texts of a contract.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
words = st.text(letters, min_size=1, max_size=40).filter(lambda text: bool(text.strip())) | MISTAKABLE


def _roster(name: str, reason: str, organisation: str) -> dict[str, Any]:
    """One entry of every kind, with ids that look like numbers, dates and nothing at all."""
    label = {"zh": name, "en": reason}
    span = {"from": "2026-01-01", "to": "2026-01-02 09:00", "reason": reason}
    return {
        "organisation": organisation,
        "timezone": "Asia/Shanghai",
        "owner": "no",
        "page_unverified": False,
        "people": [
            {
                "id": "1",
                "name": label,
                "contacts": [{"channel": "sms", "to": "0138000", "verified": True}, {"channel": "im", "to": "1e5"}],
                "deputy": ["0x1"],
                "leave": [span | {"deputy": "0x1", "by": reason[:60]}],
                "language": "en",
            },
            {"id": "0x1", "name": {"zh": "室", "en": "room"}, "contacts": [], "room": True},
        ],
        "teams": [{"id": "1e3", "people": ["0x1", "1"]}],
        "rotations": [
            {"id": "007", "every": "week", "start": "2026-01-05", "handover": ["09:00"], "people": [["0x1", "1"], "1"]}
        ],
        "roles": [
            {
                "id": "no",
                "name": label,
                "duty": [{"rotation": "007"}],
                "hours": [{"on": "working", "from": "08:30", "to": "18:00"}],
                "off_hours": [{"team": "1e3"}],
                "when_nobody": [{"person": "0x1"}],
                "layers": [{"id": "null", "duty": [{"person": "1"}], "hours": [{"days": ["mon"]}]}],
                "handover_notice": "30m",
            }
        ],
        "overrides": [span | {"role": "no", "people": ["1"], "adds": True}],
        "swaps": [span | {"between": ["1", "0x1"], "back": {"from": "2026-01-05", "to": "2026-01-06"}}],
    }


@settings(max_examples=150, deadline=None)
@given(name=words, reason=words, organisation=words)
@example(name="?a", reason="?", organisation="x\x85")
def test_what_is_written_out_reads_back_as_the_same(name: str, reason: str, organisation: str) -> None:
    written = WrittenFile.model_validate(_roster(name, reason, organisation))
    text = to_text(written)
    again = read_roster(text, file="again.yaml")
    assert again == written
    assert differences(written, again) == ()
    assert to_text(again) == text


@pytest.mark.parametrize("file", ROSTERS, ids=lambda file: file.name)
def test_a_shipped_roster_reads_back_as_the_same(file: Path) -> None:
    calendars = {"china": MondayToFriday()}
    written = read_roster(file.read_text("utf-8"), file=file.name, calendars=calendars)
    assert read_roster(to_text(written), file=file.name, calendars=calendars) == written
