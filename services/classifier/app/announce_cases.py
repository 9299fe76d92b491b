"""Publish what is new about the cases of a batch, with the cases that its counts are made of."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.classifier.domain.announcements import SOURCE, Cause, case_classified
from services.classifier.domain.baselines import Usual, cases_behind
from services.classifier.domain.cases import CaseState
from services.classifier.domain.runs import Run
from services.classifier.domain.windows import Count, Members, cases_in
from services.classifier.store.windows import members_of
from shared.contracts.classifications import MAX_COUNTED, MAX_COUNTED_SHOWN, CountedCases, ProposedFact
from shared.contracts.envelope import Event
from shared.contracts.immutable import immutable
from shared.contracts.values import FactValue, Place
from shared.db.tx import Tx
from shared.plans.compiled import CompiledPlan, Evaluation, WindowRead
from shared.runtime.ids import Ids
from shared.runtime.metrics import CLASSIFICATIONS
from shared.runtime.tracing import next_span

NeedsWords = Callable[[str, datetime], bool]


@immutable
class News:
    """A case that has a new revision under one plan."""

    case_id: UUID
    org: str
    cause: Cause
    state: CaseState
    plan: CompiledPlan
    run: Run
    previous: str | None
    evaluation: Evaluation
    facts: dict[str, FactValue]
    proposed: tuple[ProposedFact, ...]
    place: Place
    problems: tuple[str, ...]
    reads: tuple[tuple[WindowRead, Count], ...]
    usual: Mapping[str, Usual]


class _Counted:
    """What is said about the cases of each count: put together once for all that read it."""

    def __init__(self, members: Mapping[Count, Members]) -> None:
        self._members = members
        self._said: dict[tuple[Count, float], CountedCases] = {}

    def of(self, news: News) -> tuple[CountedCases, ...]:
        said = [self._one(read, count, news.evaluation.counts[read.window_id]) for read, count in news.reads]
        if news.usual:
            said += self._usual(news)
        return tuple(said[:MAX_COUNTED])

    def _usual(self, news: News) -> Iterator[CountedCases]:
        reads = {read.window_id: read for read, _ in news.reads}
        for name, usual in news.usual.items():
            read = reads[news.plan.baselines[name].of]
            yield cases_behind(name, usual, read, self._members[usual.count])

    def _one(self, read: WindowRead, count: Count, value: float) -> CountedCases:
        said = self._said.get((count, value))
        if said is None:
            said = self._said[count, value] = cases_in(read, int(value), self._members[count])
        return said


async def announce_cases(tx: Tx, news: Sequence[News], ids: Ids, needs_words: NeedsWords) -> set[str]:
    """Publish each, in their order; the plans whose words went along, by hash.

    Cases in windows are looked up once a count, however many of the batch read it, and not at all without windows.
    """
    by_value = {
        count: one.plan.windows[read.window_id].spec.distinct is not None for one in news for read, count in one.reads
    }
    for one in news:
        for name, usual in one.usual.items():
            window = one.plan.windows[one.plan.baselines[name].of]
            by_value[usual.count] = window.spec.distinct is not None
    members = await members_of(tx, by_value, MAX_COUNTED_SHOWN)
    counted = _Counted(members)
    worded: set[str] = set()
    tally: Counter[tuple[str, str]] = Counter()
    for one in news:
        sha256 = one.plan.ref.sha256
        in_full = sha256 not in worded and needs_words(sha256, tx.now)
        if in_full:
            worded.add(sha256)
        data = case_classified(
            state=one.state,
            plan=one.plan,
            run=one.run,
            previous=one.previous,
            evaluation=one.evaluation,
            facts=one.facts,
            proposed=one.proposed,
            place=one.place,
            problems=one.problems,
            counted=counted.of(one),
            now=tx.now,
            in_full=in_full,
        )
        tx.outbox.add(
            Event(
                id=ids.new(),
                source=SOURCE,
                time=tx.now,
                org=one.org,
                case_id=one.case_id,
                data=data,
                causation=one.cause.event_id,
                traceparent=next_span(one.cause.traceparent),
            )
        )
        tally[one.plan.name, one.evaluation.level or "none"] += 1
    tx.after_commit.append(lambda: _count(tally))
    return worded


def _count(tally: Mapping[tuple[str, str], int]) -> None:
    for (plan, level), count in tally.items():
        CLASSIFICATIONS.labels(plan, level).inc(count)
