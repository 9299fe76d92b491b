"""Lets time pass: fires what has come due, a batch in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from services.escalator.app.record_decisions import SOURCE, Decided, Wake, record_decisions
from services.escalator.domain.case import Case
from services.escalator.domain.decision import armed_for, clock_subject
from services.escalator.domain.firing import fire
from services.escalator.domain.light import Head, LightFire, Mark, fire_lightly
from services.escalator.store.cases import CaseKey, StoredCase, marks_from, read_bodies
from services.escalator.store.light_fires import FiredBeforeError, Form, fire_all_lightly
from services.escalator.store.plans import Plans
from services.escalator.store.timers import (
    EVER,
    Alike,
    DueTimer,
    TimerRow,
    Wave,
    arm,
    claim_due,
    disarm,
    first_in_lanes,
    postpone,
)
from shared.contracts.envelope import record_headers
from shared.contracts.escalations import CaseEscalatedV1
from shared.contracts.notifications import NotificationRequestedV1
from shared.db.engine import Database
from shared.db.outbox import headers_to_text
from shared.db.tx import Tx
from shared.runtime.clock import monotonic
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import CLOCK_LATENESS, CLOCKS_FIRED, TIMERS_FAILED

_log = get_logger(__name__)
BATCH: Final = 500
_UNSURE: Final = timedelta(minutes=2)
"""Longer than any transaction lasts and two machines' clocks differ: nothing is armed further in the past."""
_TRIED_AGAIN_AFTER: Final = timedelta(minutes=1)
"""A timer whose case cannot be judged, for its calendar or plan is not here, waits so long for somebody to mend it."""
_LOOK_EVERYWHERE_EVERY_S: Final = 10.0
_AN_ID: Final = "00000000-0000-0000-0000-000000000001"
_A_CASE: Final = "00000000-0000-0000-0000-000000000002"
_A_SPAN: Final = "00-00000000000000000000000000000003-0000000000000003-01"
Turn = list[tuple[Wave, LightFire]]
"""Waves that are fired by one statement, each case once, and how."""
_STAND_INS: Final = (_AN_ID, _A_CASE, _A_CASE, _A_CASE, _A_SPAN)


