"""The twenty promises about clocks as marks of the tests that show them: `pytest -m promise_4 tests`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
_ROW: Final = re.compile(r"^\| (\d+) \| (.+?) \| (`(?:[a-z0-9_/]+\.py)?::.+) \|$", re.MULTILINE)


def promised() -> Mapping[int, tuple[str, ...]]:
    """Ids of tests below `tests/` by the number of the promise, as docs/clocks.md names them."""
    found: dict[int, tuple[str, ...]] = {}
    for number, _, told in _ROW.findall((ROOT / "docs" / "clocks.md").read_text("utf-8")):
        named: list[str] = []
        for name in re.findall(r"`([^`]+)`", told):
            file, _, test = name.partition("::")
            named.append(f"{file or named[-1].partition('::')[0]}::{test}")
        found[int(number)] = tuple(named)
    return found


def pytest_configure(config: pytest.Config) -> None:
    for number in promised():
        config.addinivalue_line("markers", f"promise_{number}: shows promise {number} of docs/clocks.md")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    numbers: dict[str, list[int]] = {}
    for number, tests in promised().items():
        for test in tests:
            numbers.setdefault(f"tests/{test}", []).append(number)
    for item in items:
        for number in numbers.get(item.nodeid.partition("[")[0], ()):
            item.add_marker(f"promise_{number}")
