"""Notices to complainants: written once, claimed when due, settled."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.notifier.domain.complainant_notices import ComplainantNotice, Following
from shared.contracts.values import ChannelKind
from shared.db.tx import Row, Tx


async def add(tx: Tx, notices: Sequence[ComplainantNotice]) -> None:
    """Those that are not there yet, due at once."""
    await tx.execute(
        "INSERT INTO complainant_notices (notice_id, org, case_id, plan, notice, number, language, text, reason, "
        "outcome, noted_at, due_at, attempts) SELECT t.*, :now, 0 "
        "FROM unnest(CAST(:ids AS uuid[]), CAST(:orgs AS text[]), "
        "CAST(:cases AS uuid[]), CAST(:plans AS text[]), CAST(:notices AS text[]), CAST(:numbers AS text[]), "
        "CAST(:languages AS text[]), CAST(:texts AS text[]), CAST(:reasons AS text[]), "
        "CAST(:outcomes AS text[]), CAST(:noted AS timestamptz[])) "
        "AS t ON CONFLICT (notice_id) DO NOTHING",
        ids=[one.id for one in notices],
        orgs=[one.org for one in notices],
        cases=[one.case_id for one in notices],
        plans=[one.plan for one in notices],
        notices=[one.notice for one in notices],
        numbers=[one.number for one in notices],
        languages=[one.language for one in notices],
        texts=[one.text for one in notices],
        reasons=[one.reason for one in notices],
        outcomes=[one.outcome for one in notices],
        noted=[one.noted_at for one in notices],
        now=tx.now,
    )


async def claim(tx: Tx, *, most: int, lease: timedelta) -> list[ComplainantNotice]:
    """Due notices, counted as tried; whoever dies with them leaves them due again after the lease."""
    rows = await tx.fetch(
        "UPDATE complainant_notices AS n SET due_at = :until, attempts = n.attempts + 1 FROM (SELECT notice_id FROM "
        "complainant_notices WHERE due_at <= :now ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED) AS d "
        "WHERE n.notice_id = d.notice_id RETURNING n.*",
        now=tx.now,
        until=tx.now + lease,
        most=most,
    )
    return [_notice(row) for row in rows]


async def put_off(tx: Tx, notice_id: UUID, until: datetime) -> None:
    """Later, and this time does not count."""
    await tx.execute(
        "UPDATE complainant_notices SET due_at = :until, attempts = attempts - 1 WHERE notice_id = :id "
        "AND due_at IS NOT NULL",
        until=until,
        id=notice_id,
    )


async def settle(
    tx: Tx, notice_id: UUID, following: Following, *, channel: ChannelKind | None = None, provider: str | None = None
) -> bool:
    """What became of a notice. False: it was delivered before, which is never taken back."""
    touched = await tx.execute(
        "UPDATE complainant_notices SET due_at = CAST(:due AS timestamptz), settlement = CAST(:settlement AS text), "
        "why = :why, channel = CAST(:channel AS text), provider = CAST(:provider AS text), settled_at = :now "
        "WHERE notice_id = :id AND settlement IS DISTINCT FROM 'delivered'",
        due=following.due_at,
        settlement=following.settlement.value if following.settlement is not None else None,
        why=following.why[:500],
        channel=channel.value if channel is not None else None,
        provider=provider,
        now=tx.now,
        id=notice_id,
    )
    return touched > 0


async def lock(tx: Tx, notice_ids: Iterable[UUID]) -> list[ComplainantNotice]:
    """Those of the ids that are notices, locked."""
    rows = await tx.fetch(
        "SELECT * FROM complainant_notices WHERE notice_id = ANY(CAST(:ids AS uuid[])) ORDER BY notice_id FOR UPDATE",
        ids=sorted(set(notice_ids)),
    )
    return [_notice(row) for row in rows]


def _notice(row: Row) -> ComplainantNotice:
    return ComplainantNotice(
        id=row["notice_id"],
        org=row["org"],
        case_id=row["case_id"],
        plan=row["plan"],
        notice=row["notice"],
        number=row["number"],
        language=row["language"],
        text=row["text"],
        reason=row["reason"],
        noted_at=row["noted_at"],
        outcome=row["outcome"],
        attempts=row["attempts"],
    )
