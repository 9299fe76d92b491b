"""Register a group of reports: number, encrypt, store and publish them in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.intake.domain.bodies import ComplaintBody
from services.intake.domain.numbers import month_of
from services.intake.domain.registration import (
    Check,
    Contradicted,
    Entry,
    Key,
    KnownCase,
    KnownEvent,
    Repeated,
    Unfit,
    answer,
    contradiction,
    decide,
)
from services.intake.domain.reports import Outcome, Refused, Report, published
from services.intake.store.originals import open_original
from services.intake.store.persons import PersonKey, PersonWithKey, ensure_persons
from services.intake.store.register import (
    RegisterRaceError,
    SealedEntry,
    add_events,
    advance_cases,
    allocate_numbers,
    find_known,
    open_cases,
    read_events,
)
from services.intake.store.vault import Vault, event_place, seal
from shared.contracts.envelope import Event
from shared.contracts.json_guard import canonical, read_object
from shared.db.engine import Database
from shared.db.tx import Tx
from shared.runtime.ids import Ids
from shared.runtime.metrics import REPORTS_REGISTERED
from shared.runtime.tracing import next_span

SOURCE: Final = "/fenghuo/intake"
_RACES: Final = 5
_READ_BACK: Final = 1000


class RegisterReports:
    """The use case with what it needs. One call is one transaction; call it through a GroupCommit."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        ids: Ids,
        check: Check,
        *,
        zones: Mapping[str, ZoneInfo],
        default_zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._vault = vault
        self._ids = ids
        self._check = check
        self._zones = zones
        self._default_zone = default_zone

    async def __call__(self, reports: Sequence[Report]) -> list[Outcome]:
        """One outcome per report, in order, durable when this returns.

        Raises the database's errors when nothing was written, RegisterRaceError when others kept getting in between.
        """
        for _ in range(_RACES - 1):
            try:
                return await self._once(reports)
            except RegisterRaceError:
                continue
        return await self._once(reports)

    async def _once(self, reports: Sequence[Report]) -> list[Outcome]:
        async with self._database.transaction() as tx:
            return await self.register(tx, reports)

    async def register(self, tx: Tx, reports: Sequence[Report]) -> list[Outcome]:
        """One outcome per report, in order, durable with the caller's transaction.

        It fails with RegisterRaceError, at the latest at its end, when another process got in between: begin again.
        """
        known, events = await find_known(
            tx,
            {report.case_key for report in reports},
            {report.event_key for report in reports if not report.repeatable},
        )
        decisions, changed = decide(reports, [self._ids.new() for _ in reports], known, events, self._check)
        entries = [decision for decision in decisions if isinstance(decision, Entry)]
        if entries:
            changed = await self._write_cases(tx, known, changed)
            await self._write_events(tx, entries, changed)
        outcomes: list[Outcome] = []
        for report, decision in zip(reports, decisions, strict=True):
            if isinstance(decision, Contradicted) and decision.known is not None:
                outcomes.append(await self._explained(tx, report, decision.known))
            else:
                outcomes.append(answer(decision, changed))
        words = [(report.kind.value, _OUTCOME_WORD[type(one)]) for report, one in zip(reports, decisions, strict=True)]
        tx.after_commit.append(lambda: _count(words))
        return outcomes

    async def _write_cases(
        self, tx: Tx, known: Mapping[Key, KnownCase], changed: dict[Key, KnownCase]
    ) -> dict[Key, KnownCase]:
        new = [key for key in changed if key not in known]
        if new:
            zones = self._zones
            months = [(key[0], month_of(tx.now, zones.get(key[0], self._default_zone))) for key in new]
            numbers = dict(zip(new, await allocate_numbers(tx, months), strict=True))
            changed = {key: _numbered(case, numbers.get(key)) for key, case in changed.items()}
            open_cases(tx, {key: changed[key] for key in new})
        if len(changed) > len(new):
            advance_cases(tx, {key: case for key, case in changed.items() if key in known})
        return changed

    async def _write_events(self, tx: Tx, entries: Sequence[Entry], cases: Mapping[Key, KnownCase]) -> None:
        wanted: dict[PersonKey, UUID] = {
            (entry.report.org, entry.report.person_ref): self._ids.new()
            for entry in entries
            if entry.report.person_ref is not None
        }
        persons = await ensure_persons(tx, self._vault, wanted) if wanted else {}
        add_events(tx, [self._sealed(entry, persons) for entry in entries])
        for entry in entries:
            report = entry.report
            tx.outbox.add(
                Event(
                    id=self._ids.new(),
                    source=SOURCE,
                    time=tx.now,
                    org=report.org,
                    case_id=entry.case_id,
                    data=published(
                        report, number=cases[report.case_key].number, sequence=entry.sequence, received_at=tx.now
                    ),
                    causation=f"{report.body.source}#{entry.event_id}",
                    traceparent=next_span(report.traceparent),
                )
            )

    def _sealed(self, entry: Entry, persons: Mapping[PersonKey, PersonWithKey]) -> SealedEntry:
        report = entry.report
        place = (report.org, report.body.source, entry.event_id)
        person = persons[report.org, report.person_ref] if report.person_ref is not None else None
        key = person.key if person is not None else self._vault.org_key(report.org)
        return SealedEntry(
            entry,
            person.person_id if person is not None else None,
            seal(key, report.original, event_place(place, "original")),
            seal(key, report.identity, event_place(place, "identity")) if report.identity is not None else None,
        )

    async def _explained(self, tx: Tx, report: Report, known: KnownEvent) -> Refused:
        """The contradiction with the names of the fields that differ, where the registered body can still be read."""
        for row in await read_events(tx, known.case_id, _READ_BACK):
            if row["event_id"] == report.event_id and row["source"] == report.body.source:
                before = open_original(self._vault, row)
                return contradiction(report, known, _differing(before, _posted(report)) if before else ())
        return contradiction(report, known)


def _posted(report: Report) -> dict[str, object]:
    posted = read_object(report.original)
    if isinstance(report.body, ComplaintBody) and report.identity is not None:
        posted["complainant"] = read_object(report.identity)
    return posted


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [
        name
        for name in sorted(set(before) | set(after))
        if name not in before or name not in after or canonical(before[name]) != canonical(after[name])
    ]


def _count(words: Iterable[tuple[str, str]]) -> None:
    for kind, outcome in words:
        REPORTS_REGISTERED.labels(kind, outcome).inc()


def _numbered(case: KnownCase, number: str | None) -> KnownCase:
    return case if number is None else replace(case, number=number)


_OUTCOME_WORD: Final = {Entry: "registered", Repeated: "duplicate", Contradicted: "refused", Unfit: "refused"}
