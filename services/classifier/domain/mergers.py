"""Cases that were merged: what one that goes on for others is judged by, and where the others still count."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from shared.contracts.immutable import immutable
from shared.contracts.values import FactValue
from shared.plans.compiled import CompiledPlan, Contribution


@immutable
class Merger:
    """Which case goes on for this one under a plan, as of this revision of the escalator's; None: it does itself."""

    revision: int
    into: UUID | None

    def as_data(self) -> dict[str, Any]:
        """The merger as values that JSON takes; `merger_from_data` is the inverse."""
        return {"revision": self.revision, "into": str(self.into) if self.into is not None else None}


def merger_from_data(data: Mapping[str, Any]) -> Merger:
    """The merger stored by `as_data`."""
    return Merger(data["revision"], UUID(data["into"]) if data["into"] else None)


@immutable
class Absorbed:
    """What is known of a case that was merged into another. `proposed`: the facts that only words of its text give."""

    facts: Mapping[str, FactValue]
    proposed: frozenset[str] = frozenset()

    def as_data(self) -> dict[str, Any]:
        """The facts as values that JSON takes; `absorbed_from_data` is the inverse."""
        return {"facts": self.facts, "proposed": sorted(self.proposed)}


def absorbed_from_data(data: Mapping[str, Any]) -> Absorbed:
    """The facts stored by `as_data`."""
    return Absorbed(data["facts"], frozenset(data["proposed"]))


def given_elsewhere(absorbed: Mapping[str, Absorbed], known: Iterable[str]) -> dict[str, FactValue]:
    """Facts that were given of absorbed cases and are not among those known here: of the earliest case that has them.

    Ids rise with time, so the same cases give the same facts in whatever order they were merged.
    """
    return _united(absorbed, known, proposed=False)


def proposed_elsewhere(absorbed: Mapping[str, Absorbed], known: Iterable[str]) -> dict[str, FactValue]:
    """Facts that only texts of absorbed cases propose, as far as nothing known here speaks of them."""
    return _united(absorbed, known, proposed=True)


def _united(absorbed: Mapping[str, Absorbed], known: Iterable[str], *, proposed: bool) -> dict[str, FactValue]:
    if not absorbed:
        return {}
    names = set(known)
    found: dict[str, FactValue] = {}
    for case_id in sorted(absorbed):
        one = absorbed[case_id]
        for name, value in one.facts.items():
            if name not in names and (name in one.proposed) is proposed:
                found.setdefault(name, value)
    return found


def still_counts(plan: CompiledPlan, contribution: Contribution, merger: Merger | None) -> bool:
    """Whether a case is counted by itself: one that was merged is not a case more, but a place more it may be."""
    return merger is None or merger.into is None or plan.windows[contribution.window_id].spec.distinct is not None
