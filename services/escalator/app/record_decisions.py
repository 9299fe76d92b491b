"""Makes decisions durable: state, history, fires, timers and outgoing events, all in the caller's transaction."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.escalator.domain.case import Case
from services.escalator.domain.decision import Armed, Decision, Timer
from services.escalator.domain.light import Card, Mark, card_of, entry_of, told_with
from services.escalator.domain.publishing import merged, published
from services.escalator.domain.settlement import NOBODY
from services.escalator.domain.time_bases import Rules
from services.escalator.store import cases, history, retention, timers
from services.escalator.store.cases import CaseKey, StoredCase
from services.escalator.store.history import ChangeRow, EntryRow, FireIdentity, FireRow
from services.escalator.store.timers import TimerRow
from shared.contracts.envelope import Event
from shared.contracts.escalations import ChangeKind
from shared.contracts.values import Contract
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import CHAINS_ENDED, CLOCKS_FIRED, MESSAGES_TURNED
from shared.runtime.tracing import next_span

_log = get_logger(__name__)
SOURCE: Final = "/fenghuo/escalator"
Wake = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision with what led to it. `before` is None for a case that is opened.

    `rules_before` are those of `before`, where the case has gone over to others. `marks` are the light firings that
    its case had and its stored state had not: they enter the log before it.
    """

    rules: Rules
    before: Case | None
    decision: Decision
    cause: str
    traceparent: str | None
    marks: tuple[Mark, ...] = ()
    rules_before: Rules | None = None

    @property
    def is_new(self) -> bool:
        """The case has not been under this text of its plan before."""
        return self.before is None or self.rules_before is not None

    @property
    def key(self) -> CaseKey:
        return self.decision.case.case_id, self.decision.case.plan.name


async def record_decisions(tx: Tx, decided: Sequence[Decided], *, ids: Ids, wake: Wake) -> int:
    """Write everything these decisions ask for, in their order; the number of thresholds fired.

    A threshold somebody fired before is not told a second time: the case moves on, silently. `wake` is called after
    the commit with the earliest instant that was armed.
    """
    event_ids = [ids.new() for _ in decided]
    fires = [
        FireRow(one.key, fire, event_id)
        for one, event_id in zip(decided, event_ids, strict=True)
        for fire in one.decision.fires
    ]
    ours = await history.record_fires(tx, fires)
    told = [pair for pair in zip(decided, event_ids, strict=True) if _all_ours(pair[0], ours)]
    cards: dict[CaseKey, Card | None] = {}
    for one, event_id in told:
        cards[one.key] = _publish(tx, one, event_id, ids)
    _write_cases(tx, decided, cards)
    history.add_changes(tx, [row for one, _ in told for row in _change_rows(one)])
    history.add_entries(
        tx,
        [
            EntryRow(one.key, entry, one.cause)
            for one in decided
            for entry in (*map(entry_of, one.marks), *one.decision.entries)
        ],
    )
    _sync_timers(tx, decided, wake)
    retention.note_holds(tx, *_holds(decided))
    counts = _count(one for one, _ in told)
    if counts:
        tx.after_commit.append(lambda: _tell(counts))
    return len(ours)


def _all_ours(one: Decided, ours: frozenset[FireIdentity]) -> bool:
    lost = [fire for fire in one.decision.fires if FireRow(one.key, fire, one.key[0]).identity not in ours]
    if lost:
        _log.error("timer.fired_before", case_id=str(one.key[0]), subject=lost[0].subject, threshold=lost[0].threshold)
    return not lost


