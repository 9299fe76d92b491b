"""The ledger of one case as it is read: request → intent → attempt → outcome → receipts."""

import json
from collections import defaultdict
from typing import Any, Final
from uuid import UUID

from shared.db.tx import Tx

_NOT_REACHED: Final = frozenset({"failed", "nobody"})


async def deliveries_of(tx: Tx, org: str, case_id: UUID) -> list[dict[str, Any]]:
    """Every request of the case in the order accepted, with everything that followed from it. Empty: none."""
    requests = await tx.fetch(
        "SELECT request_id, event_id, plan, purpose, step, CAST(body AS text) AS body, accepted_at FROM requests "
        "WHERE org = :org AND case_id = :case ORDER BY accepted_at, step",
        org=org,
        case=case_id,
    )
    intents = await tx.fetch(
        "SELECT intent_id, request_id, role, person, person_label, CAST(because AS text) AS because, attempts, "
        "settlement, channel, provider, reason, reason_zh, settled_at, stopped, due_at, noise_rule, "
        "CAST(noise_because AS text) AS noise_because, held_at, held_until, bundle FROM intents "
        "WHERE org = :org AND case_id = :case ORDER BY intent_id",
        org=org,
        case=case_id,
    )
    ids = [row["intent_id"] for row in intents]
    attempts = await tx.fetch(
        "SELECT a.*, o.answer, o.provider_message_id, o.code, o.why, o.ended_at FROM attempts AS a "
        "LEFT JOIN outcomes AS o ON o.attempt_id = a.attempt_id WHERE a.intent_id = ANY(CAST(:ids AS uuid[])) "
        "ORDER BY a.number",
        ids=ids,
    )
    receipts = await tx.fetch(
        "SELECT r.* FROM receipts AS r JOIN attempts AS a ON a.attempt_id = r.attempt_id "
        "WHERE a.intent_id = ANY(CAST(:ids AS uuid[])) ORDER BY r.received_at",
        ids=ids,
    )
    said: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in receipts:
        said[row["attempt_id"]].append(
            {name: row[name] for name in ("status", "code", "detail", "provider_message_id", "received_at")}
        )
    made: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in attempts:
        shown = ("attempt_id", "number", "channel", "provider", "address", "doubtful", "started_at")
        outcome = None
        if row["answer"] is not None:
            outcome = {name: row[name] for name in ("answer", "code", "why", "provider_message_id", "ended_at")}
        made[row["intent_id"]].append(
            {**{name: row[name] for name in shown}, "outcome": outcome, "receipts": said[row["attempt_id"]]}
        )
    told: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in intents:
        told[row["request_id"]].append(
            {
                "intent_id": row["intent_id"],
                "role": row["role"],
                "person": row["person"],
                "person_label": row["person_label"],
                "because": json.loads(row["because"]),
                "settlement": row["settlement"],
                "channel": row["channel"],
                "provider": row["provider"],
                "reason": row["reason"],
                "settled_at": row["settled_at"],
                "stopped": row["stopped"],
                "reason_zh": row["reason_zh"] or row["reason"],
                "noise": _noise(dict(row)),
                "next_look_at": row["due_at"],
                "attempts": made[row["intent_id"]],
            }
        )
    return [_request(row["body"], dict(row), told[row["request_id"]]) for row in requests]


def _noise(row: dict[str, Any]) -> dict[str, Any] | None:
    """Why it waited, went with others or was left out."""
    if row["noise_rule"] is None:
        return None
    kept = {name: row[name] for name in ("held_at", "held_until", "bundle")}
    return {"rule": row["noise_rule"], "because": json.loads(row["noise_because"]), **kept}


def _request(body: str, row: dict[str, Any], intents: list[dict[str, Any]]) -> dict[str, Any]:
    asked = json.loads(body)
    settlements = {intent["settlement"] for intent in intents}
    return {
        "request_id": row["request_id"],
        "event_id": row["event_id"],
        "plan": row["plan"],
        "purpose": row["purpose"],
        "step": row["step"],
        "roles": asked["roles"],
        "channels": asked["channels"],
        "requested_at": asked["requested_at"],
        "accepted_at": row["accepted_at"],
        "drill": asked.get("drill", False),
        "nobody_told": bool(settlements) and settlements <= _NOT_REACHED,
        "intents": intents,
    }
