"""Plans with one bound moved by one step, to see whether their cases notice."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from shared.plans.compiled import CompiledPlan
from shared.plans.model import Plan

Path = tuple[str | int, ...]

_CONDITIONS: Final = frozenset({"when", "where", "ends_when", "amount", "up_to", "any", "all", "not"})
_NO_BOUNDS: Final = frozenset({"id", "label", "words", "note", "source", "text_source", "zh", "en", "warn", "overrun"})
"""Words; and how often somebody is reminded before and after a limit: a courtesy and no rule of a document."""

_SECTIONS: Final = (
    *("windows", "criteria", "clocks", "tiers", "inform", "bypass", "duplicates", "warnings", "opens", "activation"),
    *("approvals", "recusal", "record", "checklist", "notices", "duties", "consequences"),
)
_UNSEEN: Final = {("duties", "within"), ("notices", "within")}
"""What people see, and no case of a pack: how long a duty or a notice may take."""

_LENGTH = re.compile(r"(-?(?:[0-9]+[wdhms])*)([0-9]+)([wdhms]|wh|wd|cd|mo|%)( sliding)?")
_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_][A-Za-z0-9_.]*|[0-9]+(?:\.[0-9]+)?[a-z]*(?:[0-9]+[a-z])*|[<>]=?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STRICT: Final = {">=": ">", ">": ">=", "<=": "<", "<": "<="}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A plan in which what stands at `where` says `now` instead of `was`; None where no such plan can be."""

    where: str
    was: str
    now: str
    plan: CompiledPlan | None


def mutants(plan: Plan) -> Iterator[Mutant]:
    """The plan with each of its numbers and lengths a step larger and smaller, and each bound's other strictness.

    A whole number in a condition has no other strictness: it is the next number.
    """
    data = plan.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    sections = {key: _seen(key, data[key]) for key in _SECTIONS if key in data}
    named = set(_NAME.findall(json.dumps(sections)))
    values = {name: {"value": one["value"]} for name, one in data.get("parameters", {}).items() if name in named}
    for path, was, now in _changes({"parameters": values, **sections}, ()):
        yield Mutant(".".join(map(str, path)), str(was), str(now), _with(data, path, now))


def _seen(section: str, entries: Any) -> Any:
    if not isinstance(entries, list):
        return entries
    return [{key: value for key, value in entry.items() if (section, key) not in _UNSEEN} for entry in entries]


def _with(data: dict[str, Any], path: Path, value: Any) -> CompiledPlan | None:
    changed = dict(data)
    section = str(path[0])
    changed[section] = deepcopy(data[section])
    here: Any = changed[section]
    for step in path[1:-1]:
        here = here[step]
    here[path[-1]] = value
    try:
        return CompiledPlan.of(Plan.model_validate(changed))
    except (ValidationError, ValueError):
        return None


def _changes(value: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NO_BOUNDS:
                yield from _changes(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _changes(inner, (*path, index))
    elif isinstance(value, str):
        in_condition = any(step in _CONDITIONS for step in path[2:] if isinstance(step, str))
        for changed in _conditions(value) if in_condition else _lengths(value):
            yield path, value, changed
    elif isinstance(value, int | float) and not isinstance(value, bool):
        for changed in _numbers(str(value)):
            yield path, value, type(value)(changed)


def _lengths(text: str) -> Iterator[str]:
    """`1h30m` as `1h31m` and `1h29m`; of a day that begins, the next day."""
    if text == "same-day":
        yield "1cd"
    found = _LENGTH.fullmatch(text)
    if found is None:
        return
    before, count, unit, after = found[1], int(found[2]), found[3], found[4] or ""
    yield f"{before}{count + 1}{unit}{after}"
    if count > 0:
        yield f"{before}{count - 1}{unit}{after}"


def _numbers(text: str) -> Iterator[str]:
    _, point, decimals = text.partition(".")
    step = 10 ** -len(decimals) if point else 1
    for moved in (float(text) + step, float(text) - step):
        yield f"{moved:.{len(decimals)}f}" if point else str(round(moved))


def _conditions(text: str) -> Iterator[str]:
    tokens = list(_TOKEN.finditer(text))
    for place, token in enumerate(tokens):
        for changed in _token(token[0], _beside(tokens, place)):
            yield f"{text[: token.start()]}{changed}{text[token.end() :]}"


def _beside(tokens: list[re.Match[str]], place: int) -> tuple[str, ...]:
    return tuple(tokens[near][0] for near in (place - 1, place + 1) if 0 <= near < len(tokens))


def _token(token: str, beside: tuple[str, ...]) -> Iterator[str]:
    if token in _STRICT:
        if not any(near.isdecimal() for near in beside):
            yield _STRICT[token]
    elif token[0].isdigit():
        yield from _lengths(token) if token[-1].isalpha() else _numbers(token)
