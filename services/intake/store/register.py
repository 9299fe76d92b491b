"""Cases and their events: rows in groups, locked in one order so that groups never wait for each other in a circle.

Order of locks: known cases by key, number counters by organisation and month, new cases by key, events by key.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.intake.domain.numbers import number_text
from services.intake.domain.registration import Entry, Key, KnownCase, KnownEvent
from services.intake.domain.routing import Routing
from shared.contracts.values import CaseKind
from shared.db.tx import Row, Tx

RegisterRaceError: Final = asyncpg.UniqueViolationError
"""Another process wrote the same case, event or person in between: roll back and decide again."""


_FIND_KNOWN: Final = (
    # An index look-up for each key, in the order of the locks: a join would rather read all cases while the planner
    # does not know how many there are.
    "WITH locked AS MATERIALIZED (SELECT c.* FROM (SELECT * FROM unnest(CAST(:orgs AS text[]), "
    "CAST(:sources AS text[]), CAST(:references AS text[])) AS u (org, source, reference) "
    "ORDER BY org, source, reference) AS k CROSS JOIN LATERAL (SELECT s.* FROM cases AS s WHERE s.org = k.org "
    "AND s.source = k.source AND s.reference = k.reference FOR UPDATE) AS c) "
    "SELECT CAST(NULL AS text) AS event_org, CAST(NULL AS text) AS event_source, CAST(NULL AS text) AS event_id, "
    "c.org, c.source, c.reference, c.case_id, c.number, c.last_sequence AS sequence, c.last_body_hash AS body_hash, "
    "c.kind, c.last_event_id, c.topic, c.category, c.channel, c.plans FROM locked AS c "
    "UNION ALL SELECT e.org, e.source, e.event_id, c.org, c.source, c.reference, e.case_id, c.number, e.sequence, "
    "e.body_hash, NULL, NULL, NULL, NULL, NULL, NULL FROM unnest(CAST(:event_orgs AS text[]), "
    "CAST(:event_sources AS text[]), CAST(:event_ids AS text[])) AS k (org, source, event_id) "
    "JOIN events AS e USING (org, source, event_id) "
    "CROSS JOIN LATERAL (SELECT s.* FROM cases AS s WHERE s.case_id = e.case_id OFFSET 0) AS c"
)
_COUNT: Final = (
    "INSERT INTO number_counters AS n (org, month, last) SELECT org, month, wanted FROM unnest("
    "CAST(:orgs AS text[]), CAST(:months AS text[]), CAST(:wanted AS integer[])) AS k (org, month, wanted) "
    "ORDER BY org, month ON CONFLICT (org, month) DO UPDATE SET last = n.last + EXCLUDED.last "
    "RETURNING org, month, last"
)
_OPEN_CASES: Final = (
    "INSERT INTO cases (case_id, org, source, reference, kind, number, last_sequence, last_event_id, last_body_hash, "
    "topic, category, channel, plans, opened_at, changed_at) SELECT k.*, :now, :now "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:orgs AS text[]), "
    "CAST(:sources AS text[]), CAST(:references AS text[]), CAST(:kinds AS text[]), CAST(:numbers AS text[]), "
    "CAST(:sequences AS integer[]), CAST(:events AS text[]), CAST(:hashes AS bytea[]), CAST(:topics AS text[]), "
    "CAST(:categories AS text[]), CAST(:channels AS text[]), CAST(:plans AS text[])) "
    "AS k (case_id, org, source, reference, kind, number, last_sequence, last_event_id, last_body_hash, "
    "topic, category, channel, plans) "
    "ORDER BY k.org, k.source, k.reference"
)
_ADVANCE_CASES: Final = (
    "UPDATE cases AS c SET last_sequence = k.sequence, last_event_id = k.event_id, last_body_hash = k.body_hash, "
    "topic = k.topic, category = k.category, channel = k.channel, plans = k.plans, "
    "changed_at = :now FROM unnest(CAST(:ids AS uuid[]), CAST(:sequences AS integer[]), CAST(:events AS text[]), "
    "CAST(:hashes AS bytea[]), CAST(:topics AS text[]), CAST(:categories AS text[]), CAST(:channels AS text[]), "
    "CAST(:plans AS text[])) AS k (case_id, sequence, event_id, body_hash, topic, category, channel, plans) "
    "WHERE c.case_id = k.case_id"
)
_ADD_EVENTS: Final = (
    "INSERT INTO events (org, source, event_id, case_id, sequence, body_hash, received_at, person_id, original, "
    "identity) SELECT k.org, k.source, k.event_id, k.case_id, k.sequence, k.body_hash, :now, k.person_id, "
    "k.original, k.identity FROM unnest(CAST(:orgs AS text[]), CAST(:sources AS text[]), CAST(:event_ids AS text[]), "
    "CAST(:ids AS uuid[]), CAST(:sequences AS integer[]), CAST(:hashes AS bytea[]), CAST(:persons AS uuid[]), "
    "CAST(:originals AS bytea[]), CAST(:identities AS bytea[])) "
    "AS k (org, source, event_id, case_id, sequence, body_hash, person_id, original, identity) "
    "ORDER BY k.org, k.source, k.event_id"
)


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An event's row with its sealed columns."""

    entry: Entry
    person_id: UUID | None
    original: bytes
    identity: bytes | None


