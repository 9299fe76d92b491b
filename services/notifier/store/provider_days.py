"""What providers cost by day, over all replicas, and what share of their messages arrived."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from shared.db.tx import Tx


async def add_spending(tx: Tx, spending: Mapping[tuple[str, date], int]) -> None:
    """Add millionths of the currency to the days of providers."""
    if not spending:
        return
    # In one order by everybody, so that two replicas never wait for each other.
    keys = sorted(spending)
    await tx.execute(
        "INSERT INTO provider_days (provider, day, spent) SELECT * FROM unnest(CAST(:providers AS text[]), "
        "CAST(:days AS date[]), CAST(:spent AS bigint[])) "
        "ON CONFLICT (provider, day) DO UPDATE SET spent = provider_days.spent + excluded.spent",
        providers=[provider for provider, _ in keys],
        days=[day for _, day in keys],
        spent=[spending[key] for key in keys],
    )


async def spent_on(tx: Tx, day: date) -> dict[str, int]:
    """Millionths spent that day, by provider."""
    rows = await tx.fetch("SELECT provider, spent FROM provider_days WHERE day = :day", day=day)
    return {row["provider"]: row["spent"] for row in rows}


async def arrivals(
    tx: Tx, receipts_within: Mapping[str, timedelta], *, now: datetime, over: timedelta
) -> Iterable[tuple[str, int, int]]:
    """Provider, messages accepted in a span whose receipts are due by now, and how many of them were delivered."""
    names = sorted(receipts_within)
    rows = await tx.fetch(
        "SELECT a.provider, count(*) AS taken, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM receipts AS r "
        "WHERE r.attempt_id = a.attempt_id AND r.status = 'delivered')) AS delivered "
        "FROM unnest(CAST(:names AS text[]), CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])) "
        "AS t (provider, since, until) JOIN attempts AS a ON a.provider = t.provider "
        "AND a.started_at >= t.since AND a.started_at < t.until "
        "JOIN outcomes AS o ON o.attempt_id = a.attempt_id AND o.answer = 'accepted' GROUP BY a.provider",
        names=names,
        since=[now - receipts_within[name] - over for name in names],
        until=[now - receipts_within[name] for name in names],
    )
    return [(row["provider"], row["taken"], row["delivered"]) for row in rows]


async def reached_nobody(tx: Tx, *, since: datetime) -> int:
    """Requests settled since then for all of their people, and for none of them with success."""
    row = await tx.fetch_one(
        "SELECT count(*) AS found FROM (SELECT DISTINCT request_id FROM intents "
        "WHERE settlement IN ('failed', 'nobody') AND settled_at >= :since) AS f WHERE NOT EXISTS ("
        "SELECT 1 FROM intents AS i WHERE i.request_id = f.request_id "
        "AND (i.settlement IS NULL OR i.settlement NOT IN ('failed', 'nobody')))",
        since=since,
    )
    return int(row["found"]) if row is not None else 0


async def without_a_way(tx: Tx) -> int:
    """Messages that wait because no way to their person is open at this moment."""
    row = await tx.fetch_one(
        "SELECT count(*) AS found FROM intents WHERE due_at IS NOT NULL AND settlement IS NULL "
        "AND reason IS NOT NULL AND stopped IS NULL"
    )
    return int(row["found"]) if row is not None else 0


async def addresses_of(tx: Tx, org: str, provider: str, message_ids: Iterable[str]) -> list[tuple[str, UUID, UUID]]:
    """Message id, attempt and case of the newest message of the organisation under each id this provider gave."""
    rows = await tx.fetch(
        "SELECT DISTINCT ON (o.provider_message_id) o.provider_message_id, a.attempt_id, i.case_id FROM outcomes AS o "
        "JOIN attempts AS a ON a.attempt_id = o.attempt_id JOIN intents AS i ON i.intent_id = a.intent_id "
        "WHERE o.provider_message_id = ANY(CAST(:ids AS text[])) AND a.provider = :provider AND i.org = :org "
        "ORDER BY o.provider_message_id, a.started_at DESC",
        ids=list(message_ids),
        provider=provider,
        org=org,
    )
    return [(row["provider_message_id"], row["attempt_id"], row["case_id"]) for row in rows]


async def address_of(tx: Tx, provider: str, message_ids: Iterable[str]) -> tuple[UUID, UUID, str] | None:
    """Attempt, case and organisation of the newest message that this provider took under one of these ids."""
    row = await tx.fetch_one(
        "SELECT a.attempt_id, i.case_id, i.org FROM outcomes AS o JOIN attempts AS a ON a.attempt_id = o.attempt_id "
        "JOIN intents AS i ON i.intent_id = a.intent_id WHERE o.provider_message_id = ANY(CAST(:ids AS text[])) "
        "AND a.provider = :provider ORDER BY a.started_at DESC LIMIT 1",
        ids=list(message_ids),
        provider=provider,
    )
    return (row["attempt_id"], row["case_id"], row["org"]) if row is not None else None
