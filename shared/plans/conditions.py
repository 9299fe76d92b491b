"""The list form of a condition as the one text that is compiled, shown and explained."""

from shared.plans.model import Condition, ConditionTree


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
