"""Requests and intents: written when accepted, claimed when due, moved on under a row lock."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.notifier.domain.delivery import Route, Verdict
from services.notifier.domain.ledger import Intent, Request
from services.notifier.domain.noise import NoiseRule, Ruling
from services.notifier.domain.urgency import Lane
from shared.contracts.notifications import NotificationRequestedV1, Settlement
from shared.contracts.values import Bilingual, CaseKind, ChannelKind
from shared.db.tx import Row, Tx

_COLUMNS: Final = (
    "i.*, r.event_id, r.traceparent, r.accepted_at, CAST(r.body AS text) AS body, CAST(i.because AS text) AS reasons, "
    "CAST(i.noise_because AS text) AS noise_words"
)
_MOST_IN_ONE: Final = 200


def add_requests(tx: Tx, requests: Sequence[Request]) -> None:
    """Write new requests. One that is there by now is an error by unique key."""
    tx.later(
        "INSERT INTO requests "
        "(request_id, event_id, org, case_id, plan, purpose, step, body, traceparent, warning_topic, accepted_at) "
        "SELECT t.a, t.b, t.c, t.d, t.e, t.f, t.g, CAST(t.h AS jsonb), t.i, t.j, :now FROM unnest("
        "CAST(:requests AS uuid[]), CAST(:events AS uuid[]), CAST(:orgs AS text[]), CAST(:cases AS uuid[]), "
        "CAST(:plans AS text[]), CAST(:purposes AS text[]), CAST(:steps AS integer[]), CAST(:bodies AS text[]), "
        "CAST(:traces AS text[]), CAST(:topics AS text[])) AS t (a, b, c, d, e, f, g, h, i, j)",
        requests=[one.body.request_id for one in requests],
        events=[one.event_id for one in requests],
        orgs=[one.org for one in requests],
        cases=[one.case_id for one in requests],
        plans=[one.body.subject.plan for one in requests],
        purposes=[one.body.purpose.value for one in requests],
        steps=[one.body.step for one in requests],
        # Also what is null: a subject without a level must be readable again.
        bodies=[one.body.model_dump_json() for one in requests],
        traces=[one.traceparent for one in requests],
        topics=[one.body.subject.topic if one.body.subject.kind is CaseKind.WARNING else None for one in requests],
        now=tx.now,
    )


def add_intents(tx: Tx, intents: Sequence[Intent]) -> None:
    """Write the intents. A second one for the same request and recipient is an error by unique key."""
    tx.later(
        "INSERT INTO intents (intent_id, request_id, org, case_id, plan, purpose, step, role, recipient, person, "
        "person_label, because, lane, urgency, next_channel, due_at, stopped, settlement, reason, settled_at, "
        "attempts, stopped_zh, reason_zh, noise_rule, noise_because, held_at, held_until) "
        "SELECT t.a, t.b, t.c, t.d, t.e, t.f, t.g, t.h, t.i, t.j, t.k, CAST(t.l AS jsonb), t.m, t.n, t.o, "
        "t.p, t.q, t.r, t.s, t.u, t.v, t.w, t.x, t.y, CAST(t.z AS jsonb), t.za, t.zb FROM unnest("
        "CAST(:intents AS uuid[]), CAST(:requests AS uuid[]), CAST(:orgs AS text[]), CAST(:cases AS uuid[]), "
        "CAST(:plans AS text[]), CAST(:purposes AS text[]), CAST(:steps AS integer[]), CAST(:roles AS text[]), "
        "CAST(:recipients AS text[]), CAST(:people AS text[]), CAST(:labels AS text[]), CAST(:because AS text[]), "
        "CAST(:lanes AS smallint[]), CAST(:urgencies AS integer[]), CAST(:channels AS text[]), "
        "CAST(:due AS timestamptz[]), CAST(:stopped AS text[]), CAST(:settlements AS text[]), "
        "CAST(:reasons AS text[]), CAST(:settled AS timestamptz[]), CAST(:attempts AS integer[]), "
        "CAST(:stopped_zh AS text[]), CAST(:reasons_zh AS text[]), CAST(:noise AS text[]), CAST(:noise_why AS text[]), "
        "CAST(:held AS timestamptz[]), CAST(:until AS timestamptz[])) "
        "AS t (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, u, v, w, x, y, z, za, zb)",
        intents=[one.id for one in intents],
        requests=[one.request.body.request_id for one in intents],
        orgs=[one.request.org for one in intents],
        cases=[one.request.case_id for one in intents],
        plans=[one.request.body.subject.plan for one in intents],
        purposes=[one.request.body.purpose.value for one in intents],
        steps=[one.request.body.step for one in intents],
        roles=[one.role for one in intents],
        recipients=[one.recipient for one in intents],
        people=[one.person for one in intents],
        labels=[one.person_label for one in intents],
        because=[one.because.model_dump_json() for one in intents],
        lanes=[int(one.lane) for one in intents],
        urgencies=[one.urgency for one in intents],
        channels=[one.next_channel.value if one.next_channel else None for one in intents],
        due=[one.due_at for one in intents],
        settlements=[one.published.settlement.value if one.published else None for one in intents],
        settled=[one.settled_at for one in intents],
        attempts=[one.attempts for one in intents],
        **_noise(intents),
    )


def _noise(intents: Sequence[Intent]) -> dict[str, Any]:
    return {
        "stopped": [one.stopped.en if one.stopped else None for one in intents],
        "stopped_zh": [one.stopped.zh if one.stopped else None for one in intents],
        # Without a settlement: why nothing can be sent at this moment.
        "reasons": [one.published.reason if one.published else one.waits and one.waits.en for one in intents],
        "reasons_zh": [one.published.reason_zh if one.published else one.waits and one.waits.zh for one in intents],
        "noise": [one.noise.rule.value if one.noise else None for one in intents],
        "noise_why": [one.noise.words.model_dump_json() if one.noise else None for one in intents],
        "held": [one.held_at for one in intents],
        "until": [one.noise.until if one.noise else None for one in intents],
    }


async def claim_due(tx: Tx, *, fresh: Mapping[ChannelKind, int], retries: Mapping[ChannelKind, int]) -> list[Intent]:
    """Lock due intents until the end of this transaction: at most so many a channel, first pages first.

    Rows that another sender holds are passed over, so several senders share the work without waiting.
    """
    quotas = [(channel, Lane.FIRST_PAGE, Lane.FRESH, count) for channel, count in fresh.items() if count > 0]
    quotas += [(channel, Lane.RETRY, Lane.RETRY, count) for channel, count in retries.items() if count > 0]
    if not quotas:
        return []
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM unnest(CAST(:channels AS text[]), CAST(:first AS smallint[]), "  # noqa: S608  # our own columns
        "CAST(:last AS smallint[]), CAST(:counts AS integer[])) AS q (channel, first, last, count) "
        "CROSS JOIN LATERAL (SELECT * FROM intents WHERE next_channel = q.channel AND lane BETWEEN q.first AND q.last "
        "AND due_at <= :now ORDER BY lane, urgency DESC, due_at LIMIT q.count FOR UPDATE SKIP LOCKED) AS i "
        "JOIN requests AS r ON r.request_id = i.request_id",
        channels=[channel.value for channel, _, _, _ in quotas],
        first=[int(first) for _, first, _, _ in quotas],
        last=[int(last) for _, _, last, _ in quotas],
        counts=[count for _, _, _, count in quotas],
        now=tx.now,
    )
    return [_intent(row) for row in rows]


async def lock(tx: Tx, intent_ids: Iterable[UUID]) -> list[Intent]:
    """The intents, locked in one order by everybody, so that two transactions never wait for each other."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM intents AS i JOIN requests AS r ON r.request_id = i.request_id "  # noqa: S608  # our own columns
        "WHERE i.intent_id = ANY(CAST(:ids AS uuid[])) ORDER BY i.intent_id FOR UPDATE OF i",
        ids=sorted(set(intent_ids)),
    )
    return [_intent(row) for row in rows]


