"""The canonical text of a plan and its hash: what pins exactly what decided."""

import hashlib
import json

from shared.plans.model import Plan


def canonical_text(plan: Plan) -> str:
    """The plan as JSON with sorted keys and parameters as they apply.

    What is left at its default is left out, so that a later version of the language does not change an old hash.
    """
    data = plan.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256_of(text: str) -> str:
    """Lower-case hexadecimal SHA-256 of the UTF-8 text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
