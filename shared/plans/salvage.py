"""What is left of a plan whose form is wrong in places, so that the rest of it is still checked.

What does not fit its form is taken out, the smallest piece first; what a plan cannot be without is filled in. What was
taken out is remembered: the lint says nothing that rests on it.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.plans.problems import Problem
from shared.plans.yaml_text import KeyPath, Positions

M = TypeVar("M", bound=BaseModel)
MAX_ROUNDS: Final = 12
_STAND_IN: Final = "stand-in"
_WORDS: Final = {"zh": "待补", "en": "Stand-in"}
_IN_ENTRIES: Final[Mapping[str, Any]] = {
    **_WORDS,
    **dict.fromkeys(("label", "words"), _WORDS),
    **dict.fromkeys(("limit", "within", "acknowledge_within"), "1h"),
    "every": "week",
}
_FILLED_IN: Final[Mapping[str, Any]] = {
    "plan": _STAND_IN,
    "version": 1,
    "title": _WORDS,
    "timezone": "UTC",
    "applies": {"kinds": ["incident"]},
    "levels": [{"id": _STAND_IN, "zh": "级", "en": "Level"}],
    "criteria": [
        {"id": _STAND_IN, "level": _STAND_IN, "when": "kind == 'incident'", "label": {"zh": "条件", "en": "Rule"}}
    ],
}
_JUDGING: Final = ("applies", "levels", "criteria")


@dataclass(frozen=True, slots=True)
class Lost:
    """What a plan is checked without.

    `changed`: the sections that are not as written. `entries`: for each section the names of entries that are gone,
    None where some name cannot be told.
    """

    changed: frozenset[str] = frozenset()
    entries: Mapping[str, frozenset[str] | None] = field(default_factory=dict)

    def whole(self, *sections: str) -> bool:
        """Whether all these sections stand as they were written."""
        return self.changed.isdisjoint(sections)

    def may_name(self, name: str, *sections: str) -> bool:
        """Whether the name may be that of something taken out of one of the sections."""
        return any(
            section in self.entries and ((gone := self.entries[section]) is None or name in gone)
            for section in sections
        )


NOTHING_LOST: Final = Lost()


@dataclass(frozen=True, slots=True)
class SalvagedPositions(Positions):
    """Where each value stood before pieces were taken out."""

    written: Positions = field(default_factory=lambda: Positions(""))
    moved: Mapping[KeyPath, KeyPath] = field(default_factory=dict)

    def problem(self, path: KeyPath, message: str, offset: int = 0) -> Problem:
        return self.written.problem(self._before(path), message, offset)

    def key_problem(self, path: KeyPath, message: str) -> Problem:
        return self.written.key_problem(self._before(path), message)

    def _before(self, path: KeyPath) -> KeyPath:
        there = self.moved.get(tuple(path[:2]))
        return path if there is None else (*there, *path[2:])


@dataclass(frozen=True, slots=True)
class Salvaged(Generic[M]):
    """The sound part, as a model, with what it lacks."""

    model: M
    positions: Positions
    lost: Lost


def salvage(
    model: type[M],
    data: Any,
    positions: Positions,
    written_path: Callable[[tuple[int | str, ...], Any], KeyPath],
    damaged: frozenset[str] = frozenset(),
) -> Salvaged[M] | None:
    """The model of what is sound in `data`; None where too little is. `damaged`: sections known to be incomplete."""
    if not isinstance(data, dict):
        return None
    rest = _Rest(deepcopy(data), damaged)
    for _ in range(MAX_ROUNDS):
        try:
            found = model.model_validate(rest.data)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            if not rest.without(details, written_path):
                return None
        else:
            return Salvaged(found, rest.positions(positions), rest.lost())
    return None


class _Rest:
    def __init__(self, data: dict[str, Any], damaged: frozenset[str]) -> None:
        self.data = data
        self._changed = set(damaged)
        self._filled: set[KeyPath] = set()
        self._names: dict[str, set[str] | None] = dict.fromkeys(damaged)
        self._places: dict[str, list[int]] = {
            key: list(range(len(value))) for key, value in data.items() if isinstance(value, list)
        }

    def without(
        self, details: list[ErrorDetails], written_path: Callable[[tuple[int | str, ...], Any], KeyPath]
    ) -> bool:
        """Take out what the problems are about. False when nothing could be done."""
        paths = [(detail, written_path(detail["loc"], self.data)) for detail in details]
        gone: set[KeyPath] = set()
        done = False
        for detail, path in paths:
            missing = detail["type"] == "missing"
            if missing and self._fill(path, str(detail["loc"][-1])):
                done = True
            elif not path:
                done = self._judge_something() or done
            else:
                gone.add(path if detail["type"] == "extra_forbidden" else _piece(path, missing=missing))
        # from the end, so that what comes first keeps its place
        for path in sorted(gone, key=lambda path: tuple((isinstance(step, int), step) for step in path), reverse=True):
            done = self._take_out(path) or done
        return done

    def lost(self) -> Lost:
        return Lost(
            frozenset(self._changed),
            {key: None if names is None else frozenset(names) for key, names in self._names.items()},
        )

    def positions(self, positions: Positions) -> Positions:
        moved: dict[KeyPath, KeyPath] = {
            (key, now): (key, before) for key, places in self._places.items() for now, before in enumerate(places)
        }
        return SalvagedPositions(positions.file, written=positions, moved=moved)

    def _fill(self, path: KeyPath, key: str) -> bool:
        """What a plan or an entry needs, and nothing else is judged by, is filled in."""
        here: Any = self.data
        for step in path:
            here = here[step]
        if not path and key in _FILLED_IN:
            self.data[key] = deepcopy(_FILLED_IN[key])
            self._open(key)
            return True
        if key not in _IN_ENTRIES or not isinstance(here, dict) or (*path, key) in self._filled:
            return False
        self._filled.add((*path, key))
        here[key] = deepcopy(_IN_ENTRIES[key])
        self._changed.add(str(path[0]))
        return True

    def _judge_something(self) -> bool:
        """A plan that lost all its levels or criteria is checked with stand-ins, so that the rest of it can be."""
        applies = self.data.get("applies")
        empty = [key for key in _JUDGING if not self.data.get(key)]
        if not isinstance(applies, dict) or not applies.get("kinds"):
            empty.append("applies")
        for key in empty:
            self.data[key] = deepcopy(_FILLED_IN[key])
            self._open(key)
        if "criteria" in empty and "levels" not in empty:
            self.data["criteria"][0]["level"] = self.data["levels"][-1].get("id")
        return bool(empty)

    def _open(self, section: str) -> None:
        self._changed.add(section)
        self._names[section] = None
        self._places.pop(section, None)

    def _take_out(self, path: KeyPath) -> bool:
        here: Any = self.data
        for step in path[:-1]:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return False
        last, section = path[-1], str(path[0])
        if isinstance(last, int) and isinstance(here, list) and last < len(here):
            value = here.pop(last)
        elif isinstance(here, dict) and last in here:
            value = here.pop(str(last))
        else:
            return False
        self._changed.add(section)
        if len(path) == 1:
            self._open(section)
            # a key nobody knows may be a section misspelt
            for meant in get_close_matches(section, _SECTIONS - self.data.keys()) if section not in _SECTIONS else ():
                self._open(meant)
        elif len(path) == len(("section", "entry")):
            self._note_name(section, last, value)
        return True

    def _note_name(self, section: str, last: str | int, value: Any) -> None:
        name = last if isinstance(last, str) else value.get("id") if isinstance(value, dict) else None
        if isinstance(last, int) and section in self._places:
            del self._places[section][last]
        names = self._names.setdefault(section, set())
        if names is not None and isinstance(name, str):
            names.add(name)
        else:
            self._names[section] = None


def _piece(path: KeyPath, *, missing: bool) -> KeyPath:
    """What is taken out for a problem at the path.

    Nothing out of the middle of a list within an entry: what is left of the list would say something else.
    """
    for place, step in enumerate(path[2:], start=2):
        if isinstance(step, int):
            return path[:place]
    return path if not missing or len(path) > 1 else path[:1]


_SECTIONS: Final = frozenset(
    {
        *(
            "levels",
            "expected",
            "milestones",
            "parameters",
            "facts",
            "windows",
            "criteria",
            "clocks",
            "tiers",
            "notify",
        ),
        *("inform", "bypass", "messages", "baselines", "signals", "duplicates", "warnings", "waits", "opens", "owner"),
        *("activation", "approvals", "recusal", "record", "checklist", "notices", "duties", "consequences", "drills"),
        *("applies", "calendar"),
    }
)