async def intents_of_attempts(tx: Tx, attempt_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Attempt → intent, for the attempts that exist."""
    rows = await tx.look(
        "SELECT attempt_id, intent_id FROM attempts WHERE attempt_id = ANY(CAST(:ids AS uuid[]))",
        ids=sorted(set(attempt_ids)),
    )
    return {row["attempt_id"]: row["intent_id"] for row in rows}


def save(tx: Tx, intents: Sequence[Intent]) -> None:
    """Write what moves: lane, next step, attempts, published verdict. Only for locked intents."""
    if not intents:
        return
    routes = [one.published.route if one.published else None for one in intents]
    tx.later(
        "UPDATE intents AS i SET lane = t.b, next_channel = t.c, due_at = t.d, stopped = t.e, attempts = t.f, "
        "settlement = t.g, channel = t.h, provider = t.i, contact = t.j, reason = t.k, settled_at = t.l, "
        "stopped_zh = t.m, reason_zh = t.n, noise_rule = t.o, noise_because = CAST(t.p AS jsonb), held_at = t.q, "
        "held_until = t.r, bundle = t.s "
        "FROM unnest(CAST(:ids AS uuid[]), CAST(:lanes AS smallint[]), CAST(:channels AS text[]), "
        "CAST(:due AS timestamptz[]), CAST(:stopped AS text[]), CAST(:attempts AS integer[]), "
        "CAST(:settlements AS text[]), CAST(:via AS text[]), CAST(:providers AS text[]), CAST(:contacts AS text[]), "
        "CAST(:reasons AS text[]), CAST(:settled AS timestamptz[]), "
        "CAST(:stopped_zh AS text[]), CAST(:reasons_zh AS text[]), CAST(:noise AS text[]), CAST(:noise_why AS text[]), "
        "CAST(:held AS timestamptz[]), CAST(:until AS timestamptz[]), CAST(:bundles AS uuid[])) "
        "AS t (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s) "
        "WHERE i.intent_id = t.a",
        ids=[one.id for one in intents],
        lanes=[int(one.lane) for one in intents],
        channels=[one.next_channel.value if one.next_channel else None for one in intents],
        due=[one.due_at for one in intents],
        attempts=[one.attempts for one in intents],
        settlements=[one.published.settlement.value if one.published else None for one in intents],
        via=[route.channel.value if route else None for route in routes],
        providers=[route.provider if route else None for route in routes],
        contacts=[route.contact if route else None for route in routes],
        settled=[one.settled_at for one in intents],
        bundles=[one.bundle for one in intents],
        **_noise(intents),
    )


async def lock_carried(tx: Tx, carriers: Iterable[UUID]) -> list[Intent]:
    """The intents that these carry in their messages, locked, without themselves."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM intents AS i JOIN requests AS r ON r.request_id = i.request_id "  # noqa: S608  # our own columns
        "WHERE i.bundle = ANY(CAST(:ids AS uuid[])) AND i.intent_id <> i.bundle ORDER BY i.intent_id FOR UPDATE OF i",
        ids=sorted(set(carriers)),
    )
    return [_intent(row) for row in rows]


