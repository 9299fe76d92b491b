"""The one timer table: only what is armed is in it, and it is read by its lanes and instants.

Whoever touches a case's timers holds the lock on the case's row, so timers are never locked themselves. The present
is always a parameter: a volatile clock in the predicate would make every poll read the whole index.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from services.escalator.domain.decision import LANES, Ahead, Timer
from services.escalator.store.cases import CaseKey
from shared.db.tx import Tx

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
EVER: Final = _EPOCH
"""The lowest floor: every armed timer lies above it."""

CLAIM: Final = """
    SELECT array_agg(d.case_id), array_agg(d.timer_place), array_agg(d.case_place), d.plan_sha256, d.org, d.card_head,
           d.fired, d.plan, d.subject, d.generation, d.threshold, d.due_at, d.lane, d.ahead
    FROM (
        SELECT d.* FROM unnest(CAST(:lanes AS int[]), CAST(:quotas AS int[])) AS l (lane, quota) CROSS JOIN LATERAL (
            SELECT t.case_id, t.ctid AS timer_place, c.ctid AS case_place, c.plan_sha256, c.org, c.card_head, c.fired,
                   t.plan, t.subject, t.generation, t.threshold, t.due_at, t.lane, t.ahead
            FROM timers t CROSS JOIN LATERAL (
                SELECT ctid, plan_sha256, org, card_head, fired FROM cases
                WHERE case_id = t.case_id AND plan = t.plan FOR UPDATE SKIP LOCKED
            ) c
            WHERE t.lane = l.lane AND t.wake_at >= :floor AND t.wake_at <= :now
            ORDER BY t.wake_at LIMIT l.quota
        ) d LIMIT :limit
    ) d
    GROUP BY 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
"""
"""Read in the order of the index and never sorted: a sort would lock every due row before the first is returned.

Each case is looked up by itself: joined freely, a storm in a table of millions made the planner read all cases. What
is alike comes once, with the ids of all whose it is.
"""

FIRSTS: Final = """
    SELECT l.lane, f.wake_at FROM generate_series(0, CAST(:lanes AS int) - 1) AS l (lane) CROSS JOIN LATERAL (
        SELECT wake_at FROM timers WHERE lane = l.lane AND wake_at >= :floor ORDER BY wake_at LIMIT 1
    ) f
