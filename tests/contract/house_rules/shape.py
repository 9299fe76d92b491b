"""How files look: short, named for what they hold, silenced warnings explained, logs readable by machines."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.contract.house_rules.source import Finding, Source

LONGEST = 400
_EMPTY_NAMES = frozenset(
    {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "misc", "handler", "handlers"}
)
_SILENCER = re.compile(r"#\s*(noqa|type:\s*ignore|lint-skip)\b")
_EXPLAINED = re.compile(r"(?P<codes>[\s:\[\],\w-]*?)(?:\s(?:#|-|—)\s*(?P<reason>.*))?")
_LOGGERS = frozenset({"_log", "log", "logger", "_logger"})
_LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
_LOG_WORD = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_SHORTEST_REASON = 5


def short_files(source: Source) -> Iterator[Finding]:
    """A file is read in one sitting."""
    length = source.text.count("\n")
    if length > LONGEST:
        yield source.finding(1, f"{length} lines; split it, {LONGEST} are the limit")


def telling_names(source: Source) -> Iterator[Finding]:
    """A file's name says what it holds."""
    path = PurePosixPath(source.path)
    for name in (*path.parts[:-1], path.stem):
        if name.lower() in _EMPTY_NAMES:
            yield source.finding(1, f"'{name}' says nothing; name it for what it holds")


def explained_silence(source: Source) -> Iterator[Finding]:
    """A silenced warning names its code and why it is right here."""
    for line, comment in source.comments:
        silencer = _SILENCER.search(comment)
        if silencer is None:
            continue
        explained = _EXPLAINED.fullmatch(comment, silencer.end())
        if explained is None or not re.search(r"[\w-]{2,}", explained["codes"]):
            yield source.finding(line, f"{silencer[1]} must name the code it silences")
        elif len((explained["reason"] or "").strip()) < _SHORTEST_REASON:
            yield source.finding(line, f"{silencer[1]} needs its reason: `# noqa: CODE  # why`")


def dotted_log_words(source: Source) -> Iterator[Finding]:
    """A log event is a word to search for, its details are fields."""
    if not source.within("services", "shared"):
        return
    for call, name in source.calls():
        if name not in _LOG_METHODS or not isinstance(call.func, ast.Attribute):
            continue
        receiver = call.func.value
        if not (isinstance(receiver, ast.Name) and receiver.id in _LOGGERS):
            continue
        word = call.args[0] if call.args else None
        if not (isinstance(word, ast.Constant) and isinstance(word.value, str) and _LOG_WORD.fullmatch(word.value)):
            yield source.finding(call.lineno, 'log as `_log.info("case.opened", field=value)`')


def one_use_case_a_file(source: Source) -> Iterator[Finding]:
    """A use case is found by its file's name and is all the file offers."""
    if not source.within("services/*/app") or source.parts[-1] == "__init__.py":
        return
    public = [
        node
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    for extra in public[1:]:
        yield source.finding(extra.lineno, f"a second use case, {extra.name}; give it its own file")
