"""Taking one case apart: which reports and facts go to a new one, and what is left of the old one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.intake.domain.bodies import Route
from services.intake.domain.reports import Parted
from shared.contracts.values import CaseKind, FactValue

_LONGEST_REFERENCE: Final = 120
_ABOUT: Final = ("channel", "topic", "category", "title", "place", "occurred_at", "complainant", "status")
_OF_THE_CASE: Final = ("plans", "language", "drill", "status")


class SplitRefusedError(ValueError):
    """The split cannot be done; `field` is the argument at fault."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class Told:
    """A report as it was posted; `body` is None where the complainant was erased."""

    sequence: int
    received_at: datetime
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class SplitWanted:
    """What somebody wants to move. `reference` None: made from the old one's."""

    facts: tuple[str, ...]
    reports: tuple[int, ...]
    reference: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Split:
    """Two bodies as the sources might have posted them, and what the split adds to each."""

    route: Route
    new: dict[str, Any]
    new_parted: Parted
    old: dict[str, Any]
    old_parted: Parted


def wanted_from(arguments: Mapping[str, FactValue]) -> SplitWanted:
    """What the arguments `facts`, `reports`, `reference` and `title` say. Raises SplitRefusedError."""
    facts, reports = _words(arguments.get("facts")), _words(arguments.get("reports"))
    if not facts and not reports:
        raise SplitRefusedError("facts", "name the facts or the reports that go to the new case")
    if any(not one.isascii() or not one.isdigit() for one in reports):
        raise SplitRefusedError("reports", "give the numbers of reports, such as 2")
    reference, title = (arguments.get(name) for name in ("reference", "title"))
    return SplitWanted(
        facts,
        tuple(sorted({int(one) for one in reports})),
        (reference.strip() or None) if isinstance(reference, str) else None,
        (title.strip() or None) if isinstance(title, str) else None,
    )


def split(kind: CaseKind, number: str, told: Sequence[Told], wanted: SplitWanted, *, mark: str) -> Split:
    """Divide what was `told` of the case (oldest first). `mark` makes the ids of the two reports.

    A chosen report goes with its words, its complainant and its facts; where a report that stays gave the same fact
    too, the old case keeps that value. A fact chosen by name goes with its latest value. The new case occurred and was
    received when what it is made of was. Raises SplitRefusedError where something named is not there, cannot be read
    any more, or where nothing would be left.
    """
    chosen = _chosen(told, wanted)
    readable = [one.body for one in told if one.body is not None]
    staying = [one.body for one in told if one.body is not None and one.sequence not in wanted.reports]
    if not staying:
        raise SplitRefusedError("reports", "something must stay with the case")
    known, kept = _facts(readable), _facts(staying)
    missing = [name for name in wanted.facts if name not in known]
    if missing:
        raise SplitRefusedError("facts", f"the case has no {', '.join(missing)}")
    moved = _facts([one.body for one in chosen if one.body is not None])
    gone = [name for name in moved if known[name] == moved[name] and kept.get(name) != moved[name]]
    left = {name: kept[name] for name in gone if name in kept and name not in wanted.facts}
    facts = moved | {name: known[name] for name in wanted.facts}
    if not chosen and set(facts) == set(known) and not any(body.get("narrative") for body in readable):
        raise SplitRefusedError("facts", "something must stay with the case")
    first = chosen[0] if chosen else told[0]
    source = [one.body for one in chosen if one.body is not None] or readable
    base = {"source": readable[0]["source"], "reference": readable[0]["reference"]}
    case = _latest(readable, _OF_THE_CASE)
    if any(body.get("confidential") for body in readable):
        case["confidential"] = True
    new = {
        **base,
        **case,
        **_latest(source, _ABOUT),
        "id": f"split-{mark}",
        "reference": wanted.reference or f"{base['reference'][: _LONGEST_REFERENCE - 5]}/{len(told) + 1}",
        "facts": facts,
    }
    if wanted.title is not None:
        new["title"] = wanted.title
    narrative = "\n".join(body["narrative"] for body in source if chosen and body.get("narrative"))
    if narrative:
        new["narrative"] = narrative
    names = dict.fromkeys((*wanted.facts, *(name for name in gone if name not in left)))
    return Split(
        Route(kind.value),
        new,
        Parted(split_from=number, received_at=first.received_at),
        {**base, **case, "id": f"split-off-{mark}", "facts": left},
        Parted(facts=tuple(names), reports=wanted.reports),
    )


def _chosen(told: Sequence[Told], wanted: SplitWanted) -> list[Told]:
    by_sequence = {one.sequence: one for one in told}
    for sequence in wanted.reports:
        if sequence not in by_sequence:
            raise SplitRefusedError("reports", f"the case has no report {sequence}")
        if by_sequence[sequence].body is None:
            raise SplitRefusedError("reports", f"report {sequence} cannot be read any more: its complainant was erased")
    return [by_sequence[sequence] for sequence in wanted.reports]


def _facts(bodies: Iterable[Mapping[str, Any]]) -> dict[str, FactValue]:
    found: dict[str, FactValue] = {}
    for body in bodies:
        found |= body.get("facts") or {}
    return found


def _latest(bodies: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Any]:
    return {
        name: next(body[name] for body in reversed(bodies) if body.get(name))
        for name in names
        if any(body.get(name) for body in bodies)
    }


def _words(value: FactValue | None) -> tuple[str, ...]:
    """A list, or one text with commas between."""
    given = value.replace("，", ",").split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(word.strip() for word in given if word.strip()))
