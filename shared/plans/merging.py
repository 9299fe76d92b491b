"""`extends`: a plan written as the difference to another, put together before anything is validated.

Maps merge by key and lists of things with an `id` by id: an entry of the same key or id replaces the base's whole
entry, new ones follow. Everything else replaces. `without` drops entries of the base first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.plans.problems import PlanLibraryError, Problem
from shared.plans.yaml_text import KeyPath, Positions, read_yaml_parts

MAX_CHAIN: Final = 6
_OWN: Final = frozenset({"plan", "version", "abstract", "extends", "without"})

FindBase = Callable[[str], tuple[str, str] | None]
"""From a plan's name to its text and its file; None for a plan that does not exist."""


@dataclass(frozen=True, slots=True)
class MergedPositions(Positions):
    """Where each value of a merged plan stands: `origins` leads to the file that brought it."""

    origins: dict[KeyPath, tuple[Positions, KeyPath]] = field(default_factory=dict)

    def problem(self, path: KeyPath, message: str, offset: int = 0) -> Problem:
        positions, there = self._origin(path)
        return _shown(positions.problem(there, message, offset), path)

    def key_problem(self, path: KeyPath, message: str) -> Problem:
        positions, there = self._origin(path)
        return _shown(positions.key_problem(there, message), path)

    def _origin(self, path: KeyPath) -> tuple[Positions, KeyPath]:
        for length in range(len(path), 0, -1):
            found = self.origins.get(path[:length])
            if found is not None:
                positions, there = found
                return positions, (*there, *path[length:])
        return self.origins[()][0], path


def _shown(problem: Problem, path: KeyPath) -> Problem:
    return Problem(problem.file, problem.line, problem.column, problem.message, ".".join(str(step) for step in path))


@dataclass(frozen=True, slots=True)
class Written:
    """A plan's data as it is validated, with the places of its values and what is wrong with how it is written."""

    data: Any
    positions: Positions
    problems: tuple[Problem, ...] = ()


def read_written(text: str, file: str, find_base: FindBase | None) -> Written:
    """The data of a plan's text with its bases put in. Raises PlanLibraryError: not YAML, unknown base, a cycle.

    A key that stands twice, or an entry to drop that is not there, is among the problems and does not stop the reading.
    """
    return _read(text, file, find_base, ())


def _read(text: str, file: str, find_base: FindBase | None, chain: tuple[str, ...]) -> Written:
    data, positions, problems = read_yaml_parts(text, file)
    if not isinstance(data, dict) or "extends" not in data:
        if isinstance(data, dict) and "without" in data:
            raise PlanLibraryError([positions.key_problem(("without",), "'without' needs 'extends'")])
        return Written(data, positions, tuple(problems))
    name = data["extends"]
    if not isinstance(name, str):
        raise PlanLibraryError([*problems, positions.problem(("extends",), "the name of a plan")])
    chain = (*chain, str(data.get("plan")))
    if name in chain:
        way = " → ".join((*chain, name))
        circle = positions.problem(("extends",), f"the plans extend each other in a circle: {way}")
        raise PlanLibraryError([*problems, circle])
    if len(chain) > MAX_CHAIN:
        raise PlanLibraryError([positions.problem(("extends",), f"more than {MAX_CHAIN} plans extend each other")])
    found = None if find_base is None else find_base(name)
    if found is None:
        raise PlanLibraryError([*problems, positions.problem(("extends",), f"there is no plan '{name}' to extend")])
    base = _read(found[0], found[1], find_base, chain)
    if not isinstance(base.data, dict):
        raise PlanLibraryError([positions.problem(("extends",), f"'{name}' is no plan")])
    return _Merge(base, Written(data, positions, tuple(problems))).merged()