async def find_known(
    tx: Tx, cases: Collection[Key], events: Collection[Key]
) -> tuple[dict[Key, KnownCase], dict[Key, KnownEvent]]:
    """Those of the cases that exist, locked until the transaction ends, and those of the events that do.

    Of an event that another process registered while this one waited for a lock only `add_events` learns.
    """
    orgs, sources, references = _columns(cases)
    event_orgs, event_sources, event_ids = _columns(events)
    rows = await tx.fetch(
        _FIND_KNOWN,
        orgs=orgs,
        sources=sources,
        references=references,
        event_orgs=event_orgs,
        event_sources=event_sources,
        event_ids=event_ids,
    )
    return (
        {_case_key(row): _known_case(row) for row in rows if row["event_id"] is None},
        {
            (row["event_org"], row["event_source"], row["event_id"]): KnownEvent(
                row["case_id"], row["number"], row["sequence"], bytes(row["body_hash"]), _case_key(row)
            )
            for row in rows
            if row["event_id"] is not None
        },
    )


async def allocate_numbers(tx: Tx, wanted: Sequence[tuple[str, str]]) -> list[str]:
    """One number for each (organisation, month), in the order given, all in one statement.

    A rollback gives the numbers back; until the commit others of the organisation wait.
    """
    counts: dict[tuple[str, str], int] = {}
    for pair in wanted:
        counts[pair] = counts.get(pair, 0) + 1
    rows = await tx.fetch(
        _COUNT,
        orgs=[org for org, _ in counts],
        months=[month for _, month in counts],
        wanted=list(counts.values()),
    )
    following = {(row["org"], row["month"]): row["last"] - counts[row["org"], row["month"]] for row in rows}
    numbers: list[str] = []
    for pair in wanted:
        following[pair] += 1
        numbers.append(number_text(pair[1], following[pair]))
    return numbers


def open_cases(tx: Tx, cases: Mapping[Key, KnownCase]) -> None:
    """Write new cases. The transaction fails with RegisterRaceError when one of them exists by now."""
    tx.later(
        _OPEN_CASES,
        ids=[case.case_id for case in cases.values()],
        orgs=[key[0] for key in cases],
        sources=[key[1] for key in cases],
        references=[key[2] for key in cases],
        kinds=[case.kind.value for case in cases.values()],
        numbers=[case.number for case in cases.values()],
        **_heads(cases),
        now=tx.now,
    )


def advance_cases(tx: Tx, cases: Mapping[Key, KnownCase]) -> None:
    """Write what the latest reports of cases locked before brought."""
    tx.later(_ADVANCE_CASES, ids=[case.case_id for case in cases.values()], **_heads(cases), now=tx.now)


