"""Things that are done in exactly one place."""

import ast
from collections.abc import Iterator

from tests.contract.house_rules.source import Finding, Source

PRODUCT = ("services", "shared")
_COMMITS = ("shared/db/engine.py", "shared/db/migrate.py", "services/*/migrations")
_PRODUCER = "shared/kafka/producer.py"
_PRINTS = ("services/*/cli", "services/command_line.py")


def one_place_commits(source: Source) -> Iterator[Finding]:
    """State and outbox are committed together by the block that opened the transaction, and nowhere else."""
    if not source.within(*PRODUCT) or source.within(*_COMMITS):
        return
    for call, name in source.calls():
        if name == "commit" and isinstance(call.func, ast.Attribute) and not _commits_offsets(source, call.func):
            yield source.finding(call.lineno, "the block of Database.transaction commits")
    for node in source.nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.strip(" ;").upper() == "COMMIT"
        ):
            yield source.finding(node.lineno, "the block of Database.transaction commits")


def _commits_offsets(source: Source, called: ast.Attribute) -> bool:
    """A Kafka consumer's commit moves a bookmark; it makes nothing durable that was not so before."""
    return source.within("shared/kafka") and ast.unparse(called.value).strip("_") in {"consumer", "self._consumer"}


def one_place_produces(source: Source) -> Iterator[Finding]:
    """A second producer in a process would break the order of a case's events."""
    if not source.within(*PRODUCT) or source.path == _PRODUCER:
        return
    for call, name in source.calls():
        if name == "AIOKafkaProducer":
            yield source.finding(call.lineno, "publish through tx.outbox; only the relay holds a producer")


def only_the_command_line_prints(source: Source) -> Iterator[Finding]:
    """Services speak through the log, which carries the case and no personal data."""
    if not source.within(*PRODUCT) or source.within(*_PRINTS):
        return
    for call, name in source.calls():
        if name == "print" and isinstance(call.func, ast.Name):
            yield source.finding(call.lineno, "log a dotted word instead of printing")
