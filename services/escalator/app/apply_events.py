"""Applies what is consumed: classifications, commands and settled notifications, a batch in one transaction."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, assert_never
from uuid import UUID

from services.escalator.app.erase_cases import Erased, erase_cases
from services.escalator.app.record_decisions import Decided, Wake, record_decisions
from services.escalator.domain import retention
from services.escalator.domain.case import Case
from services.escalator.domain.classification import open_case, reclassify
from services.escalator.domain.commands import apply_command, is_passed_on
from services.escalator.domain.decision import Decision
from services.escalator.domain.merging import take_in
from services.escalator.domain.moving import move, wanted_move
from services.escalator.domain.settlement import notification_settled
from services.escalator.domain.time_bases import NeedsCalendarError, Rules
from services.escalator.store.cases import CaseKey, StoredCase, find_numbers, lock_cases
from services.escalator.store.duties import Organisations
from services.escalator.store.plans import Plans
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import OF_THE_WHOLE_CASE, CommandIssuedV1, CommandKind
from shared.contracts.envelope import Event
from shared.contracts.escalations import CaseState
from shared.contracts.notifications import KEPT_PLANS, NotificationSettledV1
from shared.db.engine import Database
from shared.db.tx import NotNewError, Tx
from shared.kafka.outcome import DONE, DUPLICATE, Dead, Outcome, Retry, Skip
from shared.plans.compiled import UnknownLevelError
from shared.runtime.ids import Ids

LookAgain = Callable[[], Awaitable[None]]
CaseFact = CaseClassifiedV1 | CommandIssuedV1 | NotificationSettledV1
_UNTIL_OPENED: Final = timedelta(milliseconds=500)
_UNTIL_PUBLISHED: Final = timedelta(seconds=2)
_ERASED: Final = Skip("what was told of the case is erased")
_WRITTEN_AT_A_TIME: Final = 100
"""Of a long batch so much is written by the server while the next events are decided here."""


class ApplyEvents:
    """One outcome an event, in the order given. Events of one case see what the ones before them decided."""

    def __init__(
        self, database: Database, plans: Plans, ids: Ids, wake: Wake, look_again: LookAgain | None = None
    ) -> None:
        """`look_again` reads the plans on disk if they changed: the classifier may have seen a new one first."""
        self._database = database
        self._plans = plans
        self._ids = ids
        self._wake = wake
        self._look_again = look_again
        self._organisations = Organisations()

    async def __call__(self, events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        """Raises ConcurrentOpeningError when another process opened one of the cases meanwhile: try again."""
        if self._look_again is not None and any(self._is_new_plan(event.data) for event in events):
            await self._look_again()
        if all(isinstance(event.data, CaseClassifiedV1) and event.data.revision == 1 for event in events):
            with suppress(NotNewError):
                async with self._database.opening() as tx:
                    return await self._apply(tx, events)
        async with self._database.transaction() as tx:
            return await self._apply(tx, events)

    async def _apply(self, tx: Tx, events: Sequence[Event[Any]]) -> Sequence[Outcome]:
        fresh = set(await tx.first_seen([event.id for event in events]))
        board = await self._load(tx, [event for event in events if event.id in fresh])
        outcomes: list[Outcome] = []
        undone: list[UUID] = []
        for place, event in enumerate(events, start=1):
            if place % _WRITTEN_AT_A_TIME == 0:
                await self._record(tx, board)
                await tx.start_writing()
            if event.id not in fresh:
                outcomes.append(DUPLICATE)
                continue
            fresh.discard(event.id)
            outcome = board.apply(event)
            if isinstance(outcome, Retry | Dead):
                undone.append(event.id)
            outcomes.append(outcome)
        # What was not applied must be new when it is offered again, from the topic or from its dead letters.
        await _forget(tx, undone)
        await self._record(tx, board)
        await erase_cases(tx, board.erased, ids=self._ids)
        return outcomes

    async def _record(self, tx: Tx, board: "_Board") -> None:
        """What was decided since the last time. Of a case that is decided again later, the server has this by then."""
        decided = board.hand_over()
        await self._plans.store(tx, [one.rules.plan for one in decided if one.is_new])
        await self._organisations.note(
            tx, {(one.decision.case.org, one.key[1]) for one in decided if one.before is None}
        )
        await record_decisions(tx, decided, ids=self._ids, wake=self._wake)

    def _is_new_plan(self, data: CaseFact) -> bool:
        return isinstance(data, CaseClassifiedV1) and self._plans.find(data.plan) is None

    async def _load(self, tx: Tx, events: Iterable[Event[CaseFact]]) -> "_Board":
        wanted = list(events)
        classified = [event.data for event in wanted if isinstance(event.data, CaseClassifiedV1)]
        others = {data.duplicate_of.case_id for data in classified if data.duplicate_of is not None}
        named = await find_numbers(tx, {pair for event in wanted if (pair := _merged_into(event)) is not None})
        ids = {event.case_id for event in wanted} | others | set(named.values())
        stored = await lock_cases(tx, ids) if wanted else []
        # More may become known of a case that was merged: then the one that goes on for it is wanted too.
        while further := {one.case.merged_into for one in stored if one.case.merged_into is not None} - ids:
            ids |= further
            stored += await lock_cases(tx, further)
        await self._plans.load(tx, [*(one.case.plan for one in stored), *(data.plan for data in classified)])
        return _Board({one.key: one for one in stored}, self._plans, tx.now, named)


class _Board:
    """The locked cases of one batch, and what was decided about them so far."""

    def __init__(
        self, stored: dict[CaseKey, StoredCase], plans: Plans, now: datetime, named: Mapping[tuple[str, str], UUID]
    ) -> None:
        self._cases = {key: one.case for key, one in stored.items()}
        self._plans_of: dict[UUID, list[str]] = {}
        for case_id, plan in stored:
            self._plans_of.setdefault(case_id, []).append(plan)
        self._marks = {key: one.marks for key, one in stored.items()}
        self._plans = plans
        self._now = now
        self._named = named
        self._decisions: list[Decided] = []
        self.erased: list[Erased] = []

    def hand_over(self) -> Sequence[Decided]:
        """The decisions since this was asked last, in their order; they are not kept."""
        found, self._decisions = self._decisions, []
        return found

    def apply(self, event: Event[CaseFact]) -> Outcome:
        data = event.data
        match data:
            case CaseClassifiedV1():
                return _ERASED if self._is_erased(event.case_id) else self._classified(event, data)
            case CommandIssuedV1():
                return self._command(event, data)
            case NotificationSettledV1():
                return _ERASED if self._is_erased(event.case_id) else self._settled(event, data)
            case _ as never:
                assert_never(never)

    def _is_erased(self, case_id: UUID) -> bool:
        """Under whichever plan: nor is a further one opened for it."""
        return any(self._cases[case_id, plan].erased_at is not None for plan in self._plans_of.get(case_id, ()))

    def _classified(self, event: Event[CaseFact], data: CaseClassifiedV1) -> Outcome:
        key = (event.case_id, data.plan.name)
        case = self._cases.get(key)
        if case is not None and case.org != event.org:
            return Dead(f"case {event.case_id} belongs to another organisation")
        rules = self._plans.find(case.plan if case is not None else data.plan)
        if rules is None:
            return Retry(_UNTIL_PUBLISHED, _unknown_plan(data))
        if case is not None:
            return self._judged_again(event, data, case, rules)
        other = self._same_event(event, data)
        try:
            decision = open_case(
                rules,
                org=event.org,
                case_id=event.case_id,
                plan=rules.plan.ref,
                classified=data,
                now=self._now,
                other=other,
            )
        except NeedsCalendarError as error:
            return Dead(str(error))
        except UnknownLevelError as error:
            return Dead(str(error.args[0]))
        outcome = self._decided(event, rules, None, decision)
        self._take_in(event, key, other)
        return outcome

    def _judged_again(self, event: Event[CaseFact], data: CaseClassifiedV1, case: Case, rules: Rules) -> Outcome:
        asked = wanted_move(case, data)
        if asked is None:
            other = self._same_event(event, data)
            outcome = self._decided(event, rules, case, reclassify(rules, case, data, self._now, other))
            self._take_in(event, (event.case_id, data.plan.name), other)
            return outcome
        after = self._plans.find(data.plan)
        if after is None:
            return Retry(_UNTIL_PUBLISHED, _unknown_plan(data))
        decision = move((rules, after), case, data, asked, self._now)
        if decision.case.plan == case.plan:
            return self._decided(event, rules, case, decision)
        return self._decided(event, after, case, decision, rules)

    def _same_event(self, event: Event[CaseFact], data: CaseClassifiedV1) -> Case | None:
        """The case of the same plan and organisation that the classifier takes for the same event, if it is here."""
        found = data.duplicate_of
        other = self._cases.get((found.case_id, data.plan.name)) if found is not None else None
        if other is None or other.org != event.org or other.case_id == event.case_id or other.erased_at is not None:
            return None
        return other

    def _take_in(self, event: Event[CaseFact], key: CaseKey, other: Case | None) -> None:
        """The other case learns what was merged into it by this very event, or what is new of what had been."""
        merged = self._cases[key]
        if (
            not self._decisions
            or self._decisions[-1].decision.case is not merged
            or merged.state is not CaseState.MERGED
        ):
            return
        before = self._decisions[-1].before
        if before is None:
            before = merged
        elif before.state is CaseState.MERGED:
            before, other = None, self._goes_on_for(merged)
        if other is not None:
            rules = self._plans.rules_of(other.plan)
            self._decided(event, rules, other, take_in(rules, other, merged, self._now, before))

    def _goes_on_for(self, merged: Case) -> Case | None:
        """The case that goes on for one that was merged, however often that one was merged again."""
        seen = {merged.case_id}
        found: Case | None = merged
        while found is not None and found.merged_into is not None and found.merged_into not in seen:
            seen.add(found.merged_into)
            found = self._cases.get((found.merged_into, merged.plan.name))
        return found if found is not None and found.case_id != merged.case_id and found.org == merged.org else None

    def _command(self, event: Event[CaseFact], data: CommandIssuedV1) -> Outcome:
        wanted = None if data.command in OF_THE_WHOLE_CASE else data.plan
        keys = [(event.case_id, plan) for plan in self._plans_of.get(event.case_id, ()) if wanted in {None, plan}]
        found = [(key, self._cases[key]) for key in keys if self._cases[key].org == event.org]
        if not found and data.plan in KEPT_PLANS:
            return Skip("an answer to a message about no case: the notifier keeps it")
        if not found:
            plan = f" under plan '{data.plan}'" if data.plan else ""
            return Retry(_UNTIL_OPENED, f"case {event.case_id} is not known{plan}: nothing to {data.command} yet")
        if data.command is CommandKind.ERASE:
            return self._erase(event, data, [case for _, case in found])
        outcomes = []
        into = _merged_into(event)
        for key, case in found:
            rules = self._plans.rules_of(case.plan)
            named = self._named.get(into) if into is not None else None
            other = self._cases.get((named, key[1])) if named is not None else None
            other = other if other is not None and other.org == event.org else None
            if is_passed_on(case, data):
                outcomes += self._passed_on(event, data, case)
                continue
            outcomes.append(self._decided(event, rules, case, apply_command(rules, case, data, self._now, other)))
            self._take_in(event, key, other)
        return DONE if DONE in outcomes else outcomes[0]

    def _passed_on(self, event: Event[CaseFact], data: CommandIssuedV1, case: Case) -> list[Outcome]:
        """Noted where it was said, and applied to the case that goes on."""
        other = self._goes_on_for(case)
        rules = self._plans.rules_of(case.plan)
        outcomes = [self._decided(event, rules, case, apply_command(rules, case, data, self._now, other))]
        if other is not None:
            rules = self._plans.rules_of(other.plan)
            decision = apply_command(rules, other, data, self._now, merged=case)
            outcomes.append(self._decided(event, rules, other, decision))
        return outcomes

    def _erase(self, event: Event[CaseFact], data: CommandIssuedV1, found: Sequence[Case]) -> Outcome:
        """Of the case under all its plans, or of none."""
        decisions, all_of_it = retention.erase_all(
            [(self._plans.rules_of(case.plan), case) for case in found], data, self._now, self._cases.values()
        )
        if all_of_it:
            self.erased.append(Erased.on_request(event, data, found))
        outcomes = [
            self._decided(event, self._plans.rules_of(case.plan), case, decision)
            for case, decision in zip(found, decisions, strict=True)
        ]
        return DONE if DONE in outcomes else outcomes[0]

    def _settled(self, event: Event[CaseFact], data: NotificationSettledV1) -> Outcome:
        case = self._cases.get((event.case_id, data.plan))
        if case is None or case.org != event.org:
            return Skip("no such case here")
        rules = self._plans.rules_of(case.plan)
        return self._decided(event, rules, case, notification_settled(rules, case, data, self._now))

    def _decided(
        self,
        event: Event[CaseFact],
        rules: Rules,
        before: Case | None,
        decision: Decision,
        rules_before: Rules | None = None,
    ) -> Outcome:
        if decision.ignored is not None:
            return Skip(decision.ignored)
        key = (decision.case.case_id, decision.case.plan.name)
        if key not in self._cases:
            self._plans_of.setdefault(key[0], []).append(key[1])
        self._cases[key] = decision.case
        marks = self._marks.pop(key, ())
        self._decisions.append(Decided(rules, before, decision, str(event.id), event.traceparent, marks, rules_before))
        return DONE


def _merged_into(event: Event[CaseFact]) -> tuple[str, str] | None:
    """Organisation and number (or id) of the case that a `merge` names."""
    data = event.data
    if not isinstance(data, CommandIssuedV1) or data.command is not CommandKind.MERGE:
        return None
    into = data.arguments.get("into")
    return (event.org, into.strip()) if isinstance(into, str) and into.strip() else None


def _unknown_plan(data: CaseClassifiedV1) -> str:
    return f"plan '{data.plan.name}' version {data.plan.version} ({data.plan.sha256}) is not among the plans here"


async def _forget(tx: Tx, event_ids: Sequence[UUID]) -> None:
    if event_ids:
        await tx.execute("DELETE FROM inbox WHERE event_id = ANY(CAST(:ids AS uuid[]))", ids=list(event_ids))
