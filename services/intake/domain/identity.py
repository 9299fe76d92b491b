"""Who a complainant is without saying who: keyed hashes that let repeats be counted and nobody be named."""

import hashlib
import hmac
import re
import unicodedata
from typing import Final

from services.intake.domain.bodies import Complainant

_NOT_DIGITS: Final = re.compile(r"[^0-9]")
_MAINLAND_MOBILE: Final = re.compile(r"^(?:0{0,2}86)?(1[3-9][0-9]{9})$")
_REF_DIGITS: Final = 32


def normalised_phone(phone: str) -> str:
    """One spelling per number: digits only, full-width ones too; mainland mobiles without country code."""
    digits = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", phone))
    mobile = _MAINLAND_MOBILE.match(digits)
    if mobile:
        return mobile[1]
    return digits.removeprefix("00").lstrip("0") or digits


def complainant_ref(org: str, complainant: Complainant | None, key: bytes) -> str | None:
    """32 hex digits, equal for the same person of one organisation; None when nothing identifies the person.

    The customer number is the weakest to mistype and the strongest to identify only within one company, so the phone
    comes first: it is what every channel knows.
    """
    if complainant is None:
        return None
    if complainant.phone and (phone := normalised_phone(complainant.phone)):
        return keyed_ref(org, "phone", phone, key)
    for kind in ("customer_number", "id_number", "email"):
        value: str | None = getattr(complainant, kind)
        if value and value.strip():
            return keyed_ref(org, kind, unicodedata.normalize("NFKC", value).strip().casefold(), key)
    return None


def keyed_ref(org: str, kind: str, value: str, key: bytes) -> str:
    """HMAC-SHA-256, cut to 128 bits. The organisation is part of it: tenants cannot compare their people."""
    message = f"{org}\x1f{kind}\x1f{value}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, hashlib.sha256).hex()[:_REF_DIGITS]
