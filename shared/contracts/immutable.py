"""Values that are made very often."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def immutable(cls: type[T]) -> type[T]:
    """A dataclass with slots that nobody changes: the type checker refuses an assignment, as for a frozen one.

    Only the checker does. What a frozen dataclass does at run time makes each instance five times as expensive
    (measured: 1.3 µs for twelve fields against 0.25 µs), a seventh of the time of a classification.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
