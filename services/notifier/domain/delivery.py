"""What to do next for one intent: send, wait, or settle. A pure function of its attempts, receipts and the time.

A *route* is one way to one address: channel, provider, contact point. Routes are tried in order. A route is passed
on when the provider refuses for good, answers nothing useful several times, asks for much patience, reports the
message undelivered or lets the time for a receipt run out. One whose provider is barred (its circuit is open, its
money for the day is spent) is passed over until the bar ends. When every route was passed on, those with a passing
fault are tried again, ever more slowly, until the request is given up. Receipts decide: what no way confirmed in time
counts as not delivered, and a later, better receipt improves what was published.

The order of routes may change from one look to the next; what was tried keeps its place before what was not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.notifier.domain.reasons import CHANNELS_ZH, in_chinese
from shared.contracts.notifications import Settlement
from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import Bilingual, ChannelKind


class Answer(StrEnum):
    """How a provider answered one attempt."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"  # the same call may work soon
    UNAVAILABLE = "unavailable"  # the provider does not serve us now: try others first
    PERMANENT = "permanent"  # never for this address
    UNKNOWN = "unknown"  # no answer was recorded: it may have been sent


@dataclass(frozen=True, slots=True)
class Route:
    """One way to one address."""

    channel: ChannelKind
    provider: str
    contact: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The recorded answer. `retry_after` is the provider's own wish."""

    answer: Answer
    ended_at: datetime
    why: str = ""
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider said later."""

    status: ReceiptStatus
    received_at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, as recorded before and after it. Until `answer_until` its worker may still answer.

    `unconfirmed` is concluded by `decide`: accepted, and so long without a receipt.
    """

    id: UUID
    route: Route
    answer_until: datetime
    outcome: Outcome | None = None
    receipts: tuple[Receipt, ...] = ()
    unconfirmed: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of delivery. `receipt_within` has only the providers that give receipts."""

    receipt_within: Mapping[str, timedelta]
    tries: int = 2  # on one route before others are tried
    doubtful_tries: int = 8  # on one route that may each have got through; so many duplicates at most
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(seconds=15)  # with a provider that asks for more, while there are other routes
    longest_wish: timedelta = timedelta(minutes=5)  # of a provider that asks for patience
    give_up_after: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Bar:
    """A provider is not called before `until`."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that the decision reads. `routes` are in order of preference; `skipped` says why channels have none.

    `parallel`: every channel at once. `stopped`: a reason not to send any more (superseded, over). `barred` by
    provider; a bar that is over does not count.
    """

    routes: tuple[Route, ...]
    skipped: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    requested_at: datetime
    parallel: bool = False
    stopped: Bilingual | None = None
    barred: Mapping[str, Bar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Send:
    """Call the provider now. `doubtful`: an earlier call on this route may have got through."""

    route: Route
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said at this moment."""

    settlement: Settlement
    reason: str
    route: Route | None = None
    reason_zh: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """Attempts to start now, the instant to look again (None: only when something happens), and the verdict.

    `unanswered` are attempts whose worker is overdue: their outcome is to be recorded as unknown.
    """

    sends: tuple[Send, ...]
    look_again_at: datetime | None
    verdict: Verdict | None
    unanswered: tuple[UUID, ...]


_ZH: Final = {
    "accepted": "已受理",
    "transient": "暂时失败",
    "unavailable": "服务商不可用",
    "permanent": "被拒绝",
    "unknown": "没有答复",
    "not confirmed": "未确认送达",
    "undelivered": "未送达",
    "rejected": "被短信中心拒绝",
}
_NEGATIVE: Final = frozenset({ReceiptStatus.UNDELIVERED, ReceiptStatus.REJECTED})
_PROVES_ACCEPTANCE: Final = frozenset({ReceiptStatus.ACCEPTED, ReceiptStatus.BUFFERED, ReceiptStatus.DELIVERED})


def decide(case: Case, policy: Policy, now: datetime) -> Decision:
    """The next step at `now`. Never sends twice on a route while an earlier call on it may still be answered."""
    attempts = tuple(_as_known(attempt, policy, now) for attempt in case.attempts)
    unanswered = tuple(
        attempt.id for attempt in case.attempts if attempt.outcome is None and now >= attempt.answer_until
    )
    tracks = _tracks(case)
    steps = [_Track(routes, attempts, case, policy, now).step() for routes in tracks]
    sends = () if case.stopped else tuple(send for step in steps for send in step.sends)
    waits = [step.look_again_at for step in steps if step.look_again_at is not None]
    if case.stopped:
        waits = [attempt.answer_until for attempt in attempts if attempt.outcome is None]
    exhausted = bool(tracks) and all(step.exhausted for step in steps)
    return Decision(
        sends=sends,
        look_again_at=min(waits, default=None) if not sends else None,
        verdict=_verdict(case, attempts, exhausted=exhausted or not tracks),
        unanswered=unanswered,
    )


