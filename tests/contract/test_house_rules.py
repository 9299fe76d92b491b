"""The rules of the house on every source file, and the proof that each rule can fail."""

from functools import lru_cache
from pathlib import Path

import pytest

from tests.contract.house_rules.catalogue import RULES
from tests.contract.house_rules.source import Source, check

ROOT = Path(__file__).parents[2]
CASES = [
    pytest.param(code, path, text, id=f"{code}-{number}")
    for code, entry in RULES.items()
    for number, (path, text) in enumerate(entry.refused)
]
FINE = [
    pytest.param(code, path, text, id=f"{code}-{number}")
    for code, entry in RULES.items()
    for number, (path, text) in enumerate(entry.accepted)
]


@lru_cache(maxsize=1)
def _sources() -> tuple[Source, ...]:
    paths = sorted(path for folder in ("services", "shared", "tests") for path in (ROOT / folder).rglob("*.py"))
    return tuple(Source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths)


@pytest.mark.parametrize("code", RULES)
def test_every_source_file_keeps_the_rule(code: str) -> None:
    found = [str(finding) for source in _sources() for finding in check(code, RULES[code].rule, source)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(("code", "path", "text"), CASES)
def test_a_breach_is_refused(code: str, path: str, text: str) -> None:
    assert check(code, RULES[code].rule, Source(path, text))


@pytest.mark.parametrize(("code", "path", "text"), FINE)
def test_what_only_looks_like_a_breach_is_accepted(code: str, path: str, text: str) -> None:
    assert not check(code, RULES[code].rule, Source(path, text))


def test_a_line_may_be_excused_by_code_only() -> None:
    text = "import time  # lint-skip: clock  # measured for the log only\n"
    source = Source("services/escalator/domain/clocks.py", text)
    assert not check("clock", RULES["clock"].rule, source)
    assert check("clock", RULES["clock"].rule, Source(source.path, text.replace("clock  #", "commit  #")))


def test_the_rules_see_the_whole_product() -> None:
    seen = {source.path for source in _sources()}
    assert {"shared/db/engine.py", "shared/contracts/envelope.py", "tests/contract/test_house_rules.py"} <= seen
