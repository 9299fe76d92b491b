"""What a plan answers about one case or group: the level at once, the explanation of every criterion when asked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.contracts.classifications import Answers, CriterionResult, Holds, sign_of
from shared.contracts.immutable import immutable
from shared.contracts.values import FactValue, trusted
from shared.plans.compilation import CompiledRule

_SIGNS: Final[Mapping[bool | None, str]] = {
    True: sign_of(Holds.HELD),
    False: sign_of(Holds.NOT_HELD),
    None: sign_of(Holds.NOT_KNOWN),
}


@immutable
class Evaluation:
    """The highest level that holds, with the answer to every criterion of the scope and what they read.

    `reconsider_at`: the earliest instant after `now` at which the passing of time alone can change an answer; None
    when only new facts can. `rules` and `answers` go together; `reads` are the names that rules of the scope read, and
    `known` is where their values are, each name in one of them. The explanation is put together only when it is asked
    for: done eagerly it cost eight times as much as the decision.
    """

    level: str | None
    rank: int
    decided_by: str | None
    reconsider_at: datetime | None
    rules: tuple[CompiledRule, ...]
    answers: tuple[bool | None, ...]
    reads: tuple[str, ...]
    known: tuple[Mapping[str, FactValue | None], ...]

    @property
    def criteria(self) -> tuple[CriterionResult, ...]:
        """Every criterion of the scope, in the order of the plan, with the values it read."""
        values = self._values()
        return tuple(rule.result(values, held=answer) for rule, answer in zip(self.rules, self.answers, strict=True))

    @property
    def held(self) -> tuple[CriterionResult, ...]:
        """Those of `criteria` that hold."""
        holding = self._holding()
        if not holding:
            return ()
        values = self._values()
        return tuple(rule.result(values, held=True) for rule in holding)

    @property
    def held_ids(self) -> tuple[str, ...]:
        """The names of those that hold, sorted."""
        return tuple(sorted([rule.id for rule in self._holding()]))

    def in_short(self) -> Answers:
        """All of `criteria` without the words of the plan; `in_full` of the contract is the inverse."""
        values: dict[str, FactValue] = {}
        for name in self.reads:
            for source in self.known:
                value = source.get(name)
                if value is not None:
                    values[name] = value
                    break
        return trusted(Answers, results="".join([_SIGNS[answer] for answer in self.answers]), values=values)

    def _holding(self) -> list[CompiledRule]:
        if True not in self.answers:
            return []
        return [rule for rule, answer in zip(self.rules, self.answers, strict=True) if answer]

    def _values(self) -> dict[str, FactValue | None]:
        return {name: value for source in self.known for name, value in source.items()}
