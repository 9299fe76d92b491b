"""Pure rooms decide from what they are given: no clock, no chance, no waiting."""

import ast
from collections.abc import Iterator

from tests.contract.house_rules.source import Finding, Source

DOMAIN = "services/*/domain"
PURE = (DOMAIN, "shared/contracts", "shared/plans", "shared/calendars")
_MODULES = frozenset({"time", "random", "secrets", "uuid_utils", "shared.runtime.clock", "shared.runtime.ids"})
_NAMES = frozenset({"uuid.uuid1", "uuid.uuid4", "os.urandom", "os.getrandom"})
_CALLS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "urandom"})


def no_clock_nor_chance(source: Source) -> Iterator[Finding]:
    """Time and identifiers are arguments of the pure rooms."""
    if not source.within(*PURE):
        return
    for line, name in source.imports():
        if name in _NAMES or name in _MODULES:
            yield source.finding(
                line, f"{name} makes this room depend on the moment it runs; take the value as argument"
            )
    for call, name in source.calls():
        if name in _CALLS and isinstance(call.func, ast.Attribute):
            yield source.finding(call.lineno, f".{name}() reads the machine; take the value as an argument")


def no_async_in_domain(source: Source) -> Iterator[Finding]:
    """Rules never wait, so they can be run in a drill, a test or a loop of a million."""
    if not source.within(DOMAIN):
        return
    for node in source.nodes:
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncWith | ast.AsyncFor | ast.Await):
            yield source.finding(node.lineno, "domain is synchronous; load before, save after")