def _tracks(case: Case) -> list[tuple[Route, ...]]:
    # What was tried comes first, also when its provider is no longer offered: its answer or receipt may be awaited.
    routes = tuple(dict.fromkeys((*(attempt.route for attempt in case.attempts), *case.routes)))
    if not case.parallel:
        return [routes] if routes else []
    channels = dict.fromkeys(route.channel for route in routes)
    return [tuple(route for route in routes if route.channel is channel) for channel in channels]


def _as_known(attempt: Attempt, policy: Policy, now: datetime) -> Attempt:
    """The attempt with what can be concluded: overdue means unknown, and a receipt proves acceptance."""
    outcome = attempt.outcome
    if outcome is None and now >= attempt.answer_until:
        outcome = Outcome(Answer.UNKNOWN, attempt.answer_until, "no answer was recorded in time")
    proof = next((receipt for receipt in attempt.receipts if receipt.status in _PROVES_ACCEPTANCE), None)
    if proof is not None and outcome is not None and outcome.answer is not Answer.ACCEPTED:
        outcome = Outcome(Answer.ACCEPTED, proof.received_at, "proved by a receipt")
    within = policy.receipt_within.get(attempt.route.provider)
    overdue = (
        within is not None
        and outcome is not None
        and outcome.answer is Answer.ACCEPTED
        and now >= outcome.ended_at + within
    )
    return replace(attempt, outcome=outcome, unconfirmed=within if overdue else None)


@dataclass(frozen=True, slots=True)
class _Step:
    sends: tuple[Send, ...] = ()
    look_again_at: datetime | None = None
    exhausted: bool = False  # each route was passed on at least once


@dataclass(frozen=True, slots=True)
class _Track:
    """Routes that are tried one after the other."""

    routes: tuple[Route, ...]
    attempts: tuple[Attempt, ...]
    case: Case
    policy: Policy
    now: datetime

    def step(self) -> _Step:
        rested: list[tuple[datetime, Route]] = []
        for route in self.routes:
            tries = [attempt for attempt in self.attempts if attempt.route == route]
            found = self._on(route, tries)
            if isinstance(found, _Step):
                return found
            if found is not None:
                rested.append((found, route))
        return self._again(rested)

    def _on(self, route: Route, tries: Sequence[Attempt]) -> _Step | datetime | None:
        """The step on this route; or, when it is passed on, the instant from which it may be tried again (or None)."""
        bar = self._bar(route)
        if not tries:
            return bar or _Step(sends=(Send(route, doubtful=False),))
        last = tries[-1]
        if any(_delivered(attempt) for attempt in tries):
            return _Step()
        if last.outcome is None:
            return _Step(look_again_at=last.answer_until)
        if last.outcome.answer is Answer.PERMANENT or _negative(last):
            return None
        if last.outcome.answer is Answer.ACCEPTED:
            return self._accepted(route, last.outcome)
        doubtful = sum(one.outcome is not None and one.outcome.answer is Answer.UNKNOWN for one in tries)
        is_over = route not in self.case.routes or doubtful >= self.policy.doubtful_tries
        return None if is_over else self._refused(route, len(tries), last.outcome)

    def _refused(self, route: Route, tries: int, outcome: Outcome) -> _Step | datetime | None:
        ready_at = outcome.ended_at + self._wait(tries, outcome)
        bar = self._bar(route)
        if bar is not None:
            return max(ready_at, bar)
        is_long = outcome.retry_after > self.policy.patience
        if outcome.answer is Answer.UNAVAILABLE or tries >= self.policy.tries or is_long:
            return ready_at
        return self._when_ready(ready_at, route, exhausted=False)

    def _bar(self, route: Route) -> datetime | None:
        bar = self.case.barred.get(route.provider)
        return bar.until if bar is not None and bar.until > self.now else None

    def _accepted(self, route: Route, outcome: Outcome) -> _Step | None:
        within = self.policy.receipt_within.get(route.provider)
        if within is None:
            return _Step()
        due = outcome.ended_at + within
        return _Step(look_again_at=due) if self.now < due else None

    def _again(self, rested: Sequence[tuple[datetime, Route]]) -> _Step:
        """All routes were passed on: the one that has rested longest, as long as the request is not given up."""
        if not rested or self.now >= self.case.requested_at + self.policy.give_up_after:
            return _Step(exhausted=True)
        ready_at, route = min(rested, key=lambda one: one[0])
        return self._when_ready(ready_at, route, exhausted=True)

    def _when_ready(self, ready_at: datetime, route: Route, *, exhausted: bool) -> _Step:
        if self.now < ready_at:
            return _Step(look_again_at=ready_at, exhausted=exhausted)
        doubtful = any(
            attempt.route == route and attempt.outcome is not None and attempt.outcome.answer is Answer.UNKNOWN
            for attempt in self.attempts
        )
        return _Step(sends=(Send(route, doubtful),), exhausted=exhausted)

    def _wait(self, tries: int, outcome: Outcome) -> timedelta:
        # Doubles per try; 2 ** 16 is far above any longest wait, so the power stays small.
        doubled: timedelta = self.policy.first_wait * (1 << min(tries - 1, 16))
        wished = min(outcome.retry_after, self.policy.longest_wish)
        return max(min(doubled, self.policy.longest_wait), wished)


