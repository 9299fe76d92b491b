"""The page of promises about clocks names all twenty, and each is shown by tests that are there and run."""

import ast
from functools import lru_cache

import pytest

from tests.support.promises import ROOT, promised


@lru_cache
def _tests_of(file: str) -> dict[str, list[str]]:
    """Names of the tests of a file with what decorates them."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {one.name: [ast.unparse(decorator) for decorator in one.decorator_list] for one in functions}


def test_all_twenty_promises_are_there_in_order() -> None:
    assert list(promised()) == list(range(1, 21))


@pytest.mark.parametrize("number", range(1, 21))
def test_every_test_of_a_promise_exists_and_is_not_left_out(number: int) -> None:
    assert len(promised()[number]) >= 1
    for name in promised()[number]:
        file, _, test = name.partition("::")
        assert test.startswith("test_"), name
        assert test in _tests_of(file), f"promise {number}: {name}"
        assert not any("skip" in decorator or "xfail" in decorator for decorator in _tests_of(file)[test]), name


def test_the_tests_of_a_promise_are_marked_with_it(request: pytest.FixtureRequest) -> None:
    marked = {
        (item.nodeid.partition("[")[0], int(mark.name.removeprefix("promise_")))
        for item in request.session.items
        for mark in item.iter_markers()
        if mark.name.startswith("promise_")
    }
    collected = {item.nodeid.partition("[")[0] for item in request.session.items}
    wanted = {(f"tests/{one}", number) for number, tests in promised().items() for one in tests}
    assert marked == {pair for pair in wanted if pair[0] in collected}