def add_events(tx: Tx, entries: Sequence[SealedEntry]) -> None:
    """Write the register's log. The transaction fails with RegisterRaceError when one of the events exists by now."""
    tx.later(
        _ADD_EVENTS,
        orgs=[row.entry.report.org for row in entries],
        sources=[row.entry.report.body.source for row in entries],
        event_ids=[row.entry.event_id for row in entries],
        ids=[row.entry.case_id for row in entries],
        sequences=[row.entry.sequence for row in entries],
        hashes=[row.entry.report.body_hash for row in entries],
        persons=[row.person_id for row in entries],
        originals=[row.original for row in entries],
        identities=[row.identity for row in entries],
        now=tx.now,
    )


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as anyone with the right may read it."""

    case_id: UUID
    number: str
    kind: str
    source: str
    reference: str
    sequence: int
    opened_at: datetime
    changed_at: datetime


async def find_case(tx: Tx, org: str, *, case_id: UUID | None = None, number: str | None = None) -> StoredCase | None:
    """By id or by number, within one organisation."""
    row = await tx.fetch_one(
        "SELECT case_id, number, kind, source, reference, last_sequence, opened_at, changed_at FROM cases "
        "WHERE org = :org AND (case_id = CAST(:case_id AS uuid) OR number = CAST(:number AS text))",
        org=org,
        case_id=case_id,
        number=number,
    )
    if row is None:
        return None
    return StoredCase(
        row["case_id"],
        row["number"],
        row["kind"],
        row["source"],
        row["reference"],
        row["last_sequence"],
        row["opened_at"],
        row["changed_at"],
    )


async def find_case_id(tx: Tx, org: str, source: str, reference: str) -> UUID | None:
    """The case an alerting system means."""
    row = await tx.fetch_one(
        "SELECT case_id FROM cases WHERE org = :org AND source = :source AND reference = :reference",
        org=org,
        source=source,
        reference=reference,
    )
    return row["case_id"] if row is not None else None


async def org_of_case(tx: Tx, case_id: UUID) -> str | None:
    """Whose case it is; None for one that intake did not open (a warning case)."""
    row = await tx.fetch_one("SELECT org FROM cases WHERE case_id = :case_id", case_id=case_id)
    return row["org"] if row is not None else None


async def read_events(tx: Tx, case_id: UUID, limit: int) -> Sequence[Row]:
    """The case's log with its sealed columns and, where it still exists, the person's wrapped key. Oldest first."""
    return await tx.fetch(
        "SELECT e.org, e.source, e.event_id, e.sequence, e.received_at, e.body_hash, e.person_id, e.original, "
        "e.identity, k.wrapped_key FROM events AS e LEFT JOIN person_keys AS k USING (person_id) "
        "WHERE e.case_id = :case_id ORDER BY e.sequence LIMIT :limit",
        case_id=case_id,
        limit=limit,
    )


def _case_key(row: Row) -> Key:
    return row["org"], row["source"], row["reference"]


def _known_case(row: Row) -> KnownCase:
    return KnownCase(
        row["case_id"],
        CaseKind(row["kind"]),
        row["number"],
        row["sequence"],
        row["last_event_id"],
        bytes(row["body_hash"]),
        Routing(row["topic"], row["category"], row["channel"], tuple(row["plans"].split())),
    )


def _columns(keys: Collection[Key]) -> tuple[list[str], list[str], list[str]]:
    ordered = sorted(keys)
    return [key[0] for key in ordered], [key[1] for key in ordered], [key[2] for key in ordered]


def _heads(cases: Mapping[Key, KnownCase]) -> dict[str, Any]:
    return {
        "sequences": [case.last_sequence for case in cases.values()],
        "events": [case.last_event_id for case in cases.values()],
        "hashes": [case.last_body_hash for case in cases.values()],
        "topics": [case.routing.topic for case in cases.values()],
        "categories": [case.routing.category for case in cases.values()],
        "channels": [case.routing.channel for case in cases.values()],
        "plans": [" ".join(case.routing.plans) for case in cases.values()],
    }
