"""Light firings, written by one statement whatever their number: the server puts together what each case publishes.

What is alike travels once, as a `Form`; of each case only its id goes to the server, and nothing of it comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from services.escalator.domain.clocks import BREACH
from services.escalator.domain.light import LightFire
from services.escalator.store.timers import Alike, ahead_text
from shared.contracts.topics import CASES_ESCALATED, NOTIFICATIONS_REQUESTED
from shared.db.tx import Tx

HEADER_PIECES: Final = 6
_ID_BEGINS: Final = 20
"""So many of an id's 32 hexadecimal digits stay when it is counted up."""
_ID_ROOM: Final = (1 << 47) - 1
"""Half of what the other digits can hold, so that counting up never overflows them."""


class FiredBeforeError(Exception):
    """One of these thresholds was fired before, so the claim had read an older state: only full decisions can tell."""


@dataclass(frozen=True, slots=True)
class Form:
    """What alike firings have in common, ready to be written.

    `headers` and `request_headers` are stored headers without what is each case's own: between the pieces stand the
    event's id, three times the case's id, and the trace context.
    """

    alike: Alike
    fire: LightFire
    headers: tuple[str, ...]
    request_headers: tuple[str, ...] | None

    @property
    def request_name(self) -> str:
        """What, with the case's id, the id of the request follows from."""
        alike = self.alike
        return f"/{alike.plan}/{alike.subject}/{alike.generation}/{alike.threshold}"


async def fire_all_lightly(
    tx: Tx, forms: Sequence[Form], case_ids: Sequence[UUID], form_of: Sequence[int], first_id: UUID
) -> None:
    """Record these fires, tell of them, note them at their cases and arm what follows.

    `form_of` says for each case which form is its. The events' ids count up from `first_id`, which must be a random
    one made now (a monotonic UUIDv7, RFC 9562 §6.2, method 2).

    The transaction holds the locks of the cases, each of which is here at most once. Raises FiredBeforeError when any
    of the thresholds had been fired, or a case has no card: the transaction must then be given up.
    """
    if not case_ids:
        return
    depth = max(len(form.fire.ended) for form in forms)
    found = await tx.fetch_one(
        _statement(depth),
        now=tx.now,
        case_ids=case_ids,
        forms=[number + 1 for number in form_of],  # arrays of the server count from one
        id_begins=first_id.hex[:_ID_BEGINS],
        id_ends=int(first_id.hex[_ID_BEGINS:], 16) & _ID_ROOM,
        **_arrays(forms, depth),
    )
    if found is None or (found["fired"], found["moved"]) != (len(case_ids), len(case_ids)):
        raise FiredBeforeError
    tx.outbox.note_written(found["told"])


def _arrays(forms: Sequence[Form], depth: int) -> dict[str, Any]:
    fires = [form.fire for form in forms]
    following = [fire.following for fire in fires]
    none = ("",) * HEADER_PIECES
    found: dict[str, Any] = {
        "escalated": CASES_ESCALATED.name,
        "requested": NOTIFICATIONS_REQUESTED.name,
        "plans": [form.alike.plan for form in forms],
        "subjects": [form.alike.subject for form in forms],
        "generations": [form.alike.generation for form in forms],
        "thresholds": [form.alike.threshold for form in forms],
        "dues": [form.alike.due_at for form in forms],
        "marks": [f"{fire.mark.clock} {fire.mark.threshold} {fire.mark.at.isoformat()}\n" for fire in fires],
        "ends": [int(fire.mark.threshold == BREACH) for fire in fires],
        "openings": [fire.opening for fire in fires],
        "requests": [fire.request for fire in fires],
        "names": [form.request_name for form in forms],
        "next_thresholds": [timer.threshold if timer is not None else None for timer in following],
        "next_dues": [timer.due_at if timer is not None else None for timer in following],
        "next_aheads": [ahead_text(timer.ahead) if timer is not None else None for timer in following],
    }
    for piece in range(HEADER_PIECES):
        found[f"headers_{piece}"] = [form.headers[piece] for form in forms]
        found[f"request_headers_{piece}"] = [(form.request_headers or none)[piece] for form in forms]
    for number in range(depth):
        found[f"running_{number}"] = [_pair(fire, number)[0] for fire in fires]
        found[f"ended_{number}"] = [_pair(fire, number)[1] for fire in fires]
    return found


def _pair(fire: LightFire, number: int) -> tuple[str, str]:
    # The server leaves a text as it is when nothing is to be replaced.
    return fire.ended[number] if number < len(fire.ended) else ("", "")


def _of(name: str, kind: str = "text") -> str:
    """The form's value in an array with one value for each form."""
    return f"(CAST(:{name} AS {kind}[]))[d.form]"


