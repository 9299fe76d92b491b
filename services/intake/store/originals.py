"""What was posted, opened again."""

from typing import Any

from services.intake.store.vault import UnreadableSealError, Vault, event_place, unseal
from shared.contracts.json_guard import read_object
from shared.db.tx import Row


def open_original(vault: Vault, row: Row) -> dict[str, Any] | None:
    """The body of an event as posted, complainant included; None when its key is gone or it does not open."""
    place = (row["org"], row["source"], row["event_id"])
    try:
        if row["person_id"] is None:
            key = vault.org_key(row["org"])
        elif row["wrapped_key"] is None:
            return None
        else:
            key = vault.unwrap(bytes(row["wrapped_key"]), row["person_id"])
        body = read_object(unseal(key, bytes(row["original"]), event_place(place, "original")))
        if row["identity"] is not None:
            body["complainant"] = read_object(unseal(key, bytes(row["identity"]), event_place(place, "identity")))
    except UnreadableSealError:
        return None
    return body
