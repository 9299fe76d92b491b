"""Codes sent to contact points, and what came of them: every one stays, so that this is their history."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notifier.domain.verification import Verification, VerificationState
from shared.contracts.values import ChannelKind
from shared.db.tx import Row, Tx

_COLUMNS: Final = (
    "verification_id, org, number, person, contact, channel, address, fingerprint, made_by, asked_at, expires_at, "
    "tries, state, ended_at, answered_by"
)


async def add_checks(tx: Tx, checks: Sequence[Verification]) -> None:
    """An open one of the same contact point is replaced: only the newest code counts."""
    for one in checks:
        await tx.execute(
            "UPDATE verifications SET state = 'replaced', ended_at = :now "
            "WHERE org = :org AND person = :person AND contact = :contact AND state = 'open' "
            "AND verification_id <> :id",
            id=one.id,
            now=one.asked_at,
            org=one.org,
            person=one.person,
            contact=one.contact,
        )
        await tx.execute(
            "INSERT INTO verifications (verification_id, org, number, person, contact, channel, address, fingerprint, "
            "made_by, asked_at, expires_at, tries, state) VALUES (:id, :org, :number, :person, :contact, :channel, "
            ":address, :fingerprint, :by, :asked_at, :expires_at, 0, 'open') ON CONFLICT DO NOTHING",
            id=one.id,
            org=one.org,
            number=one.number,
            person=one.person,
            contact=one.contact,
            channel=one.channel.value,
            address=one.address,
            fingerprint=one.fingerprint,
            by=one.made_by,
            asked_at=one.asked_at,
            expires_at=one.expires_at,
        )


async def lock_open(tx: Tx, org: str, check: UUID) -> list[Verification]:
    """Every open one of the person whom this one concerns."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM verifications WHERE org = :org AND state = 'open' AND person = "  # noqa: S608  # a constant list of columns
        "(SELECT person FROM verifications WHERE org = :org AND verification_id = :check) "
        "ORDER BY verification_id FOR UPDATE",
        org=org,
        check=check,
    )
    return [_check(row) for row in rows]


async def save_checks(tx: Tx, checks: Sequence[Verification]) -> None:
    for one in checks:
        await tx.execute(
            "UPDATE verifications SET tries = :tries, state = :state, ended_at = :ended_at, answered_by = :by "
            "WHERE verification_id = :id",
            tries=one.tries,
            state=one.state.value,
            ended_at=one.ended_at,
            by=one.answered_by,
            id=one.id,
        )


async def checks_of(tx: Tx, org: str, person: str | None, limit: int) -> list[Verification]:
    """Of one person or of all, the last one first."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM verifications WHERE org = :org "  # noqa: S608  # a constant list of columns
        "AND (CAST(:person AS text) IS NULL OR person = :person) ORDER BY asked_at DESC, verification_id LIMIT :limit",
        org=org,
        person=person,
        limit=limit,
    )
    return [_check(row) for row in rows]


async def latest_checks(tx: Tx, org: str) -> dict[str, Verification]:
    """The last one of each address, by its fingerprint; one that verified it goes before a later one."""
    rows = await tx.fetch(
        f"SELECT DISTINCT ON (fingerprint) {_COLUMNS} FROM verifications WHERE org = :org "  # noqa: S608  # a constant list of columns
        "ORDER BY fingerprint, state = 'verified' DESC, asked_at DESC",
        org=org,
    )
    return {row["fingerprint"]: _check(row) for row in rows}


async def asked_since(tx: Tx, org: str, since: datetime) -> Mapping[tuple[str, str], int]:
    """How many codes were sent to each contact point (person, contact) since then."""
    rows = await tx.fetch(
        "SELECT person, contact, count(*) AS times FROM verifications WHERE org = :org AND asked_at > :since "
        "GROUP BY person, contact",
        org=org,
        since=since,
    )
    return {(row["person"], row["contact"]): row["times"] for row in rows}


async def proven(tx: Tx) -> Mapping[str, frozenset[str]]:
    """By organisation: fingerprints of the addresses that were verified and are in the roster still."""
    rows = await tx.fetch("SELECT DISTINCT org, fingerprint FROM verifications WHERE state = 'verified'")
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row["org"]].add(row["fingerprint"])
    return {org: frozenset(some) for org, some in found.items()}


async def lapse(tx: Tx, org: str, present: Collection[str]) -> None:
    """What is not `present` left the roster: should such an address come back, it is unverified."""
    await tx.execute(
        "UPDATE verifications SET state = 'lapsed', ended_at = :now "
        "WHERE org = :org AND state IN ('verified', 'open') AND fingerprint <> ALL(CAST(:present AS text[]))",
        now=tx.now,
        org=org,
        present=sorted(present),
    )


async def open_checks(tx: Tx, org: str, person: str) -> list[Verification]:
    """Those of one person that wait for an answer now, the last one first."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM verifications WHERE org = :org AND person = :person AND state = 'open' "  # noqa: S608  # a constant list of columns
        "AND expires_at > :now ORDER BY asked_at DESC, verification_id",
        org=org,
        person=person,
        now=tx.now,
    )
    return [_check(row) for row in rows]


def _check(row: Row) -> Verification:
    return Verification(
        id=row["verification_id"],
        org=row["org"],
        number=row["number"],
        person=row["person"],
        contact=row["contact"],
        channel=ChannelKind(row["channel"]),
        address=row["address"],
        fingerprint=row["fingerprint"],
        made_by=row["made_by"],
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        tries=row["tries"],
        state=VerificationState(row["state"]),
        ended_at=row["ended_at"],
        answered_by=row["answered_by"],
    )
