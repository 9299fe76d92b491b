"""People of the register: a keyed hash, and a data key that can be deleted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.intake.store.vault import Vault
from shared.db.tx import Tx

PersonKey = tuple[str, str]
"""(organisation, keyed hash)."""

_FIND: Final = (
    "SELECT p.org, p.ref, p.person_id, k.wrapped_key FROM unnest(CAST(:orgs AS text[]), CAST(:refs AS text[])) "
    "AS w (org, ref) JOIN persons AS p ON p.org = w.org AND p.ref = w.ref AND p.erased_at IS NULL "
    "JOIN person_keys AS k ON k.person_id = p.person_id"
)
_ADD: Final = (
    "INSERT INTO persons (person_id, org, ref, created_at) SELECT w.*, :now FROM unnest(CAST(:ids AS uuid[]), "
    "CAST(:orgs AS text[]), CAST(:refs AS text[])) AS w (person_id, org, ref) ORDER BY w.org, w.ref"
)
_ADD_KEYS: Final = (
    "INSERT INTO person_keys (person_id, wrapped_key) SELECT * FROM unnest(CAST(:ids AS uuid[]), "
    "CAST(:wrapped AS bytea[]))"
)


@dataclass(frozen=True, slots=True)
class PersonWithKey:
    """A person whose data can be read and written."""

    person_id: UUID
    key: bytes


async def ensure_persons(tx: Tx, vault: Vault, wanted: Mapping[PersonKey, UUID]) -> dict[PersonKey, PersonWithKey]:
    """Every wanted person with its key; unknown ones are added under the id offered.

    Raises RegisterRaceError when another process added one of them in between.
    """
    found = await _find(tx, vault, wanted)
    missing = sorted(set(wanted) - set(found))
    if not missing:
        return found
    keys = {person: PersonWithKey(wanted[person], vault.new_key()) for person in missing}
    await tx.execute(
        _ADD,
        ids=[wanted[person] for person in missing],
        orgs=[org for org, _ in missing],
        refs=[ref for _, ref in missing],
        now=tx.now,
    )
    await tx.execute(
        _ADD_KEYS,
        ids=[wanted[person] for person in missing],
        wrapped=[vault.wrap(keys[person].key, wanted[person]) for person in missing],
    )
    return found | keys


async def erase(tx: Tx, org: str, ref: str) -> UUID | None:
    """Delete the person's key and leave a tombstone. None when there is no such living person."""
    row = await tx.fetch_one(
        "UPDATE persons SET erased_at = :now WHERE org = :org AND ref = :ref AND erased_at IS NULL RETURNING person_id",
        org=org,
        ref=ref,
        now=tx.now,
    )
    if row is None:
        return None
    await tx.execute("DELETE FROM person_keys WHERE person_id = :person_id", person_id=row["person_id"])
    person_id: UUID = row["person_id"]
    return person_id


async def _find(tx: Tx, vault: Vault, wanted: Collection[PersonKey]) -> dict[PersonKey, PersonWithKey]:
    ordered = sorted(wanted)
    rows = await tx.fetch(_FIND, orgs=[org for org, _ in ordered], refs=[ref for _, ref in ordered])
    return {
        (row["org"], row["ref"]): PersonWithKey(
            row["person_id"], vault.unwrap(bytes(row["wrapped_key"]), row["person_id"])
        )
        for row in rows
    }