def _delivered(attempt: Attempt) -> bool:
    return any(receipt.status is ReceiptStatus.DELIVERED for receipt in attempt.receipts)


def _negative(attempt: Attempt) -> bool:
    """True when a receipt says it did not arrive and none says it did."""
    return not _delivered(attempt) and any(receipt.status in _NEGATIVE for receipt in attempt.receipts)


def _verdict(case: Case, attempts: Sequence[Attempt], *, exhausted: bool) -> Verdict | None:
    for attempt in attempts:
        if _delivered(attempt):
            return Verdict(Settlement.DELIVERED, "the provider confirmed delivery", attempt.route, "服务商已确认送达")
    accepted = [
        attempt
        for attempt in attempts
        if attempt.outcome is not None and attempt.outcome.answer is Answer.ACCEPTED and not _negative(attempt)
    ]
    if accepted and (not exhausted or any(attempt.unconfirmed is None for attempt in accepted)):
        route = accepted[-1].route
        return Verdict(Settlement.SENT, f"accepted by {route.provider}", route, f"{route.provider} 已受理")
    if case.stopped:
        return Verdict(Settlement.SUPPRESSED, case.stopped.en, None, case.stopped.zh)
    if not exhausted:
        return None
    reasons = (*_failures(attempts), *_bars(case, attempts), *case.skipped)
    tried = "；".join((*_failures_zh(attempts), *_bars_zh(case, attempts), *map(in_chinese, case.skipped)))
    return Verdict(
        Settlement.FAILED,
        "; ".join(reasons) or "there is no way to reach",
        None,
        f"各途径均未送达：{tried or '没有可用的途径'}",
    )


def _not_tried(case: Case, attempts: Sequence[Attempt]) -> list[Route]:
    tried = {attempt.route for attempt in attempts}
    return [route for route in case.routes if route.provider in case.barred and route not in tried]


def _bars(case: Case, attempts: Sequence[Attempt]) -> list[str]:
    """Why routes were not even tried."""
    return [f"{_way(route)}: {case.barred[route.provider].why}" for route in _not_tried(case, attempts)]


def _bars_zh(case: Case, attempts: Sequence[Attempt]) -> list[str]:
    return [f"{_way_zh(route)}{in_chinese(case.barred[route.provider].why)}" for route in _not_tried(case, attempts)]


def _failures(attempts: Sequence[Attempt]) -> list[str]:
    """The last word on each route."""
    return [f"{_way(route)}: {said} {why}".strip() for route, (said, why) in _last_words(attempts).items()]


def _failures_zh(attempts: Sequence[Attempt]) -> list[str]:
    return [
        f"{_way_zh(route)}{_ZH.get(said, said)} {in_chinese(why)}".strip()
        for route, (said, why) in _last_words(attempts).items()
    ]


def _last_words(attempts: Sequence[Attempt]) -> dict[Route, tuple[str, str]]:
    last: dict[Route, tuple[str, str]] = {}
    for attempt in attempts:
        negative = next((receipt for receipt in attempt.receipts if receipt.status in _NEGATIVE), None)
        if negative is not None:
            last[attempt.route] = negative.status.value, negative.why
        elif attempt.unconfirmed is not None:
            last[attempt.route] = "not confirmed", f"within {attempt.unconfirmed.total_seconds():g} s"
        elif attempt.outcome is not None:
            last[attempt.route] = attempt.outcome.answer.value, attempt.outcome.why
    return last


def _way(route: Route) -> str:
    return f"{route.channel.value} via {route.provider} ({route.contact})"


def _way_zh(route: Route) -> str:
    return f"{CHANNELS_ZH[route.channel.value]}经 {route.provider}（{route.contact}）"


def must_publish(published: Verdict | None, verdict: Verdict | None) -> bool:
    """True when the verdict says something that was not published yet; delivered is never taken back."""
    if verdict is None or (published is not None and published.settlement is Settlement.DELIVERED):
        return False
    if published is None or published.settlement is not verdict.settlement:
        return True
    return verdict.settlement is Settlement.SENT and published.route != verdict.route
