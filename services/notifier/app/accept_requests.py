"""A request to tell roles becomes intents to tell people, durable before anything is sent."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final
from uuid import UUID

from services.notifier.app.advance_intents import Advanced, advance
from services.notifier.app.begin_intent import BegunIntent, Call, Sender, begin_intent
from services.notifier.app.rules import Rules
from services.notifier.app.weigh_noise import weigh_noise
from services.notifier.domain.ledger import Intent, Request
from services.notifier.domain.roster import Person, Roster
from services.notifier.domain.roster_duty import Duty, on_duty
from services.notifier.domain.urgency import Lane, Notice, answered_before, superseded_by, urgency
from services.notifier.store import attempts as attempt_rows
from services.notifier.store import ledger
from services.notifier.store.noise import Answered
from services.notifier.store.standing import Standing, standing_of
from shared.contracts.envelope import Event
from shared.contracts.notifications import KEPT_PLANS, NotificationRequestedV1, Purpose
from shared.contracts.values import Bilingual, ChannelKind
from shared.db.engine import Database
from shared.db.tx import NotNewError, Tx
from shared.kafka.outcome import DONE, DUPLICATE, Outcome
from shared.runtime.ids import Ids
from shared.runtime.logging import get_logger
from shared.runtime.metrics import NOBODY_REACHED

_log = get_logger(__name__)
_LABEL_LENGTH: Final = 500


async def accept_requests(
    events: Sequence[Event[NotificationRequestedV1]],
    *,
    database: Database,
    rules: Rules,
    ids: Ids,
    sender: Sender,
) -> Sequence[Outcome]:
    """Write requests and intents in one transaction. What finds a free place is begun in it and called after it.

    The rest waits for the sender, which is woken. A role that resolves to nobody is settled here, visibly. A later
    step takes the place of what is still on its way to the same person about the same case.
    """
    try:
        first, room = await _accept(events, database.opening(), sender, rules=rules, ids=ids)
    except NotNewError:
        first, room = await _accept(events, database.transaction(), sender, rules=rules, ids=ids)
    room.use()
    if room.others_wait:
        sender.wake()
    return [DONE if event.id in first else DUPLICATE for event in events]


async def _accept(
    events: Sequence[Event[NotificationRequestedV1]],
    transaction: AbstractAsyncContextManager[Tx],
    sender: Sender,
    *,
    rules: Rules,
    ids: Ids,
) -> tuple[frozenset[UUID], "_Room"]:
    """The events that were new, and the places held for their calls."""
    room = _Room(sender)
    try:
        async with transaction as tx:
            first = await tx.first_seen([event.id for event in events])
            requests = [_request(event, tx) for event in events if event.id in first]
            if requests:
                known = await standing_of(tx, requests)
                accepted = [one for one in _once(requests) if one.body.request_id not in known.requests]
                if accepted:
                    await _open(tx, accepted, known, room, rules=rules, ids=ids)
    except BaseException:
        room.give_back()
        raise
    return first, room


class _Room:
    """The places that this batch holds, and the calls that will use them once the batch is committed."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._held: list[ChannelKind] = []
        self._calls: list[Call] = []
        self.others_wait = False

    def begin(self, one: Advanced, tx: Tx, rules: Rules, ids: Ids) -> BegunIntent:
        """The intent begun where every one of its calls finds a place; else as it is, for the sender."""
        wanted = [send.route.channel for send in one.decision.sends]
        if not wanted:
            return BegunIntent(one.intent)
        held = [channel for channel in wanted if self._sender.reserve(channel)]
        begun = begin_intent(one, tx, rules, ids) if len(held) == len(wanted) else BegunIntent(one.intent)
        if begun.calls:
            self._held += held
            self._calls += begun.calls
        else:
            self.others_wait = True
            for channel in held:
                self._sender.release(channel)
        return begun

    def use(self) -> None:
        self._sender.start(self._calls)

    def give_back(self) -> None:
        for channel in self._held:
            self._sender.release(channel)


def _request(event: Event[NotificationRequestedV1], tx: Tx) -> Request:
    return Request(event.id, event.org, event.case_id, event.traceparent, tx.now, event.data)


def _once(requests: Sequence[Request]) -> list[Request]:
    """Two events of one batch may carry the same request; the first counts."""
    return list({one.body.request_id: one for one in reversed(requests)}.values())[::-1]


def _intents(requests: Sequence[Request], paged: frozenset[tuple[str, UUID]], rules: Rules, ids: Ids) -> list[Intent]:
    seen = set(paged)
    made: list[Intent] = []
    for request in requests:
        is_page = request.body.purpose is Purpose.PAGE
        lane = Lane.FIRST_PAGE if is_page and (request.org, request.case_id) not in seen else Lane.FRESH
        if is_page:
            seen.add((request.org, request.case_id))
        made += _of_request(request, lane, rules, ids)
    return made


