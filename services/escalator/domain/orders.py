"""One command at work on one case: what every command does with its words, its arguments and its refusals."""

from collections.abc import Mapping
from datetime import UTC, datetime

from services.escalator.domain import wording
from services.escalator.domain.case import Case
from services.escalator.domain.decision import Turn
from shared.contracts.commands import ROLE_HELD, CommandIssuedV1
from shared.contracts.escalations import CaseState, ChangeKind
from shared.contracts.values import FactValue


class Order:
    """One command at work on one turn. It takes effect when it was issued, but never in the future.

    `other` is the second case it is about, where it names one that is here. `merged` is the case it was given to,
    which goes on in this one.
    """

    def __init__(
        self, turn: Turn, command: CommandIssuedV1, other: Case | None = None, merged: Case | None = None
    ) -> None:
        self.turn = turn
        self.command = command
        self.other = other
        self.merged = merged
        self.at: datetime = min(command.issued_at, turn.now)

    def argument(self, name: str) -> FactValue | None:
        return self.command.arguments.get(name)

    def note(
        self, kind: ChangeKind, sentence: str, *, values: Mapping[str, object] | None = None, **details: FactValue
    ) -> None:
        """A change that says who, what and why."""
        what = self.turn.both(sentence, **(values or {}))
        if kind is not ChangeKind.COMMAND_REFUSED and self.argument(ROLE_HELD) is False:
            what = wording.joined(what, self.turn.both("role_not_held", role=self.word("role") or ""))
        if self.merged is not None:
            what = wording.joined(what, self.turn.both("said_of_merged", number=self.merged.number))
        actor = self.command.actor
        because = wording.by_both(actor, what, self.command.reason)
        self.turn.note(kind, because, command=self.command.command, actor=actor.ref, actor_kind=actor.kind, **details)

    def enter(self, state: CaseState, sentence: str, **values: object) -> None:
        """Another state, noted."""
        self.turn.set(state=state)
        self.note(ChangeKind.STATE_CHANGED, sentence, values=values, state=state)

    def refuse(self, sentence: str, **values: object) -> None:
        self.note(
            ChangeKind.COMMAND_REFUSED,
            sentence,
            values={"command": self.command.command, "state": self.turn.case.state, **values},
        )

    def word(self, name: str) -> str | None:
        """A text argument without its edges; None when absent or empty."""
        value = self.argument(name)
        return value.strip() or None if isinstance(value, str) else None

    def instant(self, name: str) -> datetime | None:
        """An instant argument (ISO 8601 with its offset); None when absent or no such thing."""
        text = self.word(name)
        try:
            found = datetime.fromisoformat(text) if text is not None else None
        except ValueError:
            return None
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
