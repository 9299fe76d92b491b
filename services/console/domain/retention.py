"""Which words of a history stay when what was told of a case is erased."""

from collections.abc import Mapping
from typing import Final

Ends = tuple[str, str]
"""Regular expressions, Chinese and English, of what follows the head of a line: the head is written by us alone."""

_NOTHING: Final[Ends] = ("$", "$")
ENDS: Final[Mapping[str, Ends]] = {
    "classification": ("(，因为 |；).*$", "(, because |; ).*$"),
    "command": ("，理由：.*$", ", reason: .*$"),
    "notification-requested": _NOTHING,
    "notification-settled": ("，.*$", ", .*$"),
    "receipt": ("，.*$", ", .*$"),
    "merged": _NOTHING,
}
OTHER_ENDS: Final[Ends] = ("：.*$", ": .*$")
"""Of reports, and of everything the escalator tells."""
RECORDS: Final = ("held", "hold-released", "erased", "case-erased")
"""Kinds of lines that stay whole: what was kept and erased, by whom and why."""
KEPT_DETAILS: Final = (
    "actor",
    "actor_kind",
    "approval",
    "attempt_id",
    "attempts",
    "before",
    "case",
    "channels",
    "clock",
    "code",
    "command",
    "decided_by",
    "due_at",
    "gate",
    "intent_id",
    "into",
    "item",
    "level",
    "level_label",
    "linked_count",
    "milestone",
    "person",
    "provider",
    "request_id",
    "revision",
    "role",
    "roles",
    "state",
    "step",
    "threshold",
    "tier",
)
"""Details that stay: ids of plans and rosters, numbers, instants."""
