"""Criteria that can never be the one that decides, because another always holds with them and comes first."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.plans.compilation import group_of
from shared.plans.expressions import TypedCondition
from shared.plans.model import Plan
from shared.plans.reasoning import can_hold, forms_of, implies, proof_steps
from shared.plans.yaml_text import KeyPath

MAX_STEPS: Final = 100_000


def shadowed(plan: Plan, conditions: Mapping[int, TypedCondition]) -> Iterator[tuple[KeyPath, str]]:
    """The path and message of each criterion that a graver one, or an earlier one of its level, always takes from.

    Only what can be proved within MAX_STEPS is said. Conditions are by their index in the file.
    """
    left = MAX_STEPS
    ranks = {level.id: rank for rank, level in enumerate(plan.levels)}
    sound = {
        index: typed
        for index, typed in conditions.items()
        if plan.criteria[index].level in ranks and can_hold(typed.tree)
    }
    forms = {index: forms_of(typed.tree) for index, typed in sound.items()}
    groups = {index: group_of(plan, typed) for index, typed in sound.items()}
    for index, typed in sound.items():
        for other, stronger in sound.items():
            mine, theirs = plan.criteria[index], plan.criteria[other]
            before = (ranks[theirs.level], -other) > (ranks[mine.level], -index)
            if index == other or not before or groups[index] != groups[other]:
                continue
            if not set(stronger.inputs) <= set(typed.inputs):
                continue
            left -= proof_steps(forms[index], forms[other])
            if left < 0:
                return
            if typed.text == stronger.text or implies(forms[index], forms[other]):
                which = "graver" if ranks[theirs.level] > ranks[mine.level] else "earlier"
                message = f"this never decides: whenever it holds, the {which} '{theirs.id}' holds too"
                yield ("criteria", index, "when"), message
                break