def _of_request(request: Request, lane: Lane, rules: Rules, ids: Ids) -> list[Intent]:
    """One intent a person, whatever number of the request's roles they hold; one for each role without anybody."""
    body = request.body
    roster = rules.rosters.of(request.org)
    found: dict[str, Intent] = {}
    rank = urgency(body.subject.level_rank, body.subject.highest_rank, body.purpose)
    # A test is of people, and so is a stand-in: the role only says what for.
    only_people = body.subject.plan in KEPT_PLANS or body.in_place_of is not None
    for role in () if only_people else dict.fromkeys(body.roles):
        duties: tuple[Duty, ...] = ()
        if roster is not None:
            duties = on_duty(roster, role, request.accepted_at, excluded=frozenset(body.excluded))
        for duty in duties:
            label = duty.person.label.zh if body.language == "zh" else duty.person.label.en
            found.setdefault(
                duty.person.id,
                Intent(ids.new(), request, role, duty.person.id, label[:_LABEL_LENGTH], duty.because, lane, rank),
            )
        if not duties:
            because = _nobody_because(request, role, known=roster is not None and role in roster.roles)
            found[f"role:{role}"] = Intent(ids.new(), request, role, None, None, because, lane, rank)
            NOBODY_REACHED.labels(role).inc()
            _log.error("notify.nobody", role=role, org=request.org, case_id=str(request.case_id), reason=because.en)
    for person in _named_beside(request, roster):
        label = person.label.zh if body.language == "zh" else person.label.en
        because = _beside(request, roster)
        found.setdefault(
            person.id,
            Intent(ids.new(), request, body.roles[0], person.id, label[:_LABEL_LENGTH], because, lane, rank),
        )
    return list(found.values())


def _beside(request: Request, roster: Roster | None) -> Bilingual:
    absent = request.body.in_place_of
    if absent is None:
        return Bilingual(zh="被点名告知", en="named beside the roles")
    known = roster.people.get(absent) if roster is not None else None
    zh, en = (known.label.zh, known.label.en) if known is not None else (absent, absent)
    return Bilingual(
        zh=f"{zh}无法联系，由其代理"[:_LABEL_LENGTH], en=f"deputy of {en}, who could not be reached"[:_LABEL_LENGTH]
    )


def _named_beside(request: Request, roster: Roster | None) -> list[Person]:
    """People told by id; whoever has left the roster meanwhile, or is recused, is not."""
    if roster is None:
        return []
    wanted = (one for one in request.body.people if one not in request.body.excluded)
    return [roster.people[one] for one in wanted if one in roster.people]


def _nobody_because(request: Request, role: str, *, known: bool) -> Bilingual:
    if known:
        return Bilingual(zh=f"角色{role}此刻无人值班", en=f"the role {role} has nobody on duty now")
    return Bilingual(
        zh=f"{request.org[:60]}的值班表中没有角色{role}", en=f"the roster of {request.org[:60]} has no role {role}"
    )


async def _open(tx: Tx, requests: Sequence[Request], known: Standing, room: _Room, *, rules: Rules, ids: Ids) -> None:
    intents = _intents(requests, known.paged, rules, ids)
    threads: dict[object, list[Notice]] = defaultdict(list)
    for notice in (*(one for one, _ in known.notices), *(one.notice for one in intents if one.person is not None)):
        threads[notice.thread].append(notice)
    stopped = [
        replace(one, stopped=_superseded(one.notice, threads) or _answered(one, known.answers.get(one.notice.case)))
        for one in intents
    ]
    noise = await weigh_noise(tx, stopped, rules)
    advanced = await advance(tx, stopped, {}, rules=rules, ids=ids, noise=noise)
    opened = [room.begin(one, tx, rules, ids) for one in advanced]
    ledger.add_requests(tx, requests)
    if opened:
        ledger.add_intents(tx, [one.intent for one in opened])
    attempt_rows.begin(tx, [attempt for one in opened for attempt in one.attempts])
    reasons = {
        notice.intent_id: why
        for notice, is_open in known.notices
        if is_open and (why := _superseded(notice, threads)) is not None
    }
    if reasons:
        await _stop(tx, reasons, rules, ids)


def _answered(intent: Intent, answer: Answered | None) -> Bilingual | None:
    body = intent.request.body
    return (
        None if answer is None else answered_before(body.purpose, body.requested_at, answer.at, is_over=answer.is_over)
    )


def _superseded(notice: Notice, threads: Mapping[object, Sequence[Notice]]) -> Bilingual | None:
    reasons = (superseded_by(notice, later) for later in threads.get(notice.thread, ()))
    return next((reason for reason in reasons if reason is not None), None)


async def _stop(tx: Tx, reasons: dict[UUID, Bilingual], rules: Rules, ids: Ids) -> None:
    """Earlier steps send nothing further; a call in flight ends by itself."""
    locked = await ledger.lock(tx, reasons)
    stopped = [replace(one, stopped=one.stopped or reasons[one.id]) for one in locked]
    history = await attempt_rows.history(tx, [one.id for one in stopped if one.attempts])
    moved = await advance(tx, stopped, history, rules=rules, ids=ids)
    ledger.save(tx, [one.intent for one in moved])
