"""Cases of which something was erased: what each service remembers so that nothing of them comes back.

A record of an erased case may still come: from a topic read anew, from another topic that was behind, from a dead
letter sent again. So what was erased once is erased again until nothing of it can come any more, see `next_look`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text, Uuid

from shared.contracts.escalations import ErasedPart
from shared.contracts.topics import DEAD_LETTER_RETENTION
from shared.db.messaging_v1 import Executes
from shared.db.partitions import INBOX_KEPT, OUTBOX_KEPT
from shared.db.tx import Tx

_FIRST: Final = timedelta(minutes=5)
_HOT: Final = timedelta(hours=1)
_SOON: Final = timedelta(minutes=1)
_HOURLY: Final = timedelta(hours=1)
_DAILY: Final = timedelta(days=1)
_LAST: Final = DEAD_LETTER_RETENTION + timedelta(days=1)
_STATEMENTS: Final = (
    """
    CREATE TABLE erasures (
        case_id uuid NOT NULL,
        org text NOT NULL,
        number text NOT NULL,
        part text NOT NULL,
        actor text,
        reason text,
        last_changed_at timestamptz NOT NULL,
        erased_at timestamptz NOT NULL,
        look_at timestamptz,
        CONSTRAINT pk_erasures PRIMARY KEY (case_id)
    )
    """,
    "CREATE INDEX ix_erasures_look_at ON erasures (look_at) WHERE look_at IS NOT NULL",
)


def erasures_table(metadata: MetaData) -> Table:
    """Declared in every service that holds anything of a case. Nothing personal: who asked is a roster person id."""
    table = Table(
        "erasures",
        metadata,
        Column("case_id", Uuid, primary_key=True),
        Column("org", Text, nullable=False),
        Column("number", Text, nullable=False),
        Column("part", Text, nullable=False),
        Column("actor", Text),
        Column("reason", Text),
        Column("last_changed_at", DateTime(timezone=True), nullable=False),
        Column("erased_at", DateTime(timezone=True), nullable=False),
        # When to erase again what has come since; absent once nothing can come any more.
        Column("look_at", DateTime(timezone=True)),
    )
    Index("ix_erasures_look_at", table.c.look_at, postgresql_where=table.c.look_at.is_not(None))
    return table


def create_erasures_table_v1(op: Executes) -> None:
    """For a service's migration."""
    for statement in _STATEMENTS:
        op.execute(statement)


@dataclass(frozen=True, slots=True)
class Erasure:
    """So much of a case is erased. `last_changed_at`: when anything had happened to it last."""

    case_id: UUID
    org: str
    number: str
    part: ErasedPart
    last_changed_at: datetime
    erased_at: datetime
    actor: str | None = None
    reason: str | None = None

    @property
    def recent(self) -> bool:
        """Records of it may still be in an outbox or on their way."""
        return self.erased_at - self.last_changed_at < INBOX_KEPT

    def in_outbox(self, now: datetime) -> bool:
        """Whether to look for its records in an outbox: while one can hold any, in the first minutes and once a day."""
        age = now - self.erased_at
        if not self.recent or age > OUTBOX_KEPT + _DAILY:
            return False
        return age < _FIRST or (age >= _HOURLY and age % _DAILY < _HOURLY)

    def next_look(self, now: datetime) -> datetime | None:
        """When to erase again what came late; None once the last dead letter about the case is gone.

        Often at first, then hourly as long as an event can be published again, then daily. A case that was quiet for
        longer than that is looked at twice more.
        """
        age = now - self.erased_at
        if age >= _LAST:
            return None
        if not self.recent:
            return self.erased_at + (_DAILY if age < _DAILY else _LAST)
        if age < _HOT:
            return now + _SOON
        return now + (_HOURLY if age < INBOX_KEPT else _DAILY)


async def note_erasures(tx: Tx, erasures: Sequence[Erasure]) -> None:
    """Remember them, to be looked at at once. Of one case the larger part stands; the same again changes nothing."""
    last = {one.case_id: one for one in sorted(erasures, key=lambda one: one.part is ErasedPart.CASE)}
    found = [last[case_id] for case_id in sorted(last)]
    await tx.execute(
        "INSERT INTO erasures (case_id, org, number, part, actor, reason, last_changed_at, erased_at, look_at) "
        "SELECT t.*, :now FROM unnest(CAST(:ids AS uuid[]), CAST(:orgs AS text[]), CAST(:numbers AS text[]), "
        "CAST(:parts AS text[]), CAST(:actors AS text[]), CAST(:reasons AS text[]), CAST(:changed AS timestamptz[]), "
        "CAST(:erased AS timestamptz[])) AS t "
        "ON CONFLICT (case_id) DO UPDATE SET part = EXCLUDED.part, actor = EXCLUDED.actor, reason = EXCLUDED.reason, "
        "last_changed_at = EXCLUDED.last_changed_at, erased_at = EXCLUDED.erased_at, look_at = EXCLUDED.look_at "
        "WHERE erasures.part <> 'case' AND erasures.erased_at < EXCLUDED.erased_at",
        ids=[one.case_id for one in found],
        orgs=[one.org for one in found],
        numbers=[one.number for one in found],
        parts=[one.part.value for one in found],
        actors=[one.actor for one in found],
        reasons=[one.reason for one in found],
        changed=[one.last_changed_at for one in found],
        erased=[one.erased_at for one in found],
        now=tx.now,
    )


async def claim_erasures(tx: Tx, limit: int) -> list[Erasure]:
    """Those to be looked at again by now, locked; what another replica holds is left to it."""
    rows = await tx.fetch(
        "SELECT case_id, org, number, part, actor, reason, last_changed_at, erased_at FROM erasures "
        "WHERE look_at <= :now ORDER BY look_at LIMIT :limit FOR UPDATE SKIP LOCKED",
        now=tx.now,
        limit=limit,
    )
    return [
        Erasure(
            case_id=row["case_id"],
            org=row["org"],
            number=row["number"],
            part=ErasedPart(row["part"]),
            last_changed_at=row["last_changed_at"],
            erased_at=row["erased_at"],
            actor=row["actor"],
            reason=row["reason"],
        )
        for row in rows
    ]


async def looked_at(tx: Tx, erasures: Sequence[Erasure]) -> None:
    """Put them off until they have to be looked at next, if ever."""
    await tx.execute(
        "UPDATE erasures AS e SET look_at = t.look_at FROM unnest(CAST(:ids AS uuid[]), CAST(:looks AS timestamptz[])) "
        "AS t (case_id, look_at) WHERE e.case_id = t.case_id",
        ids=[one.case_id for one in erasures],
        looks=[one.next_look(tx.now) for one in erasures],
    )


async def forget_published(tx: Tx, erasures: Sequence[Erasure]) -> int:
    """Delete what the outbox still holds of these cases, but not that they were erased; how many rows.

    What waits to be published stays until it is. Reads every kept row: for a few cases now and then, never on the way
    of events.
    """
    recent = [one for one in erasures if one.in_outbox(tx.now)]
    if not recent:
        return 0
    return await tx.execute(
        "DELETE FROM outbox WHERE key = ANY(CAST(:keys AS bytea[])) AND published_at IS NOT NULL "
        "AND topic <> 'cases-erased'",
        keys=[str(one.case_id).encode() for one in recent],
    )
