"""Facts a plan declares: their types, their bounds, and whether a given value fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, StrictFloat, StrictInt, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from shared.contracts.values import FactValue, Text
from shared.plans.limits import parse_elapsed
from shared.plans.words import PlanModel, Words

MAX_NUMBER: Final = 10**15
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)

Member = Annotated[str, Field(pattern=r"^[^\s'\"\\][^'\"\\\n]{0,79}$")]


class FactType(StrEnum):
    BOOL = "bool"
    INT = "int"
    NUMBER = "number"
    TEXT = "text"
    ENUM = "enum"
    SET = "set"
    INSTANT = "instant"
    DURATION = "duration"


class IntBounds(PlanModel):
    """Both ends belong to the range."""

    min: Annotated[StrictInt, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None = None
    max: Annotated[StrictInt, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None = None


class NumberBounds(PlanModel):
    """Both ends belong to the range."""

    min: Annotated[StrictInt | StrictFloat, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None = None
    max: Annotated[StrictInt | StrictFloat, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None = None


class Nothing(PlanModel):
    """The type takes no settings."""


Members = Annotated[tuple[Member, ...], Field(min_length=1, max_length=200)]


class FactSpec(PlanModel):
    """A declared fact: one type, written `agitated: bool`, `people: {int: {min: 0}}` or `line: {enum: [a, b]}`.

    What a report does not give is not known, and what is not known never satisfies a criterion.
    """

    model_config = ConfigDict(title="Fact")

    bool_: Annotated[Nothing | None, Field(alias="bool")] = None
    int_: Annotated[IntBounds | None, Field(alias="int")] = None
    number: NumberBounds | None = None
    text: Nothing | None = None
    enum: Annotated[Members | None, Field(description="One of these")] = None
    set_: Annotated[Members | None, Field(alias="set", description="Any number of these")] = None
    instant: Nothing | None = None
    duration: Nothing | None = None
    zh: Text | None = None
    en: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _expand_short_form(cls, value: Any) -> Any:
        if isinstance(value, str) and value in _BARE:
            return {value: {}}
        if isinstance(value, str):
            raise PydanticCustomError(
                "fact_type", "'{given}' is no fact type: {known}", {"given": value[:40], "known": ", ".join(FactType)}
            )
        if isinstance(value, Mapping):
            return {key: {} if inner is None and key in _BARE else inner for key, inner in value.items()}
        return value

    @model_validator(mode="after")
    def _exactly_one_type(self) -> "FactSpec":
        given = [kind for kind in FactType if self._setting(kind) is not None]
        if len(given) != 1:
            raise PydanticCustomError("fact_type", "a fact has exactly one of: {known}", {"known": ", ".join(FactType)})
        if (self.zh is None) != (self.en is None):
            raise PydanticCustomError("fact_label", "a fact's label needs both zh and en")
        bounds = self.int_ or self.number
        if bounds and bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
            raise PydanticCustomError("fact_bounds", "min is greater than max")
        members = self.members
        if len(set(members)) != len(members):
            raise PydanticCustomError("fact_members", "a value is listed twice")
        return self

    def _setting(self, kind: FactType) -> object:
        if kind is FactType.BOOL:
            return self.bool_
        if kind is FactType.INT:
            return self.int_
        if kind is FactType.SET:
            return self.set_
        return getattr(self, kind.value)

    @cached_property
    def type(self) -> FactType:
        return next(kind for kind in FactType if self._setting(kind) is not None)

    @property
    def members(self) -> tuple[str, ...]:
        """What an enum or set may hold; empty for every other type."""
        return self.enum or self.set_ or ()

    @property
    def label(self) -> Words | None:
        return Words(zh=self.zh, en=self.en) if self.zh and self.en else None

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Editors accept the short form too."""
        written = handler(schema)
        resolved = handler.resolve_ref_schema(written)
        long_form = dict(resolved)
        description = long_form.pop("description", None)
        resolved.clear()
        resolved["title"] = "Fact"
        if description:
            resolved["description"] = description
        resolved["anyOf"] = [{"enum": sorted(_BARE)}, long_form]
        return written


_BARE: Final = frozenset(set(FactType) - {FactType.ENUM, FactType.SET})


@dataclass(frozen=True, slots=True)
class FactProblem:
    """A given fact that does not fit its declaration. `message` names what was expected and what came."""

    name: str
    message: str


def fact_problem(name: str, spec: FactSpec, value: FactValue) -> FactProblem | None:
    """What is wrong with the value, or None when it fits. Nothing is converted: "9" is not a number."""
    expected = _CHECKS[spec.type](spec, value)
    if expected is None:
        return None
    shown = repr(value)
    return FactProblem(name, f"fact '{name}' must be {expected}, not {shown[:60]}{'…' if len(shown) > 60 else ''}")  # noqa: PLR2004  # a width for reading


def read_instant(value: object) -> datetime | None:
    """An ISO 8601 text with an offset as UTC, or None when it is none or lies outside 1970–2200."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _check_bool(_spec: FactSpec, value: FactValue) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _check_int(spec: FactSpec, value: FactValue) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "a whole number"
    return _check_range(spec.int_, value)


def _check_number(spec: FactSpec, value: FactValue) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124  # NaN differs from itself
        return "a number"
    return _check_range(spec.number, value)


def _check_range(bounds: IntBounds | NumberBounds | None, value: float) -> str | None:
    low = -MAX_NUMBER if bounds is None or bounds.min is None else bounds.min
    high = MAX_NUMBER if bounds is None or bounds.max is None else bounds.max
    if low <= value <= high:
        return None
    if high == MAX_NUMBER:
        return f"at least {low}" if value < low else f"at most {high}"
    return f"between {low} and {high}"


def _check_text(_spec: FactSpec, value: FactValue) -> str | None:
    return None if isinstance(value, str) else "text"


def _check_enum(spec: FactSpec, value: FactValue) -> str | None:
    return None if isinstance(value, str) and value in spec.members else f"one of {', '.join(spec.members)}"


def _check_set(spec: FactSpec, value: FactValue) -> str | None:
    if isinstance(value, list) and all(item in spec.members for item in value):
        return None
    return f"a list of any of {', '.join(spec.members)}"


def _check_instant(_spec: FactSpec, value: FactValue) -> str | None:
    fits = isinstance(value, str) and read_instant(value) is not None
    return None if fits else "an instant such as 2026-03-02T09:00:00+08:00, with its offset"


def _check_duration(_spec: FactSpec, value: FactValue) -> str | None:
    if isinstance(value, str):
        try:
            parse_elapsed(value)
        except ValueError:
            pass
        else:
            return None
    return "a length of time such as 90s, 15m or 2h"


_CHECKS: Final = {
    FactType.BOOL: _check_bool,
    FactType.INT: _check_int,
    FactType.NUMBER: _check_number,
    FactType.TEXT: _check_text,
    FactType.ENUM: _check_enum,
    FactType.SET: _check_set,
    FactType.INSTANT: _check_instant,
    FactType.DURATION: _check_duration,
}
