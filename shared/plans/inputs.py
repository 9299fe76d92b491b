"""What conditions may read, and how a given value becomes the value they compare."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from shared.contracts.values import CaseKind, FactValue
from shared.plans.expressions import Constant, Kind, Type, Vocabulary
from shared.plans.facts import FactSpec, FactType, read_instant
from shared.plans.limits import parse_elapsed
from shared.plans.model import ParameterValue, Plan
from shared.plans.windows import CaseView

_TEXT: Final = Type(Kind.TEXT)
_INSTANT: Final = Type(Kind.INSTANT)

BUILT_INS: Final[Mapping[str, Type]] = {
    "kind": Type(Kind.ENUM, tuple(CaseKind)),
    "channel": _TEXT,
    "topic": _TEXT,
    "category": _TEXT,
    "source": _TEXT,
    "place.province": _TEXT,
    "place.city": _TEXT,
    "place.district": _TEXT,
    "place.site": _TEXT,
    "occurred_at": _INSTANT,
    "received_at": _INSTANT,
}
RESERVED: Final = frozenset(
    {"now", "known", "count", "since", "until", "true", "false", "and", "or", "not", "in", "is", "if", "else", "for"}
    | {"lambda", "place", "complainant", "level", "none"}
    | {name.partition(".")[0] for name in BUILT_INS}
)

_KINDS: Final = {
    FactType.BOOL: Kind.BOOL,
    FactType.INT: Kind.INT,
    FactType.NUMBER: Kind.NUMBER,
    FactType.TEXT: Kind.TEXT,
    FactType.ENUM: Kind.ENUM,
    FactType.SET: Kind.SET,
    FactType.INSTANT: Kind.INSTANT,
    FactType.DURATION: Kind.DURATION,
}


def vocabulary_of(plan: Plan, *, windows: bool = True) -> Vocabulary:
    """Every name the plan's conditions may read. A window's own `where` reads no windows."""
    inputs = dict(BUILT_INS) | {name: type_of(spec) for name, spec in plan.facts.items()}
    if windows:
        inputs |= dict.fromkeys(plan.windows, Type(Kind.INT, low=0))
        inputs |= dict.fromkeys(plan.baselines, Type(Kind.NUMBER, low=0))
    constants = {name: constant_of(parameter.value) for name, parameter in plan.parameters.items()}
    return Vocabulary(inputs, constants)


def type_of(spec: FactSpec) -> Type:
    """The type conditions see for a declared fact."""
    bounds = spec.int_
    return Type(
        _KINDS[spec.type],
        spec.members,
        low=bounds.min if bounds else None,
        high=bounds.max if bounds else None,
    )


def constant_of(value: ParameterValue) -> Constant:
    """A parameter's value as conditions see it: a text that is a length of time is a length of time."""
    if isinstance(value, bool):
        return Constant(Type(Kind.BOOL), value)
    if isinstance(value, int):
        return Constant(Type(Kind.INT), value)
    if isinstance(value, float):
        return Constant(Type(Kind.NUMBER), value)
    if isinstance(value, tuple):
        return Constant(Type(Kind.LIST), value)
    try:
        return Constant(Type(Kind.DURATION), parse_elapsed(value))
    except ValueError:
        return Constant(_TEXT, value)


def inputs_of(case: CaseView, facts: Mapping[str, FactValue]) -> dict[str, FactValue | None]:
    """Built-in names of a case together with its typed facts: what `CompiledPlan.evaluate` takes."""
    place = case.place
    return {
        "kind": str(case.kind),
        "channel": case.channel,
        "topic": case.topic,
        "category": case.category,
        "source": case.source,
        "place.province": place.province,
        "place.city": place.city,
        "place.district": place.district,
        "place.site": place.site,
        "occurred_at": case.occurred_at.isoformat(),
        "received_at": case.received_at.isoformat(),
        **facts,
    }


Reader = Callable[[Any], Any]


def reader_of(kind: Type) -> Reader:
    """How a given value is read. A value that does not fit is not known: it can never satisfy a criterion."""
    if kind.kind is Kind.ENUM:
        members = frozenset(kind.members)
        return lambda value: value if type(value) is str and value in members else None
    return _READERS[kind.kind]


def _read_bool(value: Any) -> bool | None:
    return value if value is True or value is False else None


def _read_int(value: Any) -> int | None:
    return value if type(value) is int else None


def _read_number(value: Any) -> float | None:
    return value if type(value) is float or type(value) is int else None


def _read_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _read_set(value: Any) -> frozenset[str] | None:
    if isinstance(value, list | tuple) and all(type(item) is str for item in value):
        return frozenset(value)
    return None


def read_duration(value: Any) -> timedelta | None:
    """A length of time as facts give it; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return parse_elapsed(value)
    except ValueError:
        return None


_READERS: Final[dict[Kind, Reader]] = {
    Kind.BOOL: _read_bool,
    Kind.INT: _read_int,
    Kind.NUMBER: _read_number,
    Kind.TEXT: _read_text,
    Kind.SET: _read_set,
    Kind.INSTANT: read_instant,
    Kind.DURATION: read_duration,
}