"""


class Alike(NamedTuple):
    """A due timer but for its case, and what the case says beside its state: equal for all that are fired alike."""

    plan_sha256: str
    org: str
    card_head: str | None
    fired: str | None
    plan: str
    subject: str
    generation: int
    threshold: str
    due_at: datetime
    lane: int
    ahead: str | None

    @property
    def timer(self) -> Timer:
        return Timer(self.subject, self.generation, self.threshold, self.due_at, self.lane, _ahead_from(self.ahead))


class Place(NamedTuple):
    """Where the rows of a timer and of its locked case stand: block and item, true until one of them is written."""

    timer: tuple[int, int]
    case: tuple[int, int]


class DueTimer(NamedTuple):
    """A timer past its due instant. Its case is locked."""

    case_id: UUID
    alike: Alike
    place: Place

    @property
    def key(self) -> CaseKey:
        return self.case_id, self.alike.plan


class Wave(NamedTuple):
    """Due timers of different cases that differ in nothing but their case, each locked."""

    alike: Alike
    case_ids: Sequence[UUID]
    places: Sequence[Place]

    def timers(self) -> Iterator[DueTimer]:
        """One by one."""
        return (DueTimer(one, self.alike, place) for one, place in zip(self.case_ids, self.places, strict=True))


@dataclass(frozen=True, slots=True)
class TimerRow:
    key: CaseKey
    timer: Timer


async def first_in_lanes(tx: Tx, floor: datetime) -> dict[int, datetime]:
    """When the first timer of each lane that has any is to be looked at; in the past if somebody is late.

    Timers below the floor are not seen: whoever passes one knows that nothing is armed there.
    """
    rows = await tx.fetch(FIRSTS, lanes=LANES, floor=floor)
    return {row["lane"]: row["wake_at"] for row in rows}


async def claim_due(tx: Tx, lanes: Iterable[int], limit: int, floor: datetime) -> list[Wave]:
    """Due timers of these lanes with their cases locked. Cases that somebody else holds are left to them.

    Lanes of the highest levels are emptied first, and stand first here; within each half every lane gets an equal
    part, earliest first. A timer may have been fired or moved by whoever held the case until just now: the case alone
    says whether it counts.
    """
    quotas = quotas_of(lanes, limit)
    rows = await tx.fetch(CLAIM, lanes=list(quotas), quotas=list(quotas.values()), floor=floor, now=tx.now, limit=limit)
    waves = [Wave(Alike._make(row[3:]), row[0], list(map(Place, row[1], row[2]))) for row in rows]
    return sorted(waves, key=lambda wave: (wave.alike.lane, wave.alike.due_at))


def quotas_of(lanes: Iterable[int], limit: int) -> dict[int, int]:
    """How many each lane may have of a batch, those of the highest levels before the others."""
    found: dict[int, int] = {}
    ordered = sorted(lanes)
    for half in ([n for n in ordered if n < LANES // 2], [n for n in ordered if n >= LANES // 2]):
        for lane in half:
            found[lane] = -(-limit // len(half))
    return found


async def armed_timers(tx: Tx, keys: Sequence[CaseKey]) -> dict[CaseKey, dict[str, Timer]]:
    """What the table holds for these cases, by subject; lanes and what lies ahead are left out."""
    rows = await tx.fetch(
        "SELECT t.case_id, t.plan, t.subject, t.generation, t.threshold, t.due_at FROM timers t "
        "JOIN unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[])) AS k (case_id, plan) "
        "ON t.case_id = k.case_id AND t.plan = k.plan",
        case_ids=[key[0] for key in keys],
        plans=[key[1] for key in keys],
    )
    found: dict[CaseKey, dict[str, Timer]] = {key: {} for key in keys}
    for row in rows:
        timer = Timer(row["subject"], row["generation"], row["threshold"], row["due_at"])
        found[row["case_id"], row["plan"]][timer.subject] = timer
    return found


def arm(tx: Tx, rows: Sequence[TimerRow]) -> None:
    """Set these subjects' timers, whatever was armed for them before.

    One that is armed when it is due already queues at the present, so that nothing is ever armed far in the past:
    that is what lets a poll begin where the last one ended.
    """
    if not rows:
        return
    tx.later(
        "INSERT INTO timers (case_id, plan, subject, generation, threshold, due_at, lane, ahead, wake_at) "
        "SELECT case_id, plan, subject, generation, threshold, due_at, lane, ahead, "
        "greatest(due_at, CAST(:now AS timestamptz)) "
        "FROM unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), CAST(:subjects AS text[]), "
        "CAST(:generations AS int[]), CAST(:thresholds AS text[]), CAST(:dues AS timestamptz[]), "
        "CAST(:lanes AS smallint[]), CAST(:aheads AS text[])) "
        "AS t (case_id, plan, subject, generation, threshold, due_at, lane, ahead) "
        "ON CONFLICT (case_id, plan, subject) DO UPDATE SET generation = excluded.generation, "
        "threshold = excluded.threshold, due_at = excluded.due_at, lane = excluded.lane, ahead = excluded.ahead, "
        "wake_at = excluded.wake_at",
        now=tx.now,
        case_ids=[row.key[0] for row in rows],
        plans=[row.key[1] for row in rows],
        subjects=[row.timer.subject for row in rows],
        generations=[row.timer.generation for row in rows],
        thresholds=[row.timer.threshold for row in rows],
        dues=[row.timer.due_at for row in rows],
        lanes=[row.timer.lane for row in rows],
        aheads=[ahead_text(row.timer.ahead) for row in rows],
    )


def disarm(tx: Tx, subjects: Sequence[tuple[CaseKey, str]]) -> None:
    """Remove the timers of these subjects."""
    if not subjects:
        return
    tx.later(
        "DELETE FROM timers t USING unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), "
        "CAST(:subjects AS text[])) AS k (case_id, plan, subject) "
        "WHERE t.case_id = k.case_id AND t.plan = k.plan AND t.subject = k.subject",
        case_ids=[key[0] for key, _ in subjects],
        plans=[key[1] for key, _ in subjects],
        subjects=[subject for _, subject in subjects],
    )


async def postpone(tx: Tx, subjects: Sequence[tuple[CaseKey, str]], until: datetime) -> None:
    """Look at these timers again at `until`; they stay due when they were due."""
    if not subjects:
        return
    await tx.execute(
        "UPDATE timers t SET wake_at = :until FROM unnest(CAST(:case_ids AS uuid[]), CAST(:plans AS text[]), "
        "CAST(:subjects AS text[])) AS k (case_id, plan, subject) "
        "WHERE t.case_id = k.case_id AND t.plan = k.plan AND t.subject = k.subject",
        until=until,
        case_ids=[key[0] for key, _ in subjects],
        plans=[key[1] for key, _ in subjects],
        subjects=[subject for _, subject in subjects],
    )


def ahead_text(ahead: Sequence[Ahead] | None) -> str | None:
    """`-10m 1793500000000000 breach 1793503600000000`: thresholds with their microseconds since 1970."""
    if ahead is None:
        return None
    return " ".join(f"{one.threshold} {(one.due_at - _EPOCH) // _MICROSECOND}" for one in ahead)


def _ahead_from(text: str | None) -> tuple[Ahead, ...] | None:
    if text is None:
        return None
    parts = iter(text.split())
    return tuple(Ahead(threshold, _EPOCH + int(next(parts)) * _MICROSECOND) for threshold in parts)
