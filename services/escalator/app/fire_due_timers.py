"""Lets time pass: fires what has come due, a batch in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from services.escalator.app.record_decisions import SOURCE, Decided, Wake, record_decisions
from services.escalator.domain.case import Case
from services.escalator.domain.decision import Fire, armed_for
from services.escalator.domain.firing import fire
from services.escalator.domain.light import Card, LightFire, Mark, Shown, fire_lightly
from services.escalator.domain.time_bases import Rules
from services.escalator.store.cases import CaseKey, StoredCase, mark_fired, marks_from, read_bodies
from services.escalator.store.history import FireRow, record_fires
from services.escalator.store.plans import Plans
from services.escalator.store.timers import EVER, DueTimer, TimerRow, arm, claim_due, disarm, first_in_lanes
from shared.contracts.envelope import record_headers
from shared.contracts.escalations import CaseEscalatedV1
from shared.contracts.notifications import NotificationRequestedV1
from shared.contracts.topics import CASES_ESCALATED, NOTIFICATIONS_REQUESTED
from shared.db.engine import Database
from shared.db.outbox import headers_to_text
from shared.db.tx import Tx
from shared.runtime.clock import monotonic
from shared.runtime.ids import Ids
from shared.runtime.metrics import CLOCK_LATENESS, CLOCKS_FIRED
from shared.runtime.tracing import next_span

BATCH: Final = 500
_UNSURE: Final = timedelta(minutes=2)
"""Longer than any transaction lasts and two machines' clocks differ: nothing is armed further in the past."""
_LOOK_EVERYWHERE_EVERY_S: Final = 10.0
_AN_ID: Final = "00000000-0000-0000-0000-000000000001"
_A_CASE: Final = "00000000-0000-0000-0000-000000000002"
_A_SPAN: Final = "00-00000000000000000000000000000003-0000000000000003-01"


@dataclass(frozen=True, slots=True)
class Swept:
    """`claimed` timers were looked at, `fired` thresholds passed. `next_due` is the earliest one still armed."""

    claimed: int
    fired: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class _Light:
    due: DueTimer
    result: LightFire
    event_id: UUID

    @property
    def row(self) -> FireRow:
        timer = self.due.timer
        return FireRow(
            self.due.key, Fire(timer.subject, timer.generation, timer.threshold, timer.due_at), self.event_id
        )


