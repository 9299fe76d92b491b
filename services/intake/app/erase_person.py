"""Erase a person: the key of everything the register holds about them is deleted."""

from services.intake.domain.bodies import Complainant
from services.intake.domain.identity import complainant_ref
from services.intake.store.persons import erase
from services.intake.store.vault import Vault
from shared.db.engine import Database


async def erase_person(
    database: Database, vault: Vault, org: str, *, complainant: Complainant | None = None, ref: str | None = None
) -> bool:
    """True when the person was known and is now unreadable; cases and numbers stay. By particulars or by `ref`.

    Backups keep the key until they expire: an installation's backup retention is part of its erasure promise.
    Raises ValueError when neither names a person.
    """
    wanted = ref or complainant_ref(org, complainant, vault.ref_key)
    if wanted is None:
        raise ValueError("give a phone, customer number, identity number or e-mail address")
    async with database.transaction() as tx:
        return await erase(tx, org, wanted) is not None
