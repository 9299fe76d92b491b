"""Window rows. A group's row is locked before its counts move, so concurrent replicas count one after the other."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.classifier.domain.windows import Count, Group, Members, Moved, sorted_moves
from shared.db.tx import Tx

_MANY: Final = 100
_MEMBERS = (
    "unnest(CAST(:series AS uuid[]), CAST(:starts AS timestamptz[]), CAST(:members AS text[]), "
    "CAST(:cases AS uuid[])) AS g (series_id, bucket_start, member, case_id)"
)


async def lock_groups(tx: Tx, groups: Iterable[Group]) -> None:
    """Hold the groups until the transaction ends; those who come later wait and then see what was counted."""
    ordered = sorted(set(groups), key=lambda group: group.id.int)
    if not ordered:
        return
    await tx.execute(
        "INSERT INTO window_groups (group_id, org, plan, drill, group_key, moved_at) "
        "SELECT g.*, CAST(:now AS timestamptz) FROM "
        "unnest(CAST(:ids AS uuid[]), CAST(:orgs AS text[]), CAST(:plans AS text[]), CAST(:drills AS boolean[]), "
        "CAST(:keys AS text[])) AS g ON CONFLICT (group_id) DO UPDATE SET moved_at = EXCLUDED.moved_at",
        ids=[group.id for group in ordered],
        orgs=[group.org for group in ordered],
        plans=[group.plan for group in ordered],
        drills=[group.drill for group in ordered],
        keys=[json.dumps(group.key, ensure_ascii=False) for group in ordered],
        now=tx.now,
    )


async def add_members(tx: Tx, moves: Collection[Moved]) -> None:
    """Insert members and raise the counters by those that were not there. The caller holds the groups.

    With many it is only begun: the server works on it while the cases are judged.
    """
    if not moves:
        return
    ordered = sorted_moves(moves)
    series = {move.series_id: move for move in ordered}
    await (tx.start if len(ordered) >= _MANY else tx.execute)(
        f"WITH given AS (SELECT * FROM {_MEMBERS}), "  # noqa: S608  # constants
        "fresh AS (SELECT DISTINCT g.series_id, g.bucket_start, g.member FROM given AS g WHERE NOT EXISTS ("
        "SELECT FROM window_members AS m WHERE m.series_id = g.series_id AND m.bucket_start = g.bucket_start "
        "AND m.member = g.member)), "
        "added AS (INSERT INTO window_members (series_id, bucket_start, member, case_id) "
        "SELECT * FROM given ON CONFLICT DO NOTHING) "
        "INSERT INTO window_counters (series_id, bucket_start, group_id, window_id, count) "
        "SELECT f.series_id, f.bucket_start, s.group_id, s.window_id, count(*) FROM fresh AS f "
        "JOIN unnest(CAST(:ids AS uuid[]), CAST(:groups AS uuid[]), CAST(:windows AS text[])) "
        "AS s (series_id, group_id, window_id) USING (series_id) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2 "
        "ON CONFLICT (series_id, bucket_start) DO UPDATE SET count = window_counters.count + EXCLUDED.count",
        **_members(ordered),
        ids=list(series),
        groups=[move.group.id for move in series.values()],
        windows=[move.counted.window_id for move in series.values()],
    )


async def remove_members(tx: Tx, moves: Collection[Moved]) -> None:
    """Delete members that a correction took away and count their buckets anew. The caller holds the groups."""
    if not moves:
        return
    members = _members(sorted_moves(moves))
    await tx.execute(
        f"DELETE FROM window_members AS m USING {_MEMBERS} "  # noqa: S608  # constants
        "WHERE m.series_id = g.series_id AND m.bucket_start = g.bucket_start AND m.member = g.member "
        "AND m.case_id = g.case_id",
        **members,
    )
    buckets = sorted(
        set(zip(members["series"], members["starts"], strict=True)), key=lambda pair: (str(pair[0]), pair[1])
    )
    await tx.execute(
        "UPDATE window_counters AS c SET count = (SELECT count(DISTINCT m.member) FROM window_members AS m "
        "WHERE m.series_id = c.series_id AND m.bucket_start = c.bucket_start) "
        "FROM unnest(CAST(:series AS uuid[]), CAST(:starts AS timestamptz[])) AS g (series_id, bucket_start) "
        "WHERE c.series_id = g.series_id AND c.bucket_start = g.bucket_start",
        series=[series for series, _ in buckets],
        starts=[start for _, start in buckets],
    )


async def read_counts(tx: Tx, wanted: Iterable[Count]) -> dict[Count, int]:
    """The present value of each count; 0 where nothing was ever counted."""
    counts = list(dict.fromkeys(wanted))
    if not counts:
        return {}
    rows = await tx.fetch(
        "SELECT CASE WHEN r.by_member THEN (SELECT count(DISTINCT m.member) FROM window_members AS m "
        "WHERE m.series_id = r.series_id AND m.bucket_start >= r.from_start AND m.bucket_start < r.to_start) "
        "ELSE (SELECT coalesce(sum(c.count), 0)::bigint FROM window_counters AS c "
        "WHERE c.series_id = r.series_id AND c.bucket_start >= r.from_start AND c.bucket_start < r.to_start) END AS n "
        "FROM unnest(CAST(:series AS uuid[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), "
        "CAST(:distinct AS boolean[])) WITH ORDINALITY AS r (series_id, from_start, to_start, by_member, place) "
        "ORDER BY r.place",
        series=[count.series_id for count in counts],
        starts=[count.start for count in counts],
        ends=[count.end for count in counts],
        distinct=[count.distinct for count in counts],
    )
    return {count: int(row["n"]) for count, row in zip(counts, rows, strict=True)}


async def buckets_within(tx: Tx, spans: Sequence[Count]) -> list[list[datetime]]:
    """For each span the buckets in it that hold anything, in order."""
    found: list[list[datetime]] = [[] for _ in spans]
    if spans:
        rows = await tx.fetch(
            "SELECT r.place, c.bucket_start FROM unnest(CAST(:series AS uuid[]), CAST(:starts AS timestamptz[]), "
            "CAST(:ends AS timestamptz[])) WITH ORDINALITY AS r (series_id, from_start, to_start, place) "
            "JOIN window_counters AS c ON c.series_id = r.series_id AND c.bucket_start >= r.from_start "
            "AND c.bucket_start < r.to_start WHERE c.count > 0 ORDER BY 1, 2",
            series=[span.series_id for span in spans],
            starts=[span.start for span in spans],
            ends=[span.end for span in spans],
        )
        for row in rows:
            found[row["place"] - 1].append(row["bucket_start"])
    return found


async def contributing_cases(tx: Tx, spans: Sequence[Sequence[Count]], newest: int) -> list[tuple[int, list[UUID]]]:
    """For each list of spans: how many different cases are in them, and the newest of them."""
    flat = [(place, span) for place, several in enumerate(spans) for span in several]
    found: list[tuple[int, list[UUID]]] = [(0, []) for _ in spans]
    rows = await tx.fetch(
        "SELECT r.place, count(DISTINCT m.case_id) AS total, "
        "(array_agg(DISTINCT m.case_id ORDER BY m.case_id DESC))[1:CAST(:newest AS integer)] AS newest "
        "FROM unnest(CAST(:places AS integer[]), CAST(:series AS uuid[]), CAST(:starts AS timestamptz[]), "
        "CAST(:ends AS timestamptz[])) AS r (place, series_id, from_start, to_start) "
        "JOIN window_members AS m ON m.series_id = r.series_id AND m.bucket_start >= r.from_start "
        "AND m.bucket_start < r.to_start GROUP BY r.place",
        places=[place for place, _ in flat],
        series=[span.series_id for _, span in flat],
        starts=[span.start for _, span in flat],
        ends=[span.end for _, span in flat],
        newest=newest,
    )
    for row in rows:
        found[row["place"]] = (row["total"], list(row["newest"]))
    return found


async def members_of(tx: Tx, counts: Mapping[Count, bool], shown: int) -> dict[Count, Members]:
    """Which cases make each count: the first and the last of them by bucket and member, found by the key alone.

    The value of a count says whether it is of values instead of cases: only then the cases have to be counted.
    """
    wanted = list(counts)
    if not wanted:
        return {}
    members = (
        "FROM window_members AS m WHERE m.series_id = r.series_id AND m.bucket_start >= r.from_start "
        "AND m.bucket_start < r.to_start"
    )
    rows = await tx.fetch(
        f"SELECT ARRAY(SELECT m.case_id {members} ORDER BY m.bucket_start, m.member, m.case_id "  # noqa: S608  # constant
        "LIMIT CAST(:shown AS integer)) AS earliest, "
        f"ARRAY(SELECT m.case_id {members} ORDER BY m.bucket_start DESC, m.member DESC, m.case_id DESC "
        "LIMIT CAST(:shown AS integer)) AS latest, "
        f"CASE WHEN r.by_value THEN (SELECT count(DISTINCT m.case_id) {members}) END AS total "
        "FROM unnest(CAST(:series AS uuid[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), "
        "CAST(:by_value AS boolean[])) WITH ORDINALITY AS r (series_id, from_start, to_start, by_value, place) "
        "ORDER BY r.place",
        series=[count.series_id for count in wanted],
        starts=[count.start for count in wanted],
        ends=[count.end for count in wanted],
        by_value=list(counts.values()),
        shown=shown,
    )
    return {
        count: Members(tuple(row["earliest"]), tuple(reversed(row["latest"])), row["total"])
        for count, row in zip(wanted, rows, strict=True)
    }


async def forget_buckets(tx: Tx, before: datetime, limit: int) -> int:
    """Delete at most `limit` buckets that began before the instant, with their members."""
    return await tx.execute(
        "WITH old AS (SELECT series_id, bucket_start FROM window_counters WHERE bucket_start < :before "
        "ORDER BY bucket_start LIMIT :limit FOR UPDATE SKIP LOCKED), "
        "members AS (DELETE FROM window_members AS m USING old WHERE m.series_id = old.series_id "
        "AND m.bucket_start = old.bucket_start) "
        "DELETE FROM window_counters AS c USING old "
        "WHERE c.series_id = old.series_id AND c.bucket_start = old.bucket_start",
        before=before,
        limit=limit,
    )


async def forget_groups(tx: Tx, before: datetime, limit: int) -> int:
    """Delete at most `limit` groups that nothing was counted in since the instant."""
    return await tx.execute(
        "WITH old AS (SELECT group_id FROM window_groups WHERE moved_at < :before "
        "LIMIT :limit FOR UPDATE SKIP LOCKED) "
        "DELETE FROM window_groups AS g USING old WHERE g.group_id = old.group_id",
        before=before,
        limit=limit,
    )


def _members(ordered: Sequence[Moved]) -> dict[str, list[object]]:
    return {
        "series": [move.series_id for move in ordered],
        "starts": [move.counted.bucket_start for move in ordered],
        "members": [move.counted.member for move in ordered],
        "cases": [move.case_id for move in ordered],
    }