class FireDueTimers:
    """Any number of processes may call this at once: each timer is fired by one of them, exactly once.

    It remembers below which instant nothing is armed, so that a poll does not walk over what was fired before, which
    stays in the index for as long as any transaction anywhere might still see it.
    """

    def __init__(self, database: Database, plans: Plans, ids: Ids, wake: Wake, *, batch: int = BATCH) -> None:
        self._database = database
        self._plans = plans
        self._ids = ids
        self._wake = wake
        self._batch = batch
        self._floor = EVER
        self._looked_everywhere_at = 0.0

    async def __call__(self) -> Swept:
        """Fire at most one batch of due timers: the highest levels first, the earliest first within."""
        if monotonic() - self._looked_everywhere_at > _LOOK_EVERYWHERE_EVERY_S:
            self._floor = EVER
        async with self._database.transaction() as tx:
            firsts = await self._firsts(tx)
            lanes = [lane for lane, first in firsts.items() if first <= tx.now]
            due = await claim_due(tx, lanes, self._batch, self._floor) if lanes else []
            fired = await self._fire(tx, due) if due else 0
            if due:
                firsts = await self._firsts(tx)
            following = min(firsts.values(), default=None)
        return Swept(len(due), fired, following)

    @property
    def floor(self) -> datetime:
        """Below this instant nothing is armed, as far as this process knows."""
        return self._floor

    def lower_floor(self, due_at: datetime) -> None:
        """Something was armed for this instant by this process."""
        self._floor = min(self._floor, due_at)

    async def _firsts(self, tx: Tx) -> dict[int, datetime]:
        everywhere = self._floor == EVER
        firsts = await first_in_lanes(tx, self._floor)
        self._floor = min(min(firsts.values(), default=tx.now), tx.now - _UNSURE)
        if everywhere:
            self._looked_everywhere_at = monotonic()
        return firsts

    async def _fire(self, tx: Tx, due: list[DueTimer]) -> int:
        light = await self._fire_lightly(tx, due)
        alone = {one.due.key for one in light}
        full = [one for one in due if one.key not in alone]
        fired = await self._fire_fully(tx, full) if full else 0
        tx.after_commit.append(lambda: _observe_lateness(due, self._database.clock.now()))
        return fired + len(light)

    async def _fire_lightly(self, tx: Tx, due: list[DueTimer]) -> list[_Light]:
        """Fire what can be fired without its case; a case of which anything cannot is left for a full decision."""
        results: dict[CaseKey, list[_Light]] = {}
        needed: set[CaseKey] = set()
        cards: dict[CaseKey, Card | None] = {}
        for one in due:
            if one.key in needed:
                continue
            if one.key not in cards:
                cards[one.key] = one.card
            done = results.setdefault(one.key, [])
            result = self._light(one, cards[one.key], [other.result.mark for other in done], tx.now)
            if result is None:
                needed.add(one.key)
            else:
                done.append(_Light(one, result, self._ids.new()))
        return await self._record_light(tx, [one for key, done in results.items() if key not in needed for one in done])

    def _light(self, one: DueTimer, card: Card | None, marks: list[Mark], now: datetime) -> LightFire | None:
        rules = self._plans.find_by_hash(one.row["plan_sha256"])
        if card is None or rules is None:
            return None
        shown = Shown(one.key[0], card, (*marks_from(one.row["fired"]), *marks), one.row["revision"] + len(marks))
        return fire_lightly(rules.of(one.row["org"]), shown, one.timer, now)

    async def _record_light(self, tx: Tx, wanted: list[_Light]) -> list[_Light]:
        """Those that nobody had fired before. The others were read as they stood a moment ago: a full look decides."""
        ours = await record_fires(tx, [one.row for one in wanted])
        light = [one for one in wanted if one.row.identity in ours]
        marks: dict[CaseKey, list[Mark]] = {}
        for one in light:
            marks.setdefault(one.due.key, []).append(one.result.mark)
            self._publish(tx, one)
        await mark_fired(tx, tx.now, marks)
        await disarm(tx, sorted((one.due.key, one.due.timer.subject) for one in light if one.result.following is None))
        following = [TimerRow(one.due.key, one.result.following) for one in light if one.result.following is not None]
        await arm(tx, following)
        tx.after_commit.append(lambda: CLOCKS_FIRED.labels("clock").inc(len(light)))
        return light

    def _publish(self, tx: Tx, one: _Light) -> None:
        timer, row = one.due.timer, one.due.row
        cause = f"{timer.subject}/{timer.generation}/{timer.threshold}"
        bodies = [(one.event_id, CASES_ESCALATED.name, CaseEscalatedV1.TYPE, one.result.escalated)]
        if one.result.request is not None:
            bodies.append(
                (self._ids.new(), NOTIFICATIONS_REQUESTED.name, NotificationRequestedV1.TYPE, one.result.request)
            )
        case_id = str(one.due.key[0])
        for identity, topic, kind, body in bodies:
            headers = _headers(kind, tx.now, row["org"], cause)
            headers = headers.replace(_AN_ID, str(identity)).replace(_A_CASE, case_id)
            headers = headers.replace(_A_SPAN, next_span(row["traceparent"]))
            tx.outbox.add_stored(topic, case_id.encode(), headers, body.encode(), event_id=identity)

    async def _fire_fully(self, tx: Tx, due: list[DueTimer]) -> int:
        stored = await read_bodies(tx, list(dict.fromkeys(one.key for one in due)))
        await self._plans.load(tx, {one.case.plan for one in stored.values()})
        cases: dict[CaseKey, Case] = {}
        decided: list[Decided] = []
        void: list[DueTimer] = []
        for one in due:
            known = stored[one.key]
            case = cases.get(one.key, known.case)
            rules = self._rules(case)
            decision = fire(rules, case, one.timer, tx.now)
            if decision.ignored is not None:
                void.append(one)
                continue
            marks = known.marks if one.key not in cases else ()
            cases[one.key] = decision.case
            cause = f"{one.timer.subject}/{one.timer.generation}/{one.timer.threshold}"
            decided.append(Decided(rules, case, decision, cause, known.traceparent, marks))
        await self._rearm(tx, void, stored, cases)
        return await record_decisions(tx, decided, ids=self._ids, wake=self._wake)

    def _rules(self, case: Case) -> Rules:
        rules = self._plans.find(case.plan)
        if rules is None:
            raise LookupError(f"the snapshot of plan '{case.plan.name}' {case.plan.sha256} is missing")
        return rules

    async def _rearm(
        self, tx: Tx, void: list[DueTimer], stored: dict[CaseKey, StoredCase], moved: dict[CaseKey, Case]
    ) -> None:
        """Put right what the table says about timers that no longer count, so that they are not found again."""
        gone, wanted = [], []
        for one in void:
            case = moved.get(one.key, stored[one.key].case)
            timer = armed_for(one.timer.subject, case, self._rules(case))
            if timer is None:
                gone.append((one.key, one.timer.subject))
            else:
                wanted.append(TimerRow(one.key, timer))
        await disarm(tx, gone)
        await arm(tx, wanted)


@lru_cache(maxsize=1024)
def _headers(kind: str, time: datetime, org: str, cause: str) -> str:
    """Stored headers of one kind of event, alike for all that fire at one moment but for what stands in for ids."""
    headers = record_headers(
        event_id=UUID(_AN_ID),
        source=SOURCE,
        kind=kind,
        time=time,
        org=org,
        case_id=UUID(_A_CASE),
        causation=cause,
        traceparent=_A_SPAN,
    )
    return headers_to_text(headers)


def _observe_lateness(due: Iterable[DueTimer], now: datetime) -> None:
    for one in due:
        CLOCK_LATENESS.observe((now - one.timer.due_at).total_seconds())
