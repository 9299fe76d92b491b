"""When two cases are one event: all names of a rule are known and equal, and they came close enough to each other."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from shared.contracts.classifications import DuplicateOf
from shared.contracts.values import FactValue
from shared.plans.compiled import CaseView, CompiledPlan
from shared.plans.inputs import inputs_of
from shared.plans.obligations import CompiledDuplicate
from shared.plans.windows import text_read


@dataclass(frozen=True, slots=True)
class Mark:
    """One case under one rule. Cases with the same `id` have equal values; drills are apart from real ones."""

    id: UUID
    case_id: UUID
    number: str
    received_at: datetime
    within: timedelta

    @property
    def lock(self) -> int:
        """A signed 64-bit key: cases with one mark are looked at one after the other."""
        return int.from_bytes(self.id.bytes[:8], "big", signed=True)


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark with the rule that made it."""

    rule: CompiledDuplicate
    mark: Mark

    def duplicate_of(self, other: Mark) -> DuplicateOf:
        return DuplicateOf(case_id=other.case_id, number=other.number, rule=self.rule.id, then=self.rule.then)


def marks_of(
    plan: CompiledPlan, case_id: UUID, view: CaseView, facts: dict[str, FactValue], *, number: str, drill: bool
) -> Iterator[Marked]:
    """The marks of a case, one for each rule that speaks about it, in the plan's order."""
    for rule in plan.duplicates:
        values = [text_read(name, plan.plan.facts)(view) for name in rule.same]
        if None in values or not plan.same_event(rule, inputs_of(view, facts)):
            continue
        told = json.dumps([view.org, plan.name, drill, rule.id, values], ensure_ascii=False)
        mark = UUID(bytes=sha256(told.encode()).digest()[:16])
        yield Marked(rule, Mark(mark, case_id, number, view.received_at, rule.within))
