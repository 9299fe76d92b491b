"""Which roles a plan names, wherever it names them: each must be staffed before the plan can reach anybody."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel

from shared.plans.model import Plan
from shared.plans.written import ParameterRef, RolesOrParameter

_ROLES: Final = (RolesOrParameter, get_args(RolesOrParameter)[0])


def plan_roles(plan: Plan) -> frozenset[str]:
    """Role ids with the values of the plan's parameters put in: what stands in every field that takes roles."""
    return frozenset(_of_model(plan, plan))


def _of_model(model: BaseModel, plan: Plan) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        yield from _listed(value, plan) if _takes_roles(field.annotation) else _within(value, plan)


def _takes_roles(annotation: Any) -> bool:
    return annotation in _ROLES or any(_takes_roles(one) for one in get_args(annotation))


def _within(value: Any, plan: Plan) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from _of_model(value, plan)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _within(one, plan)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _within(one, plan)


def _listed(value: Any, plan: Plan) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, ParameterRef):
        yield from _listed(plan.parameters[value.parameter].value, plan)
    elif isinstance(value, BaseModel):
        yield from _of_model(value, plan)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _listed(one, plan)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _listed(one, plan)