def _publish(tx: Tx, one: Decided, event_id: UUID, ids: Ids) -> Card | None:
    """Put the decision into the outbox; the card for light firings after it, None when nothing was published."""
    escalated = published(one.rules, one.decision, tx.now)
    card: Card | None = None
    if escalated is not None and any(timer.ahead is not None for timer in one.decision.timers):
        card = card_of(one.rules, escalated, one.decision.case)
    bodies: list[tuple[UUID, Contract]] = [(ids.new(), request) for request in one.decision.requests]
    if (elsewhere := merged(one.before, one.decision.case, tx.now)) is not None:
        bodies.insert(0, (ids.new(), elsewhere))
    if escalated is not None:
        bodies.insert(0, (event_id, escalated))
    for identity, body in bodies:
        event = Event(
            id=identity,
            source=SOURCE,
            time=tx.now,
            org=one.decision.case.org,
            case_id=one.key[0],
            data=body,
            causation=one.cause,
            traceparent=next_span(one.traceparent),
        )
        whole = told_with(card, escalated) if card is not None and escalated is not None and body is escalated else None
        tx.outbox.add(event, whole)
    return card


def _change_rows(one: Decided) -> Iterator[ChangeRow]:
    for position, change in enumerate(one.decision.changes):
        yield ChangeRow(one.key, one.decision.case.revision, position, change, one.cause)


def _write_cases(tx: Tx, decided: Sequence[Decided], cards: Mapping[CaseKey, Card | None]) -> None:
    opened = {one.key for one in decided if one.before is None}
    # The last decision's card alone says how the case is now; one that published nothing leaves none.
    last = {
        one.key: StoredCase(one.decision.case, one.traceparent, cards.get(one.key), timers=len(one.decision.timers))
        for one in decided
    }
    cases.insert_cases(tx, [stored for key, stored in last.items() if key in opened])
    cases.update_cases(tx, [stored for key, stored in last.items() if key not in opened])


def _holds(decided: Sequence[Decided]) -> tuple[dict[UUID, Case], set[UUID]]:
    """Cases that are held from now on, and those that no longer are: a hold is the case's under all its plans."""
    after = {
        one.key[0]: one.decision.case
        for one in decided
        if (one.before.hold if one.before is not None else None) != one.decision.case.hold
    }
    return (
        {case_id: case for case_id, case in after.items() if case.hold is not None},
        {case_id for case_id, case in after.items() if case.hold is None},
    )


def _sync_timers(tx: Tx, decided: Sequence[Decided], wake: Wake) -> None:
    """Write only what differs from what the cases had armed before."""
    before: dict[CaseKey, Armed | None] = {}
    after: dict[CaseKey, Decided] = {}
    for one in decided:
        if one.key not in before:
            rules = one.rules_before or one.rules
            before[one.key] = Armed(one.before, rules) if one.before is not None else None
        after[one.key] = one
    gone: list[tuple[CaseKey, str]] = []
    new: list[TimerRow] = []
    for key, had in before.items():
        now = after[key]
        wanted: Sequence[Timer] = now.decision.timers
        if had is not None:
            subjects, wanted = had.differs(now.decision.case, now.rules, wanted)
            gone += ((key, subject) for subject in subjects)
        new += (TimerRow(key, timer) for timer in wanted)
    timers.disarm(tx, sorted(gone))
    timers.arm(tx, new)
    if new:
        earliest = min(row.timer.due_at for row in new)
        tx.after_commit.append(lambda: wake(earliest))


def _count(decided: Iterable[Decided]) -> Counter[tuple[str, str]]:
    """How often what is counted happened, by metric and label: kept instead of the decisions, which are many."""
    found: Counter[tuple[str, str]] = Counter()
    for one in decided:
        for fire in one.decision.fires:
            found["fired", "superseded" if fire.superseded else fire.subject.partition(":")[0]] += 1
        if any(change.kind is ChangeKind.CHAIN_ENDED for change in one.decision.changes):
            found["chain ended", one.key[1]] += 1
        for change in one.decision.changes:
            if change.kind is ChangeKind.NOTIFICATION_FAILED and "instead" in change.details:
                found["turned", "nobody" if change.details["instead"] == NOBODY else "tier"] += 1
    return found


def _tell(counts: Counter[tuple[str, str]]) -> None:
    for (metric, label), count in counts.items():
        _COUNTERS[metric].labels(label).inc(count)


_COUNTERS: Final = {"fired": CLOCKS_FIRED, "chain ended": CHAINS_ENDED, "turned": MESSAGES_TURNED}
