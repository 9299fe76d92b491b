"""What people decided: topic `commands-issued`."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from shared.contracts.values import Actor, Contract, Facts, FactValue, Instant, LongText, Slug


class CommandKind(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    TAKE_OVER = "take-over"
    START = "start"
    WAIT = "wait"  # on the customer or a third party
    RESUME = "resume"
    MILESTONE = "milestone"  # stops the clocks that run until it, e.g. plan-submitted
    RAISE_LEVEL = "raise-level"
    LOWER_LEVEL = "lower-level"
    CANNOT_HANDLE = "cannot-handle"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    INVALIDATE = "invalidate"
    MERGE = "merge"
    SPLIT = "split"  # facts or reports of it go on as a case of their own, which intake has opened
    EXTENSION_REQUEST = "extension-request"
    EXTENSION_APPROVE = "extension-approve"
    EXTENSION_DENY = "extension-deny"
    COMPLAINANT_TOLD = "complainant-told"  # of a longer limit, of time that does not count
    EXCLUDE = "exclude"  # time that by law does not count, such as an external appraisal
    RESTART = "restart"  # new facts: the clock counts anew
    ACTIVATE = "activate"  # the gate before tiers and clocks: start
    DECLINE = "decline"  # the gate: do not start
    APPROVAL_REQUEST = "approval-request"  # for an action; a milestone asks by itself
    APPROVE = "approve"
    REFUSE = "refuse"
    TICK = "tick"  # an item of the checklist is done
    BYPASS = "bypass"  # past the ladder, where the plan gives leave
    MOVE_PLAN = "move-plan"  # to the version of its plan that is in force
    COMMENT = "comment"
    HOLD = "hold"  # nothing of it is erased until that is taken back
    RELEASE_HOLD = "release-hold"
    ERASE = "erase"  # what was told, who told it and what was written about it: of a case that is over


ONLY_PERSONS: Final = frozenset(
    {
        CommandKind.LOWER_LEVEL,
        CommandKind.EXTENSION_APPROVE,
        CommandKind.EXTENSION_DENY,
        CommandKind.EXCLUDE,
        CommandKind.RESTART,
        CommandKind.ACTIVATE,
        CommandKind.DECLINE,
        CommandKind.APPROVE,
        CommandKind.REFUSE,
        CommandKind.MOVE_PLAN,
        CommandKind.HOLD,
        CommandKind.RELEASE_HOLD,
        CommandKind.ERASE,
    }
)
"""What no system and no link may ask for: a named person decides."""

WITH_REASON: Final = frozenset(
    {
        CommandKind.LOWER_LEVEL,
        CommandKind.CANNOT_HANDLE,
        CommandKind.INVALIDATE,
        CommandKind.SPLIT,
        CommandKind.EXTENSION_REQUEST,
        CommandKind.EXTENSION_DENY,
        CommandKind.EXCLUDE,
        CommandKind.RESTART,
        CommandKind.DECLINE,
        CommandKind.REFUSE,
        CommandKind.MOVE_PLAN,
        CommandKind.HOLD,
        CommandKind.RELEASE_HOLD,
        CommandKind.ERASE,
    }
)
"""What is refused without a reason."""

OF_THE_WHOLE_CASE: Final = frozenset({CommandKind.HOLD, CommandKind.RELEASE_HOLD, CommandKind.ERASE})
"""What is never asked of one plan of a case alone."""

ROLE_HELD: Final = "role_held"
"""Argument that intake alone sets: whether who decides in a role's name was on duty for it, by the roster."""
_LONGEST_VERSION: Final = 9


def version_in(given: FactValue | None) -> int | None:
    """The version of a plan that an argument names, as a number or in digits; None where it names none."""
    if isinstance(given, str):
        text = given.strip()
        given = int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION else None
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 1 else None


class CommandIssuedV1(Contract):
    """A person (or another system in a person's name) asked for a change of a case.

    The escalator alone decides whether it is allowed in the case's state; a refusal is published as a change too.
    """

    TYPE: ClassVar[str] = "fenghuo.command.issued.v1"

    command: CommandKind
    actor: Actor
    issued_at: Instant
    plan: Annotated[Slug | None, Field(description="Only this plan of the case; absent: every plan it runs")] = None
    reason: LongText | None = None
    arguments: Facts = Field(default_factory=dict)
    request_id: Annotated[
        str | None,
        Field(max_length=64, description="The notification request it answers, when it came by link or SMS"),
    ] = None
