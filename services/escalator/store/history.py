"""What happened, append-only: changes of cases, entries of clock logs, fires of timers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from services.escalator.domain.clocks import Entry
from services.escalator.domain.decision import Fire, clock_id_of
from services.escalator.domain.explanation import FiredThreshold, LoggedEntry
from services.escalator.domain.light import entry_of
from services.escalator.store.cases import CaseKey, StoredCase
from shared.contracts.escalations import Change
from shared.contracts.values import FactValue
from shared.db.tx import Tx

FireIdentity = tuple[UUID, str, str, int, str]

_ENTRY: Final = TypeAdapter(Entry)
_DETAILS: Final = TypeAdapter(dict[str, FactValue | None])


@dataclass(frozen=True, slots=True)
class ChangeRow:
    key: CaseKey
    revision: int
    position: int
    change: Change
    cause: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    key: CaseKey
    entry: Entry
    cause: str


@dataclass(frozen=True, slots=True)
class FireRow:
    """`event_id` is the event that tells of it, written to the outbox by the same transaction."""

    key: CaseKey
    fire: Fire
    event_id: UUID

    @property
    def identity(self) -> FireIdentity:
        return (*self.key, self.fire.subject, self.fire.generation, self.fire.threshold)


def add_changes(tx: Tx, rows: Sequence[ChangeRow]) -> None:
    if not rows:
        return
    tx.later(
        "INSERT INTO changes (case_id, plan, revision, position, at, kind, because, details, cause) "
        "SELECT case_id, plan, revision, position, at, kind, because, CAST(details AS jsonb), cause "
        "FROM unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), CAST(:revisions AS int[]), "
        "CAST(:positions AS int[]), CAST(:ats AS timestamptz[]), CAST(:kinds AS text[]), CAST(:becauses AS text[]), "
        "CAST(:details AS text[]), CAST(:causes AS text[])) "
        "AS t (case_id, plan, revision, position, at, kind, because, details, cause)",
        case_ids=[row.key[0] for row in rows],
        plans=[row.key[1] for row in rows],
        revisions=[row.revision for row in rows],
        positions=[row.position for row in rows],
        ats=[row.change.at for row in rows],
        kinds=[row.change.kind.value for row in rows],
        becauses=[row.change.because for row in rows],
        details=[_DETAILS.dump_json(row.change.details).decode() for row in rows],
        causes=[row.cause for row in rows],
    )


def add_entries(tx: Tx, rows: Sequence[EntryRow]) -> None:
    """Append to clock logs; `seq` follows the order given."""
    if not rows:
        return
    tx.later(
        "INSERT INTO clock_entries (case_id, plan, clock, kind, at, body, cause) "
        "SELECT case_id, plan, clock, kind, at, CAST(body AS jsonb), cause "
        "FROM unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), CAST(:clocks AS text[]), "
        "CAST(:kinds AS text[]), CAST(:ats AS timestamptz[]), CAST(:bodies AS text[]), CAST(:causes AS text[])) "
        "WITH ORDINALITY AS t (case_id, plan, clock, kind, at, body, cause, position) ORDER BY position",
        case_ids=[row.key[0] for row in rows],
        plans=[row.key[1] for row in rows],
        clocks=[row.entry.clock for row in rows],
        kinds=[row.entry.kind.value for row in rows],
        ats=[row.entry.at for row in rows],
        bodies=[_ENTRY.dump_json(row.entry).decode() for row in rows],
        causes=[row.cause for row in rows],
    )


async def clock_records(
    tx: Tx, stored: StoredCase
) -> tuple[dict[str, list[LoggedEntry]], dict[str, list[FiredThreshold]]]:
    """Log and fires of every clock of a case, oldest first, by clock."""
    logged: dict[str, list[LoggedEntry]] = {}
    fired: dict[str, list[FiredThreshold]] = {}
    for row in await tx.fetch(
        "SELECT clock, CAST(body AS text) AS body, cause FROM clock_entries "
        "WHERE case_id = :case_id AND plan = :plan ORDER BY seq",
        case_id=stored.key[0],
        plan=stored.key[1],
    ):
        logged.setdefault(row["clock"], []).append(LoggedEntry(_ENTRY.validate_json(row["body"]), row["cause"]))
    for mark in stored.marks:
        logged.setdefault(mark.clock, []).append(LoggedEntry(entry_of(mark), mark.threshold))
    for row in await tx.fetch(
        "SELECT subject, threshold, generation, due_at, fired_at, superseded FROM fires "
        "WHERE case_id = :case_id AND plan = :plan ORDER BY fired_at, due_at",
        case_id=stored.key[0],
        plan=stored.key[1],
    ):
        clock = clock_id_of(row["subject"])
        if clock is not None:
            fired.setdefault(clock, []).append(
                FiredThreshold(row["threshold"], row["generation"], row["due_at"], row["fired_at"], row["superseded"])
            )
    return logged, fired


async def record_fires(tx: Tx, rows: Iterable[FireRow]) -> frozenset[FireIdentity]:
    """Claim these fires. Those that come back are ours; the others were fired before, by whomever."""
    ordered = sorted(rows, key=lambda row: row.identity)
    if not ordered:
        return frozenset()
    claimed = await tx.fetch(
        "INSERT INTO fires (case_id, plan, subject, generation, threshold, due_at, fired_at, superseded, event_id) "
        "SELECT case_id, plan, subject, generation, threshold, due_at, :now, superseded, event_id "
        "FROM unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), CAST(:subjects AS text[]), "
        "CAST(:generations AS int[]), CAST(:thresholds AS text[]), CAST(:dues AS timestamptz[]), "
        "CAST(:superseded AS boolean[]), CAST(:events AS uuid[])) "
        "AS t (case_id, plan, subject, generation, threshold, due_at, superseded, event_id) "
        "ON CONFLICT DO NOTHING RETURNING case_id, plan, subject, generation, threshold",
        now=tx.now,
        case_ids=[row.key[0] for row in ordered],
        plans=[row.key[1] for row in ordered],
        subjects=[row.fire.subject for row in ordered],
        generations=[row.fire.generation for row in ordered],
        thresholds=[row.fire.threshold for row in ordered],
        dues=[row.fire.due_at for row in ordered],
        superseded=[row.fire.superseded for row in ordered],
        events=[row.event_id for row in ordered],
    )
    return frozenset(
        (row["case_id"], row["plan"], row["subject"], row["generation"], row["threshold"]) for row in claimed
    )