async def lock_held_with(tx: Tx, claimed: Sequence[Intent]) -> list[Intent]:
    """What else waited for the people of these, for the same channel, and can go with them; locked.

    What was throttled goes along before its time, all else when it is due.
    """
    ways = {
        (one.request.org, one.person, one.next_channel.value)
        for one in claimed
        if one.person is not None and one.next_channel is not None
    }
    if not ways:
        return []
    orgs, persons, channels = zip(*ways, strict=True)
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM intents AS i JOIN requests AS r ON r.request_id = i.request_id "  # noqa: S608  # our own columns
        "JOIN unnest(CAST(:orgs AS text[]), CAST(:persons AS text[]), CAST(:channels AS text[])) "
        "AS t (org, person, channel) ON i.org = t.org AND i.person = t.person AND i.next_channel = t.channel "
        "WHERE i.noise_rule IS NOT NULL AND i.due_at IS NOT NULL AND i.attempts = 0 AND i.stopped IS NULL "
        "AND (i.noise_rule = 'throttled' OR i.due_at <= :now) "
        "AND NOT i.intent_id = ANY(CAST(:known AS uuid[])) ORDER BY i.urgency DESC, i.intent_id LIMIT :most "
        "FOR UPDATE OF i SKIP LOCKED",
        orgs=list(orgs),
        persons=list(persons),
        channels=list(channels),
        known=[one.id for one in claimed],
        now=tx.now,
        most=_MOST_IN_ONE,
    )
    return [_intent(row) for row in rows]


async def next_due(tx: Tx) -> datetime | None:
    """The earliest instant at which anything has to be looked at."""
    row = await tx.fetch_one("SELECT min(due_at) AS due_at FROM intents WHERE due_at IS NOT NULL")
    return row["due_at"] if row is not None else None


def _intent(row: Row) -> Intent:
    reasons: dict[str, Any] = json.loads(row["reasons"])
    return Intent(
        id=row["intent_id"],
        request=Request(
            event_id=row["event_id"],
            org=row["org"],
            case_id=row["case_id"],
            traceparent=row["traceparent"],
            accepted_at=row["accepted_at"],
            body=NotificationRequestedV1.model_validate_json(row["body"]),
        ),
        role=row["role"],
        person=row["person"],
        person_label=row["person_label"],
        because=Bilingual(**reasons),
        lane=Lane(row["lane"]),
        urgency=row["urgency"],
        attempts=row["attempts"],
        stopped=Bilingual(zh=row["stopped_zh"] or row["stopped"], en=row["stopped"]) if row["stopped"] else None,
        published=_published(row),
        settled_at=row["settled_at"],
        next_channel=ChannelKind(row["next_channel"]) if row["next_channel"] else None,
        due_at=row["due_at"],
        noise=_ruling(row),
        held_at=row["held_at"],
        bundle=row["bundle"],
        waits=_waits(row),
    )


def _ruling(row: Row) -> Ruling | None:
    if row["noise_rule"] is None:
        return None
    return Ruling(NoiseRule(row["noise_rule"]), Bilingual(**json.loads(row["noise_words"])), row["held_until"])


def _waits(row: Row) -> Bilingual | None:
    if row["settlement"] is not None or not row["reason"]:
        return None
    return Bilingual(zh=row["reason_zh"] or row["reason"], en=row["reason"])


def _published(row: Row) -> Verdict | None:
    if row["settlement"] is None:
        return None
    route = None
    if row["channel"] is not None:
        route = Route(ChannelKind(row["channel"]), row["provider"], row["contact"])
    return Verdict(Settlement(row["settlement"]), row["reason"], route, row["reason_zh"] or "")
