"""Source files as the house rules see them, and what a rule has to say about one."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

_SKIP = re.compile(r"#\s*lint-skip:\s*([a-z-]+)")


@dataclass(frozen=True)
class Finding:
    """One breach: where, and what to do instead."""

    path: str
    line: int
    said: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.said}"


@dataclass
class Source:
    """One Python file; `path` is relative to the repository's root, with slashes."""

    path: str
    text: str
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text, self.path)

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]

    def within(self, *folders: str) -> bool:
        """Whether the file lies in one of the folders; `*` stands for one name."""
        return any(_starts_with(self.parts, PurePosixPath(folder).parts) for folder in folders)

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the last name of what is called: `a.b.commit()` gives `commit`."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Attribute):
                    yield node, node.func.attr
                elif isinstance(node.func, ast.Name):
                    yield node, node.func.id

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every imported module and name, dotted: `from uuid import uuid4` gives `uuid` and `uuid.uuid4`."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.lineno, node.module
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"

    def finding(self, line: int, said: str) -> Finding:
        return Finding(self.path, line, said)


Rule = Callable[[Source], Iterable[Finding]]


def check(code: str, rule: Rule, source: Source) -> list[Finding]:
    """What the rule finds, except on lines that say `# lint-skip: <code>` (whose reason another rule demands)."""
    skipped = {line for line, comment in source.comments if code in _SKIP.findall(comment)}
    return [finding for finding in rule(source) if finding.line not in skipped]


def _starts_with(parts: tuple[str, ...], folder: tuple[str, ...]) -> bool:
    if len(parts) < len(folder):
        return False
    return all(wanted in ("*", part) for part, wanted in zip(parts, folder, strict=False))
