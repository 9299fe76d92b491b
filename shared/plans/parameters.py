"""Values that may be written out or kept as a parameter, with the parameter put in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from shared.plans.limits import Limit, parse_elapsed, parse_limit
from shared.plans.model import ParameterRef, ParameterValue, Plan
from shared.plans.yaml_text import KeyPath

MAX_REPEAT: Final = 20
T = TypeVar("T")


class PlanCompileError(ValueError):
    """A value does not fit. `path` leads to it, `offset` into a condition's text."""

    def __init__(self, path: KeyPath, message: str, offset: int = 0) -> None:
        super().__init__(f"{'.'.join(str(step) for step in path)}: {message}")
        self.path = path
        self.message = message
        self.offset = offset


def parameter_value(plan: Plan, written: T | ParameterRef, path: KeyPath) -> T | ParameterValue:
    """The written value, or the parameter's where it names one. Raises PlanCompileError for an undeclared one."""
    if not isinstance(written, ParameterRef):
        return written
    parameter = plan.parameters.get(written.parameter)
    if parameter is None:
        raise PlanCompileError((*path, "parameter"), f"there is no parameter '{written.parameter}'")
    return parameter.value


def resolve_length(plan: Plan, written: str | ParameterRef, path: KeyPath, parse: Callable[[str], T]) -> T:
    """A length of time, parsed. Raises PlanCompileError."""
    value = parameter_value(plan, written, path)
    if not isinstance(value, str):
        raise PlanCompileError(path, "must be a length of time such as 15m")
    try:
        return parse(value)
    except ValueError as error:
        raise PlanCompileError(path, str(error)) from error


def resolve_limit(plan: Plan, written: str | ParameterRef, path: KeyPath) -> Limit:
    """A clock's limit. Raises PlanCompileError."""
    return resolve_length(plan, written, path, parse_limit)


def resolve_repeat(plan: Plan, written: int | ParameterRef, path: KeyPath) -> int:
    """How often a tier is paged again. Raises PlanCompileError."""
    value = parameter_value(plan, written, path)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_REPEAT:
        raise PlanCompileError(path, f"must be a whole number from 0 to {MAX_REPEAT}")
    return value


def resolve_roles(plan: Plan, written: tuple[str, ...] | ParameterRef, path: KeyPath) -> tuple[str, ...]:
    """A list of roles. Raises PlanCompileError."""
    value = parameter_value(plan, written, path)
    if not isinstance(value, tuple):
        raise PlanCompileError(path, "must be a list of roles")
    return value


def resolve_wait(plan: Plan, written: str | ParameterRef, path: KeyPath) -> timedelta:
    """How long a page waits for its acknowledgement. Raises PlanCompileError, also for no time at all."""
    wait = resolve_length(plan, written, path, parse_elapsed)
    if not wait:
        raise PlanCompileError(path, "must be longer than nothing")
    return wait
