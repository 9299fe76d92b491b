"""How a complainant wants to be told. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ComplainantAddress:
    """Personal data: only for the message itself. `channel` is sms or email."""

    channel: str
    to: str
    language: str


def address_of(body: Mapping[str, Any]) -> ComplainantAddress | None:
    """Of a report as posted; None when its complainant did not ask to be told."""
    person = body.get("complainant") or {}
    channel = str(person.get("tell"))
    to = {"sms": person.get("phone"), "email": person.get("email")}.get(channel)
    if not isinstance(to, str):
        return None
    return ComplainantAddress(channel, to, "en" if body.get("language") == "en" else "zh")