def _headers(name: str, event_id: str) -> str:
    span = f"'00-' || d.trace || '-' || substr({event_id}, 17) || '-01'"
    written = f"CAST(CAST({event_id} AS uuid) AS text)"
    between = (written, "d.id", "d.id", "d.id", span)
    pieces = [_of(f"{name}_{piece}") for piece in range(HEADER_PIECES)]
    return " || ".join(part for pair in zip(pieces, (*between, "''"), strict=True) for part in pair)


def _counted(step: int) -> str:
    """The hexadecimal digits of an event's id: two for each case."""
    return f"CAST(:id_begins AS text) || lpad(to_hex(CAST(:id_ends AS bigint) + 2 * d.n + {step}), 12, '0')"


@lru_cache(maxsize=16)
def _statement(depth: int) -> str:
    """The statement for forms that show at most so many clocks as ended since the card was written."""
    published = "split_part(d.card, E'\\n', 1)"
    for number in range(depth):
        published = f"replace({published}, {_of(f'running_{number}')}, {_of(f'ended_{number}')})"
    rows = "unnest(CAST(:case_ids AS uuid[]), CAST(:forms AS int[])) WITH ORDINALITY AS d (case_id, form, n)"
    digest = f"encode(sha256(convert_to(d.id || {_of('names')}, 'UTF8')), 'hex')"
    # A UUID of version 8 (RFC 9562 §5.8): the same request has the same id, whoever asks for it.
    request_id = (
        f"CAST(CAST(overlay(overlay(substr({digest}, 1, 32) PLACING '8' FROM 13) PLACING '8' FROM 17) AS uuid) AS text)"
    )
    return f"""
        WITH moved AS (
            UPDATE cases AS c SET fired = coalesce(c.fired, '') || {_of("marks")}, revision = c.revision + 1,
                changed_at = :now, clocks_ended = c.clocks_ended + {_of("ends", "int")}
            FROM {rows} WHERE c.case_id = d.case_id AND c.plan = {_of("plans")} AND c.card IS NOT NULL
            RETURNING c.revision, c.traceparent, c.card, d.case_id, d.form, d.n
        ), fired AS (
            INSERT INTO fires (case_id, plan, subject, generation, threshold, due_at, fired_at, superseded, event_id)
            SELECT d.case_id, {_of("plans")}, {_of("subjects")}, {_of("generations", "int")}, {_of("thresholds")},
                {_of("dues", "timestamptz")}, :now, false, CAST({_counted(0)} AS uuid) FROM {rows}
            ON CONFLICT DO NOTHING RETURNING 1
        ), gone AS (
            DELETE FROM timers AS t USING {rows} WHERE {_of("next_thresholds")} IS NULL
            AND t.case_id = d.case_id AND t.plan = {_of("plans")} AND t.subject = {_of("subjects")}
        ), armed AS (
            UPDATE timers AS t SET threshold = {_of("next_thresholds")}, due_at = {_of("next_dues", "timestamptz")},
                wake_at = greatest({_of("next_dues", "timestamptz")}, :now), ahead = {_of("next_aheads")}
            FROM {rows} WHERE {_of("next_thresholds")} IS NOT NULL
            AND t.case_id = d.case_id AND t.plan = {_of("plans")} AND t.subject = {_of("subjects")}
        ), named AS (
            SELECT d.*, CAST(d.case_id AS text) AS id, {_counted(0)} AS event_id, {_counted(1)} AS request_event_id,
                coalesce(substr(d.traceparent, 4, 32), replace(CAST(gen_random_uuid() AS text), '-', '')) AS trace
            FROM moved d
        ), told AS (
            INSERT INTO outbox (event_id, topic, key, headers, value)
            SELECT CAST(d.event_id AS uuid), CAST(:escalated AS text), convert_to(d.id, 'UTF8'),
                {_headers("headers", "d.event_id")},
                convert_to('{{"revision":' || CAST(d.revision AS text) || {_of("openings")} || {published}, 'UTF8')
            FROM named d
            UNION ALL
            SELECT CAST(d.request_event_id AS uuid), CAST(:requested AS text), convert_to(d.id, 'UTF8'),
                {_headers("request_headers", "d.request_event_id")},
                convert_to('{{"request_id":"' || {request_id} || {_of("requests")} || split_part(d.card, E'\\n', 2)
                    || '}}', 'UTF8')
            FROM named d WHERE {_of("requests")} IS NOT NULL
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM fired) AS fired, (SELECT count(*) FROM moved) AS moved,
            (SELECT count(*) FROM told) AS told
    """  # noqa: S608  # put together from the names above; every value is a parameter
