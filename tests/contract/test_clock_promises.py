"""The page of promises about clocks names all twenty, and every test it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", (ROOT / "docs" / "clocks.md").read_text("utf-8"), re.MULTILINE)


def test_all_twenty_promises_are_there_in_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 21))


def test_every_test_that_is_named_exists() -> None:
    for number, _, told in ROWS:
        folder = ROOT / "tests"
        named = re.findall(r"`([^`]+)`", told)
        assert named, number
        for name in named:
            # A name without its folder stands in that of the one before it.
            path = ROOT / "tests" / name if "/" in name else folder / name
            assert path.exists(), f"promise {number}: {name}"
            folder = path.parent
