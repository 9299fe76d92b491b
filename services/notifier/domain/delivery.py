"""What to do next for one intent: send, wait, or settle. A pure function of its attempts, receipts and the time.

A *route* is one way to one address: channel, provider, contact point. Routes are tried in order. A route is passed
on when the provider refuses for good, answers nothing useful several times, asks for much patience, reports the
message undelivered or lets the time for a receipt run out. One whose provider is barred (its circuit is open, its
money for the day is spent) is passed over until the bar ends. When every route was passed on, those with a passing
fault are tried again, ever more slowly, until the request is given up. While such a fault may pass soon the message
is not called undelivered: a gateway that restarts makes nobody's deputy and no further tier ring.

Receipts decide: what no way confirmed in time
counts as not delivered, and a later, better receipt improves what was published.

The order of routes may change from one look to the next; what was tried keeps its place before what was not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notifier.domain.attempts import Answer, Attempt, Outcome, Receipt, Route, delivered, negative
from services.notifier.domain.delivery_words import why_not
from shared.contracts.notifications import Settlement
from shared.contracts.receipts import ReceiptStatus
from shared.contracts.values import Bilingual


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of delivery. `receipt_within` has only the providers that give receipts."""

    receipt_within: Mapping[str, timedelta]
    tries: int = 2  # on one route before others are tried
    doubtful_tries: int = 8  # that may each have got through; after so many nothing is repeated
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(seconds=15)  # with a provider that asks for more, while there are other routes
    longest_wish: timedelta = timedelta(minutes=5)  # of a provider that asks for patience
    give_up_after: timedelta = timedelta(minutes=30)
    outage: timedelta = timedelta()  # so long a fault of all ways may last before the message counts as undelivered
    share_of_step: float = 1 / 3  # but no longer than this part of the time until the next step


@dataclass(frozen=True, slots=True)
class Bar:
    """A provider is not called before `until`."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that the decision reads. `routes` are in order of preference; `skipped` says why channels have none.

    `parallel`: every channel at once. `stopped`: a reason not to send any more (superseded, over). `barred` by
    provider; a bar that is over does not count. `next_step_at`: when others are told if nobody answers.
    """

    routes: tuple[Route, ...]
    skipped: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    requested_at: datetime
    parallel: bool = False
    stopped: Bilingual | None = None
    barred: Mapping[str, Bar] = field(default_factory=dict)
    next_step_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Call the provider now. `doubtful`: an earlier call, by whatever way, may have got through."""

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

    `unanswered` are attempts whose worker is overdue: their outcome is to be recorded as unknown. `waits` says why
    nothing can be sent at this moment while the message does not count as undelivered yet.
    """

    sends: tuple[Send, ...]
    look_again_at: datetime | None
    verdict: Verdict | None
    unanswered: tuple[UUID, ...]
    waits: Bilingual | None = None


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
    again = [step.look_again_at for step in steps if step.look_again_at is not None]
    if case.stopped:
        again = [attempt.answer_until for attempt in attempts if attempt.outcome is None]
    exhausted = bool(tracks) and all(step.exhausted for step in steps)
    verdict = _verdict(case, attempts, exhausted=exhausted or not tracks)
    waits = None
    patient_until = _patient_until(case, policy)
    may_pass = any(step.sends or step.look_again_at is not None for step in steps)
    if verdict is not None and verdict.settlement is Settlement.FAILED and may_pass and now < patient_until:
        waits = Bilingual(
            zh=f"通道暂时不可用，稍候重试：{verdict.reason_zh}", en=f"no way out for now: {verdict.reason}"
        )
        verdict = None
        again.append(patient_until)
    return Decision(
        sends=sends,
        look_again_at=min(again, default=None) if not sends else None,
        verdict=verdict,
        unanswered=unanswered,
        waits=waits if not sends else None,
    )


def _patient_until(case: Case, policy: Policy) -> datetime:
    patience = policy.outage
    if case.next_step_at is not None:
        patience = min(patience, (case.next_step_at - case.requested_at) * policy.share_of_step)
    return case.requested_at + max(patience, timedelta())


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
            return bar or _Step(sends=(Send(route, doubtful=self._is_doubtful()),))
        last = tries[-1]
        if any(delivered(attempt) for attempt in tries):
            return _Step()
        if last.outcome is None:
            return _Step(look_again_at=last.answer_until)
        if last.outcome.answer is Answer.PERMANENT or negative(last):
            return None
        if last.outcome.answer is Answer.ACCEPTED:
            return self._accepted(route, last.outcome)
        doubtful = sum(_is_unknown(one) for one in self._mine())
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
        return _Step(sends=(Send(route, doubtful=self._is_doubtful()),), exhausted=exhausted)

    def _mine(self) -> list[Attempt]:
        """By the routes of this track: what goes by every channel at once is no repetition."""
        return [attempt for attempt in self.attempts if attempt.route in self.routes]

    def _is_doubtful(self) -> bool:
        """Whether the person may have the message already: no answer came, or it was taken and nobody knows more."""
        return any(
            _is_unknown(one)
            or (one.outcome is not None and one.outcome.answer is Answer.ACCEPTED and not negative(one))
            for one in self._mine()
        )

    def _wait(self, tries: int, outcome: Outcome) -> timedelta:
        # Doubles per try; 2 ** 16 is far above any longest wait, so the power stays small.
        doubled: timedelta = self.policy.first_wait * (1 << min(tries - 1, 16))
        wished = min(outcome.retry_after, self.policy.longest_wish)
        return max(min(doubled, self.policy.longest_wait), wished)


def _is_unknown(attempt: Attempt) -> bool:
    return attempt.outcome is not None and attempt.outcome.answer is Answer.UNKNOWN


def _verdict(case: Case, attempts: Sequence[Attempt], *, exhausted: bool) -> Verdict | None:
    for attempt in attempts:
        if delivered(attempt):
            return Verdict(Settlement.DELIVERED, "the provider confirmed delivery", attempt.route, "服务商已确认送达")
    accepted = [
        attempt
        for attempt in attempts
        if attempt.outcome is not None and attempt.outcome.answer is Answer.ACCEPTED and not negative(attempt)
    ]
    if accepted and (not exhausted or any(attempt.unconfirmed is None for attempt in accepted)):
        route = accepted[-1].route
        return Verdict(Settlement.SENT, f"accepted by {route.provider}", route, f"{route.provider} 已受理")
    if case.stopped:
        return Verdict(Settlement.SUPPRESSED, case.stopped.en, None, case.stopped.zh)
    if not exhausted:
        return None
    tried = {attempt.route for attempt in attempts}
    bars = {
        route: case.barred[route.provider].why
        for route in case.routes
        if route.provider in case.barred and route not in tried
    }
    reasons = why_not(attempts, bars, case.skipped)
    return Verdict(
        Settlement.FAILED,
        reasons.en or "there is no way to reach",
        None,
        f"各途径均未送达：{reasons.zh or '没有可用的途径'}",
    )


def must_publish(published: Verdict | None, verdict: Verdict | None) -> bool:
    """True when the verdict says something that was not published yet; delivered is never taken back."""
    if verdict is None or (published is not None and published.settlement is Settlement.DELIVERED):
        return False
    if published is None or published.settlement is not verdict.settlement:
        return True
    return verdict.settlement is Settlement.SENT and published.route != verdict.route


__all__ = [
    "Answer",
    "Attempt",
    "Bar",
    "Case",
    "Decision",
    "Outcome",
    "Policy",
    "Receipt",
    "Route",
    "Send",
    "Verdict",
    "decide",
    "must_publish",
]