@dataclass(frozen=True, slots=True)
class Swept:
    """`claimed` timers were looked at, `fired` thresholds passed.

    `next_due` is the earliest one still armed; after a full batch it may be one of those just fired.
    """

    claimed: int
    fired: int
    next_due: datetime | None


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
        self._met: set[tuple[UUID, Alike]] = set()

    async def __call__(self) -> Swept:
        """Fire at most one batch of due timers: the highest levels first, the earliest first within."""
        if monotonic() - self._looked_everywhere_at > _LOOK_EVERYWHERE_EVERY_S:
            self._floor = EVER
        try:
            return await self._sweep(lightly=True)
        except FiredBeforeError:
            return await self._sweep(lightly=False)

    async def _sweep(self, *, lightly: bool) -> Swept:
        async with self._database.transaction() as tx:
            firsts = await self._firsts(tx)
            lanes = [lane for lane, first in firsts.items() if first <= tx.now]
            due = await claim_due(tx, lanes, self._batch, self._floor) if lanes else []
            claimed = sum(len(wave.case_ids) for wave in due)
            fired = await self._fire(tx, due, lightly=lightly) if due else 0
            if 0 < claimed < self._batch:
                firsts = await self._firsts(tx)
            following = min(firsts.values(), default=None)
        return Swept(claimed, fired, following)

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

    async def _fire(self, tx: Tx, due: list[Wave], *, lightly: bool) -> int:
        turns, full = self._divide(due, tx.now) if lightly else ([], _each(due))
        for number, turn in enumerate(turns):
            await self._fire_lightly(tx, turn, again=number > 0)
        fired = await self._fire_fully(tx, full) if full else 0
        tx.after_commit.append(lambda: _observe_lateness(due, self._database.clock.now()))
        return fired + sum(len(wave.case_ids) for turn in turns for wave, _ in turn)

    def _divide(self, due: list[Wave], now: datetime) -> tuple[list[Turn], list[DueTimer]]:
        """What can be fired without its case, and what is left for full decisions.

        The former is divided into turns in which each case comes once. A case of which anything needs a full decision
        is left for it with all it has.
        """
        met, self._met = self._met, set()
        if len({key for wave in due for key in wave.case_ids}) < sum(len(wave.case_ids) for wave in due):
            return self._divide_each(due, met, now)
        turn: Turn = []
        full: list[DueTimer] = []
        for wave in due:
            light = self._lightly(wave.alike, (), now)
            if light is not None:
                turn.append((wave, light))
            else:
                full += (one for one in wave.timers() if not self._left(one, met))
        return ([turn] if turn else []), full

    def _divide_each(
        self, due: list[Wave], met: set[tuple[UUID, Alike]], now: datetime
    ) -> tuple[list[Turn], list[DueTimer]]:
        """`_divide` where cases come more than once: the earlier threshold of a case first."""
        found: dict[CaseKey, list[tuple[DueTimer, LightFire]]] = {}
        needed: set[CaseKey] = set()
        known: dict[tuple[Alike, tuple[Mark, ...]], LightFire | None] = {}
        each = sorted(_each(due), key=lambda one: one.alike.due_at)
        for one in each:
            key = one.key
            if key in needed:
                continue
            turns = found.get(key)
            how = (one.alike, tuple(fire.mark for _, fire in turns) if turns else ())
            if how in known:
                light = known[how]
            else:
                light = known[how] = self._lightly(*how, now)
            if light is None:
                if not self._left(one, met):
                    needed.add(key)
                    found.pop(key, None)
            elif turns:
                turns.append((one, light))
            else:
                found[key] = [(one, light)]
        most = max(map(len, found.values()), default=0)
        divided = [_turn(turns[turn] for turns in found.values() if len(turns) > turn) for turn in range(most)]
        return divided, [one for one in each if one.key in needed]

    def _left(self, one: DueTimer, met: set[tuple[UUID, Alike]]) -> bool:
        """Whether another process has just fired it, and the table was read a moment before.

        Should it still be there at the next look, it is a full decision's business.
        """
        if one[:2] in met or not _was_fired(one.alike):
            return False
        self._met.add(one[:2])
        return True

    def _lightly(self, alike: Alike, marks: tuple[Mark, ...], now: datetime) -> LightFire | None:
        rules = self._plans.find_by_hash(alike.plan_sha256)
        if alike.card_head is None or rules is None:
            return None
        try:
            marks = (*marks_from(alike.fired), *marks)
            return fire_lightly(rules.of(alike.org), Head.load(alike.card_head), marks, alike.timer, now)
        except Exception as error:  # noqa: BLE001  # what stands beside a case must not stop it: the case itself decides
            _log.error("timer.card_unusable", plan=alike.plan, subject=alike.subject, error=repr(error))
            return None

    async def _fire_lightly(self, tx: Tx, turn: Turn, *, again: bool) -> None:
        waves = [wave for wave, _ in turn]
        forms = [_form(wave.alike, light, tx.now) for wave, light in turn]
        await fire_all_lightly(tx, waves, forms, self._ids.new(), again=again)
        count = sum(len(wave.case_ids) for wave in waves)
        tx.after_commit.append(lambda: CLOCKS_FIRED.labels("clock").inc(count))

    async def _fire_fully(self, tx: Tx, due: list[DueTimer]) -> int:
        stored = await read_bodies(tx, list(dict.fromkeys(one.key for one in due)))
        await self._plans.load(tx, {one.case.plan for one in stored.values()})
        cases: dict[CaseKey, Case] = {}
        decided: list[Decided] = []
        void: list[DueTimer] = []
        failed: list[DueTimer] = []
        for one in due:
            known = stored[one.key]
            case = cases.get(one.key, known.case)
            timer = one.alike.timer
            try:
                rules = self._plans.rules_of(case.plan)
                decision = fire(rules, case, timer, tx.now)
            except Exception as error:  # noqa: BLE001  # a case that cannot be judged must not stop the others' clocks
                _log.error("timer.failed", case_id=str(case.case_id), subject=timer.subject, error=repr(error))
                failed.append(one)
                continue
            if decision.ignored is not None:
                void.append(one)
                continue
            marks = known.marks if one.key not in cases else ()
            cases[one.key] = decision.case
            cause = f"{timer.subject}/{timer.generation}/{timer.threshold}"
            decided.append(Decided(rules, case, decision, cause, known.traceparent, marks))
        await self._rearm(tx, void, stored, cases)
        await postpone(tx, [(one.key, one.alike.subject) for one in failed], tx.now + _TRIED_AGAIN_AFTER)
        tx.after_commit.append(lambda: TIMERS_FAILED.inc(len(failed)))
        return await record_decisions(tx, decided, ids=self._ids, wake=self._wake)

    async def _rearm(
        self, tx: Tx, void: list[DueTimer], stored: dict[CaseKey, StoredCase], moved: dict[CaseKey, Case]
    ) -> None:
        """Put right what the table says about timers that no longer count, so that they are not found again."""
        gone, wanted = [], []
        for one in void:
            case = moved.get(one.key, stored[one.key].case)
            timer = armed_for(one.alike.subject, case, self._plans.rules_of(case.plan))
            if timer is None:
                gone.append((one.key, one.alike.subject))
            else:
                wanted.append(TimerRow(one.key, timer))
        disarm(tx, gone)
        arm(tx, wanted)
        await tx.write_now()


def _each(due: Iterable[Wave]) -> list[DueTimer]:
    return [one for wave in due for one in wave.timers()]


def _turn(lights: Iterable[tuple[DueTimer, LightFire]]) -> Turn:
    """Waves again, of what is fired alike."""
    alike: dict[tuple[Alike, int], tuple[LightFire, list[DueTimer]]] = {}
    for one, light in lights:
        alike.setdefault((one.alike, id(light)), (light, []))[1].append(one)
    return [
        (Wave(found[0].alike, [one.case_id for one in found], [one.place for one in found]), light)
        for light, found in alike.values()
    ]


def _was_fired(alike: Alike) -> bool:
    marks = marks_from(alike.fired)
    return any(clock_subject(mark.clock) == alike.subject and mark.threshold == alike.threshold for mark in marks)


def _form(alike: Alike, light: LightFire, now: datetime) -> Form:
    cause = f"{alike.subject}/{alike.generation}/{alike.threshold}"
    asked = _headers(NotificationRequestedV1.TYPE, now, alike.org, cause) if light.request is not None else None
    return Form(alike, light, _headers(CaseEscalatedV1.TYPE, now, alike.org, cause), asked)


@lru_cache(maxsize=4096)
def _headers(kind: str, time: datetime, org: str, cause: str) -> tuple[str, ...]:
    """Stored headers of one kind of event, alike for all that fire at one moment, cut where ids belong."""
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
    rest, pieces = headers_to_text(headers), []
    for stand_in in _STAND_INS:
        piece, found, rest = rest.partition(stand_in)
        if not found:
            raise AssertionError("the headers of an event are in another order")
        pieces.append(piece)
    return (*pieces, rest)


def _observe_lateness(due: Iterable[Wave], now: datetime) -> None:
    for wave in due:
        late = (now - wave.alike.due_at).total_seconds()
        for _ in wave.case_ids:
            CLOCK_LATENESS.observe(late)
