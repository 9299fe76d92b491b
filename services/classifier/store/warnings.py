"""Warning rows and their numbers. The caller holds the groups' rows, so nobody else opens or raises meanwhile."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from services.classifier.domain.warnings import Open, Span, Warned
from services.classifier.domain.windows import Group
from shared.db.tx import Row, Tx

WarningKey = tuple[UUID, Span, datetime]


async def load_warnings(tx: Tx, keys: Iterable[tuple[Group, Span, datetime]]) -> dict[WarningKey, Warned]:
    """The warnings that exist for these groups, spans and buckets."""
    wanted = {(group.id, span, start): group for group, span, start in keys}
    if not wanted:
        return {}
    rows = await tx.fetch(
        "SELECT w.* FROM warnings AS w JOIN unnest(CAST(:groups AS uuid[]), CAST(:spans AS text[]), "
        "CAST(:starts AS timestamptz[])) AS g (group_id, span, bucket_start) USING (group_id, span, bucket_start)",
        groups=[group_id for group_id, _, _ in wanted],
        spans=[str(span) for _, span, _ in wanted],
        starts=[start for _, _, start in wanted],
    )
    found: dict[WarningKey, Warned] = {}
    for row in rows:
        key = row["group_id"], Span(row["span"]), row["bucket_start"]
        found[key] = Warned(
            case_id=row["case_id"],
            group=wanted[key],
            span=key[1],
            bucket_start=key[2],
            number=row["number"],
            sha256=row["sha256"],
            level=row["level"],
            rank=row["rank"],
            revision=row["revision"],
            may_end=row["may_end"],
        )
    return found


async def claim_open_warnings(tx: Tx, after: UUID | None, limit: int) -> list[Open]:
    """The next warnings, by case, that may end and have not. Their groups are held; what is held elsewhere is left."""
    rows = await tx.fetch(
        "SELECT w.*, g.drill, g.group_key, g.moved_at FROM warnings AS w JOIN window_groups AS g USING (group_id) "
        "WHERE w.may_end AND w.ended_at IS NULL AND w.case_id > CAST(:after AS uuid) "
        "ORDER BY w.case_id LIMIT :limit FOR UPDATE OF w, g SKIP LOCKED",
        after=after or UUID(int=0),
        limit=limit,
    )
    return [_open(row) for row in rows]


async def save_ended_warnings(tx: Tx, ended: Collection[Warned]) -> None:
    """They ended with this transaction; each rises by one revision."""
    if ended:
        await tx.execute(
            "UPDATE warnings SET ended_at = :now, revision = revision + 1 WHERE case_id = ANY(CAST(:ids AS uuid[]))",
            now=tx.now,
            ids=[warned.case_id for warned in ended],
        )


def _open(row: Row) -> Open:
    key = tuple((name, value) for name, value in json.loads(row["group_key"]))
    warned = Warned(
        case_id=row["case_id"],
        group=Group(row["org"], row["plan"], row["drill"], key),
        span=Span(row["span"]),
        bucket_start=row["bucket_start"],
        number=row["number"],
        sha256=row["sha256"],
        level=row["level"],
        rank=row["rank"],
        revision=row["revision"],
        may_end=True,
    )
    return Open(warned, row["opened_at"], max(row["moved_at"], row["raised_at"]))


async def save_warnings(tx: Tx, raised: Collection[Warned]) -> None:
    """Open or raise them; a rank never falls here, whoever asks."""
    ordered = sorted(raised, key=lambda warned: warned.case_id)
    await tx.execute(
        "INSERT INTO warnings (case_id, group_id, span, bucket_start, org, plan, sha256, number, level, rank, "
        "revision, may_end, opened_at, raised_at) SELECT g.*, CAST(:now AS timestamptz), CAST(:now AS timestamptz) "
        "FROM unnest(CAST(:ids AS uuid[]), CAST(:groups AS uuid[]), "
        "CAST(:spans AS text[]), CAST(:starts AS timestamptz[]), CAST(:orgs AS text[]), CAST(:plans AS text[]), "
        "CAST(:hashes AS text[]), CAST(:numbers AS text[]), CAST(:levels AS text[]), CAST(:ranks AS integer[]), "
        "CAST(:revisions AS integer[]), CAST(:may_end AS boolean[])) AS g ON CONFLICT (case_id) DO UPDATE SET "
        "level = EXCLUDED.level, rank = EXCLUDED.rank, revision = EXCLUDED.revision, "
        "raised_at = EXCLUDED.raised_at, ended_at = NULL "
        "WHERE warnings.rank < EXCLUDED.rank",
        now=tx.now,
        ids=[warned.case_id for warned in ordered],
        groups=[warned.group.id for warned in ordered],
        spans=[str(warned.span) for warned in ordered],
        starts=[warned.bucket_start for warned in ordered],
        orgs=[warned.group.org for warned in ordered],
        plans=[warned.group.plan for warned in ordered],
        hashes=[warned.sha256 for warned in ordered],
        numbers=[warned.number for warned in ordered],
        levels=[warned.level for warned in ordered],
        ranks=[warned.rank for warned in ordered],
        revisions=[warned.revision for warned in ordered],
        may_end=[warned.may_end for warned in ordered],
    )


async def take_numbers(tx: Tx, wanted: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Reserve so many consecutive numbers for each organisation and month; the first of them by key."""
    ordered = sorted(wanted)
    if not ordered:
        return {}
    rows = await tx.fetch(
        "INSERT INTO warning_numbers (org, month, last) SELECT * FROM "
        "unnest(CAST(:orgs AS text[]), CAST(:months AS text[]), CAST(:counts AS integer[])) "
        "ON CONFLICT (org, month) DO UPDATE SET last = warning_numbers.last + EXCLUDED.last RETURNING org, month, last",
        orgs=[org for org, _ in ordered],
        months=[month for _, month in ordered],
        counts=[wanted[key] for key in ordered],
    )
    return {(row["org"], row["month"]): row["last"] - wanted[row["org"], row["month"]] + 1 for row in rows}
