"""Attempts, outcomes and receipts: only ever added. What happened is written before the call and after it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from services.notifier.domain.delivery import Answer, Attempt, Outcome, Receipt, Route
from services.notifier.domain.ledger import NewAttempt, RecordedAnswer
from shared.contracts.envelope import Event
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.contracts.values import ChannelKind
from shared.db.tx import Row, Tx


def begin(tx: Tx, attempts: Sequence[NewAttempt]) -> None:
    """Write that these calls are about to be made. Must be committed before any of them is."""
    if not attempts:
        return
    tx.later(
        "INSERT INTO attempts (attempt_id, intent_id, number, channel, provider, contact, address, token, doubtful, "
        "started_at, answer_until) SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:intents AS uuid[]), "
        "CAST(:numbers AS integer[]), CAST(:channels AS text[]), CAST(:providers AS text[]), "
        "CAST(:contacts AS text[]), "
        "CAST(:addresses AS text[]), CAST(:tokens AS text[]), CAST(:doubtful AS boolean[]), "
        "CAST(:started AS timestamptz[]), CAST(:until AS timestamptz[]))",
        ids=[one.id for one in attempts],
        intents=[one.intent_id for one in attempts],
        numbers=[one.number for one in attempts],
        channels=[one.channel.value for one in attempts],
        providers=[one.provider for one in attempts],
        contacts=[one.contact for one in attempts],
        addresses=[one.address for one in attempts],
        tokens=[one.token for one in attempts],
        doubtful=[one.doubtful for one in attempts],
        started=[one.started_at for one in attempts],
        until=[one.answer_until for one in attempts],
    )


async def end(tx: Tx, answers: Sequence[RecordedAnswer]) -> frozenset[UUID]:
    """Write the outcomes; the attempts whose first outcome this is. A later outcome changes nothing."""
    if not answers:
        return frozenset()
    rows = await tx.fetch(
        "INSERT INTO outcomes (attempt_id, answer, provider_message_id, code, why, retry_after_ms, ended_at) "
        "SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:answers AS text[]), CAST(:messages AS text[]), "
        "CAST(:codes AS text[]), CAST(:why AS text[]), CAST(:after AS integer[]), CAST(:ended AS timestamptz[])) "
        "ON CONFLICT (attempt_id) DO NOTHING RETURNING attempt_id",
        ids=[one.attempt_id for one in answers],
        answers=[one.outcome.answer.value for one in answers],
        messages=[one.provider_message_id for one in answers],
        codes=[one.code for one in answers],
        why=[one.outcome.why for one in answers],
        after=[one.outcome.retry_after // timedelta(milliseconds=1) for one in answers],
        ended=[one.outcome.ended_at for one in answers],
    )
    return frozenset(row["attempt_id"] for row in rows)


async def add_receipts(tx: Tx, events: Sequence[Event[ReceiptReceivedV1]]) -> None:
    """Write receipts of known attempts, in whatever order they came."""
    await tx.execute(
        "INSERT INTO receipts (event_id, attempt_id, status, provider_message_id, code, detail, received_at) "
        "SELECT * FROM unnest(CAST(:events AS uuid[]), CAST(:attempts AS uuid[]), CAST(:statuses AS text[]), "
        "CAST(:messages AS text[]), CAST(:codes AS text[]), CAST(:details AS text[]), "
        "CAST(:received AS timestamptz[]))",
        events=[event.id for event in events],
        attempts=[event.data.attempt_id for event in events],
        statuses=[event.data.status.value for event in events],
        messages=[event.data.provider_message_id for event in events],
        codes=[event.data.code for event in events],
        details=[event.data.detail for event in events],
        received=[event.data.received_at for event in events],
    )


async def history(tx: Tx, intent_ids: Iterable[UUID]) -> dict[UUID, tuple[Attempt, ...]]:
    """All attempts of each intent in order, with outcome and receipts."""
    ids = sorted(set(intent_ids))
    if not ids:
        return {}
    rows = await tx.fetch(
        "SELECT a.intent_id, a.attempt_id, a.channel, a.provider, a.contact, a.answer_until, o.answer, o.why, "
        "o.retry_after_ms, o.ended_at, r.status, r.received_at, r.code, r.detail FROM attempts AS a "
        # A look-up for each attempt: a join would rather read all receipts while their number is not known.
        "LEFT JOIN LATERAL (SELECT * FROM outcomes AS s WHERE s.attempt_id = a.attempt_id OFFSET 0) AS o ON true "
        "LEFT JOIN LATERAL (SELECT * FROM receipts AS s WHERE s.attempt_id = a.attempt_id OFFSET 0) AS r ON true "
        "WHERE a.intent_id = ANY(CAST(:ids AS uuid[])) ORDER BY a.intent_id, a.number, r.received_at, r.event_id",
        ids=ids,
    )
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    for _, told in groupby(rows, key=itemgetter("attempt_id")):
        of_attempt = list(told)
        receipts = tuple(_receipt(row) for row in of_attempt if row["status"] is not None)
        found[of_attempt[0]["intent_id"]].append(_attempt(of_attempt[0], receipts))
    return {intent: tuple(attempts) for intent, attempts in found.items()}


def _receipt(row: Row) -> Receipt:
    why = " ".join(part for part in (row["code"], row["detail"]) if part)
    return Receipt(ReceiptStatus(row["status"]), row["received_at"], why)


def _attempt(row: Row, receipts: tuple[Receipt, ...]) -> Attempt:
    outcome = None
    if row["answer"] is not None:
        outcome = Outcome(
            Answer(row["answer"]), row["ended_at"], row["why"], timedelta(milliseconds=row["retry_after_ms"])
        )
    return Attempt(
        id=row["attempt_id"],
        route=Route(ChannelKind(row["channel"]), row["provider"], row["contact"]),
        answer_until=row["answer_until"],
        outcome=outcome,
        receipts=receipts,
    )
