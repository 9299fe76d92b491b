"""The installation's secrets: made once, kept in a file only its owner can read."""

import base64
import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from services.line.layout import SERVICES
from shared.access.api_keys import key_text
from shared.runtime.ids import new_secret

USER = "admin"
"""The console's first user, whose password is `user_password`."""
_PREFIX_BYTES = 4


class SecretValues(BaseModel):
    """Everything that must not be guessed. Losing `identity_key` makes complainants' identities unreadable."""

    model_config = ConfigDict(frozen=True)

    link_secret: str
    key_pepper: str
    identity_key: str
    session_secret: str
    sms_password: str
    database_passwords: dict[str, str]
    operator_key: str
    console_key: str
    user_password: str


def load_or_make(path: Path) -> SecretValues:
    """The secrets of this installation; made on the first call. Raises ValidationError for a damaged file."""
    if path.exists():
        return SecretValues.model_validate_json(path.read_text(encoding="utf-8"))
    made = SecretValues(
        link_secret=new_secret(),
        key_pepper=new_secret(),
        identity_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        session_secret=new_secret(),
        sms_password=secrets.token_urlsafe(12),
        database_passwords={service: new_secret() for service in SERVICES},
        operator_key=_new_key(),
        console_key=_new_key(),
        user_password=secrets.token_urlsafe(9),
    )
    write_private(path, made.model_dump())
    return made


def write_private(path: Path, content: dict[str, object]) -> None:
    """Write JSON that only the owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
    draft.replace(path)


def _new_key() -> str:
    return key_text(secrets.token_hex(_PREFIX_BYTES), new_secret())
