"""What a case expected the plan to ask for, against what it asked."""

from collections.abc import Iterable, Iterator

from services.drill.domain.asked import Asked
from services.drill.domain.timeline import Outcome
from shared.plans.cases import Case, ConsequenceExpectation, Expectation
from shared.plans.limits import parse_elapsed
from shared.plans.obligations import ProposedConsequence

_CLOSE_ENOUGH = 1e-9


def differences_in_asked(case: Case, outcome: Outcome) -> Iterator[str]:
    """One sentence for each difference."""
    expect = case.expect
    yield from _lists(expect, outcome.asked)
    yield from _duties(expect, outcome.asked)
    if expect.consequences is not None:
        yield from _consequences(expect.consequences, outcome.asked.consequences)
    yield from _notices(expect, outcome)
    yield from _approvals(expect, outcome.asked)
    if expect.activated is not None and expect.activated is not outcome.asked.activated:
        found = "no gate" if outcome.asked.activated is None else outcome.asked.activated
        yield f"activated: expected {expect.activated}, found {found}"
    if expect.warning_ended is not None:
        at = outcome.start + parse_elapsed(expect.warning_ended)
        if outcome.warning_ended != at:
            yield f"warning_ended: expected {at.isoformat()}, found {outcome.warning_ended}"


def _lists(expect: Expectation, found: Asked) -> Iterator[str]:
    for name in ("opened", "record_missing", "checklist_open", "bypasses"):
        wanted, came = getattr(expect, name), getattr(found, name)
        if wanted is not None and sorted(wanted) != sorted(came):
            yield f"{name}: expected {_listed(wanted)}, found {_listed(came)}"
    if expect.proposed is not None and dict(expect.proposed) != dict(found.proposed):
        yield f"proposed: expected {dict(expect.proposed)}, found {dict(found.proposed)}"


def _duties(expect: Expectation, found: Asked) -> Iterator[str]:
    due = {(one.at, one.duty) for one in found.duties}
    for duty in expect.duties:
        if (duty.at, duty.duty) not in due:
            others = sorted(at.isoformat() for at, name in due if name == duty.duty)
            yield f"duties: expected {duty.duty} at {duty.at.isoformat()}, found {_listed(others)}"


def _notices(expect: Expectation, outcome: Outcome) -> Iterator[str]:
    came = [(one.at - outcome.start, one.notice) for one in outcome.asked.notices]
    for wanted in expect.notices:
        if (parse_elapsed(wanted.at), wanted.notice) not in came:
            others = [f"{notice} at {at}" for at, notice in came]
            yield f"notices: expected {wanted.notice} at {wanted.at}, found {_listed(others)}"


def _approvals(expect: Expectation, found: Asked) -> Iterator[str]:
    for name, wanted in expect.approvals.items():
        asked = found.approvals.get(name)
        if asked is None:
            yield f"approvals.{name}: expected {wanted.state}, but was never asked for"
            continue
        if asked.state != wanted.state:
            yield f"approvals.{name}.state: expected {wanted.state}, found {asked.state}"
        if wanted.step is not None and asked.step != wanted.step:
            yield f"approvals.{name}.step: expected {wanted.step}, found {asked.step}"


def _consequences(wanted: tuple[ConsequenceExpectation, ...], found: tuple[ProposedConsequence, ...]) -> Iterator[str]:
    came = {one.consequence.id: one for one in found}
    if sorted(one.id for one in wanted) != sorted(came):
        yield f"consequences: expected {_listed(one.id for one in wanted)}, found {_listed(came)}"
        return
    for one in wanted:
        for name in ("amount", "up_to"):
            amount, computed = getattr(one, name), getattr(came[one.id], name)
            if name in one.model_fields_set and not _same(amount, computed):
                yield f"consequences.{one.id}.{name}: expected {amount}, found {computed}"


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _CLOSE_ENOUGH * max(1.0, abs(one))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
