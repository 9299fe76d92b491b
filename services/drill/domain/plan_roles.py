"""Which roles a plan names, wherever it names them: each must be staffed before the plan can reach anybody."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.plans.model import Plan

# The keys of the plan language that hold roles; `by` of a window groups facts instead.
_KEYS: Final = frozenset(
    {"roles", "notify_roles", "request_by", "approve_by", "by", "instead", "visible_to", "off_hours"}
)
_NOT_ROLES: Final = frozenset({"windows", "parameters"})


def plan_roles(plan: Plan) -> frozenset[str]:
    """Role ids with the values of the plan's parameters put in."""
    written = plan.model_dump(mode="json", by_alias=True)
    parameters = written.get("parameters") or {}
    found = set(_listed(list((written.get("notify") or {}).values()), parameters))
    for key, value in written.items():
        if key not in _NOT_ROLES:
            found.update(_within(value, parameters))
    return frozenset(found)


def _within(node: Any, parameters: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _KEYS:
                yield from _listed(value, parameters)
            else:
                yield from _within(value, parameters)
    elif isinstance(node, list):
        for one in node:
            yield from _within(one, parameters)


def _listed(value: Any, parameters: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _listed(one, parameters)
    elif isinstance(value, dict) and "parameter" in value:
        yield from _listed(parameters[value["parameter"]]["value"], parameters)
