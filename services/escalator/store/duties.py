"""Rounds of the organisations' duties: who has which, when each is due next, and which round was told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db.tx import Tx

DutyKey = tuple[str, str, str]
"""Organisation, plan, duty."""


@dataclass(frozen=True, slots=True)
class Round:
    """Where a duty stands: rounds up to `through` are done with, the next is due at `next_at` (None: never again)."""

    key: DutyKey
    schedule: str
    through: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToldRound:
    """One round: told under this number, or only recorded because a later one was told in its place."""

    key: DutyKey
    due_at: datetime
    number: str
    told: bool


class Organisations:
    """Which organisations have cases under which plans; what this process has written it does not write again."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    async def note(self, tx: Tx, pairs: Iterable[tuple[str, str]]) -> None:
        """Organisation and plan of cases that are opened now."""
        new = sorted(set(pairs) - self._known)
        if not new:
            return
        await tx.execute(
            "INSERT INTO plan_organisations (org, plan) SELECT org, plan "
            "FROM unnest(CAST(:orgs AS text[]), CAST(:plans AS text[])) AS t (org, plan) ON CONFLICT DO NOTHING",
            orgs=[org for org, _ in new],
            plans=[plan for _, plan in new],
        )
        tx.after_commit.append(lambda: self._known.update(new))


async def organisations(tx: Tx) -> list[tuple[str, str]]:
    """Every organisation with each plan it has had a case of."""
    rows = await tx.fetch("SELECT org, plan FROM plan_organisations ORDER BY org, plan")
    return [(row["org"], row["plan"]) for row in rows]


async def rounds(tx: Tx) -> dict[DutyKey, Round]:
    """Where every duty stands; nothing is locked."""
    rows = await tx.fetch("SELECT org, plan, duty, schedule, through, next_at FROM duty_rounds")
    found = (
        Round((row["org"], row["plan"], row["duty"]), row["schedule"], row["through"], row["next_at"]) for row in rows
    )
    return {one.key: one for one in found}


async def claim(tx: Tx, keys: Sequence[DutyKey]) -> list[Round]:
    """Those of these duties that are due, locked until the transaction ends; what another process holds is left."""
    rows = await tx.fetch(
        "SELECT r.org, r.plan, r.duty, r.schedule, r.through, r.next_at FROM duty_rounds r "
        "JOIN unnest(CAST(:orgs AS text[]), CAST(:plans AS text[]), CAST(:duties AS text[])) AS k (org, plan, duty) "
        "ON r.org = k.org AND r.plan = k.plan AND r.duty = k.duty WHERE r.next_at <= :now "
        "ORDER BY r.org, r.plan, r.duty FOR UPDATE OF r SKIP LOCKED",
        orgs=[key[0] for key in keys],
        plans=[key[1] for key in keys],
        duties=[key[2] for key in keys],
        now=tx.now,
    )
    return [
        Round((row["org"], row["plan"], row["duty"]), row["schedule"], row["through"], row["next_at"]) for row in rows
    ]


async def save_rounds(tx: Tx, changed: Sequence[Round]) -> None:
    """Write where these duties stand; a schedule never goes back to before what was done with."""
    if not changed:
        return
    ordered = sorted(changed, key=lambda one: one.key)
    await tx.execute(
        "INSERT INTO duty_rounds (org, plan, duty, schedule, through, next_at) "
        "SELECT * FROM unnest(CAST(:orgs AS text[]), CAST(:plans AS text[]), CAST(:duties AS text[]), "
        "CAST(:schedules AS text[]), CAST(:throughs AS timestamptz[]), CAST(:nexts AS timestamptz[])) "
        "ON CONFLICT (org, plan, duty) DO UPDATE SET (schedule, through, next_at) "
        "= (EXCLUDED.schedule, EXCLUDED.through, EXCLUDED.next_at) WHERE duty_rounds.through <= EXCLUDED.through",
        orgs=[one.key[0] for one in ordered],
        plans=[one.key[1] for one in ordered],
        duties=[one.key[2] for one in ordered],
        schedules=[one.schedule for one in ordered],
        throughs=[one.through for one in ordered],
        nexts=[one.next_at for one in ordered],
    )


async def record_told(tx: Tx, told: Sequence[ToldRound]) -> set[tuple[DutyKey, datetime]]:
    """Write these rounds down; those that nobody had written before."""
    if not told:
        return set()
    rows = await tx.fetch(
        "INSERT INTO duties_told (org, plan, duty, due_at, number, told, at) "
        "SELECT org, plan, duty, due_at, number, told, :now FROM unnest(CAST(:orgs AS text[]), CAST(:plans AS text[]), "
        "CAST(:duties AS text[]), CAST(:dues AS timestamptz[]), CAST(:numbers AS text[]), CAST(:told AS boolean[])) "
        "AS t (org, plan, duty, due_at, number, told) ON CONFLICT DO NOTHING RETURNING org, plan, duty, due_at",
        now=tx.now,
        orgs=[one.key[0] for one in told],
        plans=[one.key[1] for one in told],
        duties=[one.key[2] for one in told],
        dues=[one.due_at for one in told],
        numbers=[one.number for one in told],
        told=[one.told for one in told],
    )
    return {((row["org"], row["plan"], row["duty"]), row["due_at"]) for row in rows}
