"""What a plan answers about one case or group: the level at once, the explanation of every criterion when asked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.contracts.classifications import Answers, CriterionResult, Holds, sign_of
from shared.contracts.immutable import immutable
from shared.contracts.values import FactValue, trusted
from shared.plans.compilation import CompiledRule, Reads
from shared.plans.expressions.analysis import NOW

_SIGNS: Final[Mapping[bool | None, str]] = {
    True: sign_of(Holds.HELD),
    False: sign_of(Holds.NOT_HELD),
    None: sign_of(Holds.NOT_KNOWN),
}


@immutable
class Evaluation:
    """The highest level that holds, with the answer to every criterion of the scope and what they read.

    `reconsider_at`: the earliest instant after `now` at which the passing of time alone can change an answer; None
    when only new facts can. `rules` and `answers` go together; `reads` is what rules of the scope read, with values
    in `facts`, `counts` and `now`. The explanation is put together only when it is asked for: done eagerly it cost
    eight times as much as the decision.
    """

    level: str | None
    rank: int
    decided_by: str | None
    reconsider_at: datetime | None
    rules: tuple[CompiledRule, ...]
    answers: tuple[bool | None, ...]
    reads: Reads
    facts: Mapping[str, FactValue | None]
    counts: Mapping[str, float]
    now: datetime

    @property
    def criteria(self) -> tuple[CriterionResult, ...]:
        """Every criterion of the scope, in the order of the plan, with the values it read."""
        values = self._values()
        return tuple(rule.result(values, held=answer) for rule, answer in zip(self.rules, self.answers, strict=True))

    @property
    def held(self) -> tuple[CriterionResult, ...]:
        """Those of `criteria` that hold."""
        holding = self.holding
        if not holding:
            return ()
        values = self._values()
        return tuple(rule.result(values, held=True) for rule in holding)

    @property
    def held_ids(self) -> tuple[str, ...]:
        """The names of those that hold, sorted."""
        return tuple(sorted([rule.id for rule in self.holding]))

    def in_short(self) -> Answers:
        """All of `criteria` without the words of the plan; `in_full` of the contract is the inverse."""
        known = {**self.facts, **self.counts} if self.counts else self.facts
        values = {name: value for name in self.reads.given if (value := known.get(name)) is not None}
        values.update(self.reads.fixed)
        if self.reads.time:
            values[NOW] = self.now.isoformat()
        return trusted(Answers, results="".join(map(_SIGNS.__getitem__, self.answers)), values=values)

    @property
    def holding(self) -> list[CompiledRule]:
        """The rules of the criteria that hold, in the order of the plan."""
        if True not in self.answers:
            return []
        return [rule for rule, answer in zip(self.rules, self.answers, strict=True) if answer]

    def _values(self) -> dict[str, FactValue | None]:
        return {**self.facts, **self.counts, **self.reads.fixed, NOW: self.now.isoformat()}
