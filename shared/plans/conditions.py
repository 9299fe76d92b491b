"""The list form of a condition as the one text that is compiled, shown and explained."""

from collections.abc import Iterator

from shared.plans.model import Condition, ConditionTree
from shared.plans.yaml_text import KeyPath


def condition_text(condition: Condition) -> str:
    """The text of a condition; a list form becomes the same text with `or`, `and` and `not`."""
    if isinstance(condition, str):
        return condition
    return _tree_text(condition)


def _tree_text(tree: ConditionTree) -> str:
    if tree.any is not None:
        return " or ".join(f"({condition_text(item)})" for item in tree.any)
    if tree.all is not None:
        return " and ".join(f"({condition_text(item)})" for item in tree.all)
    return f"not ({condition_text(tree.negated)})" if tree.negated is not None else ""


def condition_leaves(condition: Condition, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every text of a condition with the path that leads to it."""
    if isinstance(condition, str):
        yield path, condition
        return
    for word, items in (("any", condition.any or ()), ("all", condition.all or ())):
        for index, item in enumerate(items):
            yield from condition_leaves(item, (*path, word, index))
    if condition.negated is not None:
        yield from condition_leaves(condition.negated, (*path, "not"))
