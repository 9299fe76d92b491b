"""What a case expected against what came: one sentence for each difference."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from services.drill.domain.comparison_of_asked import differences_in_asked
from services.drill.domain.timeline import Ended, Outcome, Told, Which
from shared.plans.cases import Case, Climb, ClockExpectation
from shared.plans.cases import Told as ToldExpectation
from shared.plans.limits import parse_elapsed


def differences(case: Case, outcome: Outcome) -> tuple[str, ...]:
    """Empty when everything the case expects came true."""
    return tuple(_differences(case, outcome))


def _differences(case: Case, outcome: Outcome) -> Iterator[str]:
    expect = case.expect
    yield from outcome.refused
    for on, prefix in (("case", ""), ("warning", "warning_")):
        ended = outcome.case if on == "case" else outcome.warning
        level, decided_by = (ended.case.level, ended.case.decided_by) if ended else (None, None)
        for name, found in (("level", level), ("decided_by", decided_by)):
            wanted = getattr(expect, f"{prefix}{name}")
            if expect.checks(f"{prefix}{name}") and wanted != found:
                yield f"{prefix}{name}: expected {wanted}, found {found}"
    if expect.climbs is not None:
        yield from _climbs("climbs", expect.climbs, outcome, "case")
    if expect.warning_climbs is not None:
        yield from _climbs("warning_climbs", expect.warning_climbs, outcome, "warning")
    ended = outcome.case
    if expect.state is not None and (ended is None or ended.case.state is not expect.state):
        yield f"state: expected {expect.state}, found {ended.case.state if ended else None}"
    tier = ended.case.ladder.tier if ended is not None and ended.case.ladder is not None else None
    if expect.tier is not None and tier != expect.tier:
        yield f"tier: expected {expect.tier}, found {tier}"
    yield from _clocks("clocks", expect.clocks, outcome.case, outcome.start)
    yield from _clocks("warning_clocks", expect.warning_clocks, outcome.warning, outcome.start)
    yield from _told(case, outcome)
    yield from differences_in_asked(case, outcome)


def _climbs(name: str, wanted: tuple[Climb, ...], outcome: Outcome, on: Which) -> Iterator[str]:
    expected = [(parse_elapsed(climb.at), climb.level) for climb in wanted]
    found = [(at - outcome.start, level) for at, level in outcome.climbs(on)]
    if expected != found:
        yield f"{name}: expected {_shown(expected)}, found {_shown(found)}"


def _shown(climbs: list[tuple[timedelta, str]]) -> str:
    return ", ".join(f"{level} at {after(at)}" for at, level in climbs) or "none"


def _clocks(name: str, wanted: Mapping[str, ClockExpectation], ended: Ended | None, start: datetime) -> Iterator[str]:
    found = {clock.id: clock for clock in ended.clocks} if ended else {}
    for clock_id, expected in wanted.items():
        clock = found.get(clock_id)
        if clock is None:
            yield f"{name}.{clock_id}: expected to run, but never started"
            continue
        if expected.state is not None and clock.state is not expected.state:
            yield f"{name}.{clock_id}.state: expected {expected.state}, found {clock.state}"
        if expected.due_at is not None and clock.due_at != expected.due_at:
            found_at = clock.due_at.astimezone(expected.due_at.tzinfo).isoformat() if clock.due_at else None
            yield f"{name}.{clock_id}.due_at: expected {expected.due_at.isoformat()}, found {found_at}"
        granted = sum(1 for one in ended.case.extensions if one.clock == clock_id and one.approved) if ended else 0
        if expected.extended is not None and granted != expected.extended:
            yield f"{name}.{clock_id}.extended: expected {expected.extended}, found {granted}"
        due = clock.due_at - start if clock.due_at is not None else None
        if expected.due is not None and due != parse_elapsed(expected.due):
            yield f"{name}.{clock_id}.due: expected {expected.due}, found {after(due) if due is not None else None}"


def _told(case: Case, outcome: Outcome) -> Iterator[str]:
    unexpected = list(outcome.told)
    for wanted in case.expect.told:
        matching = [told for told in outcome.told if _fits(wanted, told, outcome.start)]
        if not matching:
            about = " ".join(str(part) for part in (wanted.purpose, wanted.channel) if part)
            yield f"told: expected {wanted.role} at {wanted.at}{' ' + about if about else ''}, but was not told"
        unexpected = [told for told in unexpected if told not in matching]
    if case.expect.nobody_else:
        for told in unexpected:
            yield f"told: {told.role} was told at {after(told.at - outcome.start)} ({told.purpose}), not expected"


def _fits(wanted: ToldExpectation, told: Told, start: datetime) -> bool:
    return (
        told.at - start == parse_elapsed(wanted.at)
        and told.role == wanted.role
        and told.on == wanted.on
        and wanted.purpose in {None, told.purpose}
        and (wanted.channel is None or wanted.channel in told.channels)
    )


def after(length: timedelta) -> str:
    """A length of time as a case file writes it, such as `1h30m`; negative ones with a minus."""
    sign = "-" if length < timedelta() else ""
    seconds = abs(round(length.total_seconds()))
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + ("".join(parts) or "0s")
