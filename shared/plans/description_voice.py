"""The pieces of a plan in words: levels, milestones, roles, lengths with parameters put in, conditions as written."""

from collections.abc import Iterable
from typing import Any

from shared.plans.conditions import condition_text
from shared.plans.description_words import CHANNELS, EVERY, MILESTONES, Said, joined, length, plain
from shared.plans.model import Condition, ParameterRef, Plan

Row = tuple[Said, ...]
Table = tuple[str, Said, tuple[Said, ...], list[Row]]
"""Id, title, columns, rows."""


class Voice:
    """Says the pieces of one plan: names in both languages, parameters put in."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._milestones = {**MILESTONES, **{one.id: Said(one.zh, one.en) for one in plan.milestones}}
        self._levels = {
            level.id: Said(level.zh, level.en, rank=rank) for rank, level in enumerate(plan.levels, start=1)
        }

    def level(self, name: str) -> Said:
        return self._levels.get(name, plain(name))

    def milestone(self, name: str) -> Said:
        return self._milestones.get(name, plain(name))

    def condition(self, when: Condition | None) -> Said:
        text = condition_text(when) if when is not None else ""
        return Said(text, text, code=True)

    def roles(self, roles: tuple[str, ...] | ParameterRef) -> Said:
        value = self.plan.parameters[roles.parameter].value if isinstance(roles, ParameterRef) else roles
        return plain(", ".join(value) if isinstance(value, tuple) else value)

    def value(self, written: Any) -> Said:
        """A length, a count or a period, with the value of its parameter and whether that is assumed."""
        said = self.bare(written)
        if isinstance(written, ParameterRef) and self.plan.parameters[written.parameter].assumed:
            return Said(f"{said.zh}（假定）", f"{said.en} (assumed)")
        return said

    def bare(self, written: Any) -> Said:
        """The same without a word about assumptions."""
        value = self.plan.parameters[written.parameter].value if isinstance(written, ParameterRef) else written
        return EVERY.get(str(value), length(str(value)))

    def where(self, levels: tuple[str, ...], when: Condition | None) -> Said:
        named = joined([self.level(name) for name in levels])
        return joined([named, self.condition(when)], "；", "; ")

    def source(self, entry: Any) -> Said:
        """Where it stands in the document; some entries have no source or cannot be assumed."""
        text = plain(entry.source or "")
        if getattr(entry, "assumed", False):
            return joined([text, Said("假定", "assumed")])
        return text

    def channels(self, channels: Iterable[str], *, together: bool) -> Said:
        said = [CHANNELS.get(str(channel), plain(channel)) for channel in channels]
        return joined(said, " + " if together else " → ", " + " if together else " → ")
