"""Light firings, written by one statement whatever their number: the server puts together what each case publishes.

What is alike travels once, as a `Form`; of each case only its id goes to the server, and nothing of it comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.escalator.domain.clocks import BREACH
from services.escalator.domain.light import LightFire
from services.escalator.store.timers import Alike, Wave, ahead_text
from shared.contracts.topics import CASES_ESCALATED, NOTIFICATIONS_REQUESTED
from shared.db.tx import Tx

HEADER_PIECES: Final = 6
_ID_BEGINS: Final = 24
"""So many characters of an id's 36 stay when it is counted up: all but its last group."""
_ID_ROOM: Final = (1 << 47) - 1
"""Half of what that group can hold, so that counting up never overflows it."""


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
    tx: Tx, waves: Sequence[Wave], forms: Sequence[Form], first_id: UUID, *, again: bool = False
) -> None:
    """Record these fires, tell of them, note them at their cases and arm what follows.

    Each wave has its form. The events' ids count up from `first_id`, which must be a random one made now (a monotonic
    UUIDv7, RFC 9562 §6.2, method 2). `again`: this transaction has fired others of these cases, which therefore stand
    elsewhere by now.

    The transaction holds the locks of the cases, each of which is here at most once. Raises FiredBeforeError when any
    of the thresholds had been fired, a case has no card, or a timer is not where it was read: the transaction must
    then be given up.
    """
    case_ids = [one for wave in waves for one in wave.case_ids]
    if not case_ids:
        return
    places = [place for wave in waves for place in wave.places]
    depth = max(len(form.fire.ended) for form in forms)
    id_text = str(first_id)
    try:
        found = await tx.fetch_one(
            _statement(depth, again=again),
            now=tx.now,
            case_ids=case_ids,
            case_places=None if again else [place.case for place in places],
            timer_places=[place.timer for place in places],
            forms=[number for number, wave in enumerate(waves, start=1) for _ in wave.case_ids],
            id_begins=id_text[:_ID_BEGINS],
            id_ends=int(id_text[_ID_BEGINS:], 16) & _ID_ROOM,
            **_arrays(forms, depth),
        )
    except asyncpg.UniqueViolationError as error:
        raise FiredBeforeError from error
    if found is None or (found["moved"], found["gone"] + found["armed"]) != (len(case_ids), len(case_ids)):
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
    span = f"'00-' || d.trace || '-' || overlay(substr({event_id}, 20) PLACING '' FROM 5 FOR 1) || '-01'"
    between = (event_id, "d.id", "d.id", "d.id", span)
    pieces = [_of(f"{name}_{piece}") for piece in range(HEADER_PIECES)]
    return " || ".join(part for pair in zip(pieces, (*between, "''"), strict=True) for part in pair)


def _counted(step: int) -> str:
    """The text of an event's id: two ids for each case."""
    return f"CAST(:id_begins AS text) || lpad(to_hex(CAST(:id_ends AS bigint) + 2 * d.n + {step}), 12, '0')"


@lru_cache(maxsize=32)
def _statement(depth: int, *, again: bool) -> str:
    """The statement for forms that show at most so many clocks as ended since the card was written.

    Rows are gone to where the claim has read them, which no index has to be asked for.
    """
    published = "split_part(d.card, E'\\n', 1)"
    for number in range(depth):
        published = f"replace({published}, {_of(f'running_{number}')}, {_of(f'ended_{number}')})"
    rows = (
        "unnest(CAST(:case_ids AS uuid[]), CAST(:case_places AS tid[]), CAST(:timer_places AS tid[]), "
        "CAST(:forms AS int[])) WITH ORDINALITY AS d (case_id, case_place, timer_place, form, n)"
    )
    here = "" if again else "c.ctid = d.case_place AND"
    timer = f"t.ctid = d.timer_place AND t.case_id = d.case_id AND t.subject = {_of('subjects')}"
    digest = f"encode(sha256(convert_to(d.id || {_of('names')}, 'UTF8')), 'hex')"
    # A UUID of version 8 (RFC 9562 §5.8): the same request has the same id, whoever asks for it.
    request_id = (
        f"CAST(CAST(overlay(overlay(substr({digest}, 1, 32) PLACING '8' FROM 13) PLACING '8' FROM 17) AS uuid) AS text)"
    )
    return f"""
        WITH moved AS (
            UPDATE cases AS c SET fired = coalesce(c.fired, '') || {_of("marks")}, revision = c.revision + 1,
                changed_at = :now, clocks_ended = c.clocks_ended + {_of("ends", "int")},
                timers_armed = c.timers_armed - CAST({_of("next_thresholds")} IS NULL AS int)
            FROM {rows} WHERE {here} c.case_id = d.case_id AND c.plan = {_of("plans")} AND c.card IS NOT NULL
            RETURNING c.revision, c.traceparent, c.card, d.case_id, d.form, d.n
        ), fired AS (
            INSERT INTO fires (case_id, plan, subject, generation, threshold, due_at, fired_at, superseded, event_id)
            SELECT d.case_id, {_of("plans")}, {_of("subjects")}, {_of("generations", "int")}, {_of("thresholds")},
                {_of("dues", "timestamptz")}, :now, false, CAST({_counted(0)} AS uuid) FROM {rows}
        ), gone AS (
            DELETE FROM timers AS t USING {rows} WHERE {_of("next_thresholds")} IS NULL AND {timer} RETURNING 1
        ), armed AS (
            UPDATE timers AS t SET threshold = {_of("next_thresholds")}, due_at = {_of("next_dues", "timestamptz")},
                wake_at = greatest({_of("next_dues", "timestamptz")}, :now), ahead = {_of("next_aheads")}
            FROM {rows} WHERE {_of("next_thresholds")} IS NOT NULL AND {timer} RETURNING 1
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
        SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM gone) AS gone,
            (SELECT count(*) FROM armed) AS armed, (SELECT count(*) FROM told) AS told
    """  # noqa: S608  # put together from the names above; every value is a parameter