class _Merge:
    def __init__(self, base: Written, own: Written) -> None:
        self._base = base
        self._own = own
        self._origins: dict[KeyPath, tuple[Positions, KeyPath]] = {(): (own.positions, ())}
        self._problems: list[Problem] = [*base.problems, *own.problems]

    def merged(self) -> Written:
        dropped = self._dropped()
        own: dict[str, Any] = self._own.data
        result: dict[str, Any] = {}
        for key in [*self._base.data, *(key for key in own if key not in self._base.data)]:
            if key in {"extends", "without"} or (key in _OWN and key not in own):
                continue
            base = None if key in _OWN else self._without(key, self._base.data.get(key), dropped)
            result_here = self._key(key, base, own[key]) if key in own else self._inherited(key, base)
            if result_here is not None or key in own:
                result[key] = result_here
        positions = MergedPositions(self._own.positions.file, origins=self._origins)
        return Written(result, positions, tuple(self._problems))

    def _dropped(self) -> dict[str, set[str] | None]:
        """Per key the entries that are dropped; None for the whole key."""
        dropped: dict[str, set[str] | None] = {}
        written = self._own.data.get("without", [])
        if not isinstance(written, list) or not all(isinstance(item, str) for item in written):
            self._problems.append(self._own.positions.problem(("without",), "a list such as [criteria.people-3]"))
            return {}
        for index, item in enumerate(written):
            key, _, entry = item.partition(".")
            names = _entries(self._base.data.get(key))
            if key not in self._base.data or key in _OWN or (entry and entry not in names):
                message = f"the base has no '{item}' to drop"
                self._problems.append(self._own.positions.problem(("without", index), message))
            elif not entry:
                dropped[key] = None
            else:
                entries = dropped.setdefault(key, set())
                if entries is not None:
                    entries.add(entry)
        return dropped

    def _without(self, key: str, base: Any, dropped: Mapping[str, set[str] | None]) -> "_Left | None":
        if base is None or (key in dropped and dropped[key] is None):
            return None
        gone = dropped.get(key) or set()
        if isinstance(base, dict):
            return _Left(base, {name: (key, name) for name in base if name not in gone})
        if _by_id(base):
            return _Left(base, {item["id"]: (key, index) for index, item in enumerate(base) if item["id"] not in gone})
        return _Left(base, None)

    def _inherited(self, key: str, base: "_Left | None") -> Any:
        if base is None:
            return None
        self._origins[key,] = (self._base.positions, (key,))
        if base.entries is None:
            return base.value
        if isinstance(base.value, dict):
            for name, there in base.entries.items():
                self._origins[key, name] = (self._base.positions, there)
            return {name: base.value[name] for name in base.entries}
        return self._listed(key, base, [])

    def _key(self, key: str, base: "_Left | None", own: Any) -> Any:
        self._origins[key,] = (self._own.positions, (key,))
        if base is None or base.entries is None:
            return own
        if isinstance(base.value, dict) and isinstance(own, dict):
            for name, there in base.entries.items():
                self._origins[key, name] = (self._base.positions, there)
            for name in own:
                self._origins[key, name] = (self._own.positions, (key, name))
            return {**{name: base.value[name] for name in base.entries}, **own}
        return self._listed(key, base, own) if isinstance(base.value, list) and _by_id(own) else own

    def _listed(self, key: str, base: "_Left", own: list[Any]) -> list[Any]:
        mine = {item["id"]: index for index, item in enumerate(own)}
        result: list[Any] = []
        for name, there in (base.entries or {}).items():
            index = mine.get(name)
            if index is None:
                self._origins[key, len(result)] = (self._base.positions, there)
                result.append(base.value[there[1]])
            else:
                self._origins[key, len(result)] = (self._own.positions, (key, index))
                result.append(own[index])
        for index, item in enumerate(own):
            if item["id"] not in (base.entries or {}) or mine[item["id"]] != index:
                self._origins[key, len(result)] = (self._own.positions, (key, index))
                result.append(item)
        return result


@dataclass(frozen=True, slots=True)
class _Left:
    """A key of the base after `without`: its entries by name with their places, None where it has no entries."""

    value: Any
    entries: dict[str, KeyPath] | None


def _entries(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value)
    return {item["id"] for item in value} if _by_id(value) else set()


def _by_id(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and isinstance(item.get("id"), str) for item in value)
    )
