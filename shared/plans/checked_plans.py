"""Plans that passed every check before, kept by what they were made of: a start need not check them again.

Reading and checking some eighty packs takes seconds, their checked form a fraction of one. A file is valid for exactly
the texts it was made of and for this version of the language: any other byte anywhere is another name.
"""

import json
import os
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from shared.plans.identity import canonical_text
from shared.plans.model import Plan

_HERE = Path(__file__).parent


def kept_plans(folder: Path, root: Path) -> tuple[Path, list[Plan] | None]:
    """Where the checked plans of `root` are kept, and they themselves if they are there and readable."""
    path = folder / f"{_made_of(root)}.json"
    try:
        texts = json.loads(path.read_text("utf-8"))
        return path, [Plan.model_validate_json(text) for text in texts]
    except (OSError, ValueError, TypeError, ValidationError):
        return path, None


def keep_plans(path: Path, plans: Iterable[Plan]) -> None:
    """Write them down, whole or not at all. What cannot be written is only slower next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".new", delete=False, encoding="utf-8") as file:
            json.dump([canonical_text(plan) for plan in plans], file)
        Path(file.name).replace(path)
        for other in path.parent.glob("*.json"):
            if other != path:
                other.unlink(missing_ok=True)
    except OSError:
        return


def digest_of_texts(root: Path) -> str:
    """Of every plan's name and text; of a text that cannot be read, why. Some hundred small files take milliseconds."""
    digest = sha256()
    for path in sorted(root.glob("*/plan.yaml")) if root.is_dir() else ():
        try:
            text = path.read_bytes()
        except OSError as error:
            text = repr(error.errno).encode()
        _add(digest, path.parent.name.encode(), text)
    return digest.hexdigest()


def _made_of(root: Path) -> str:
    digest = sha256(_language().encode())
    _add(digest, digest_of_texts(root).encode())
    for folder in sorted(one.name for one in root.iterdir() if one.is_dir() and not one.name.startswith(".")):
        _add(digest, folder.encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _language() -> str:
    """The code that reads and checks plans, as one hash."""
    digest = sha256()
    for path in sorted(_HERE.rglob("*.py")):
        _add(digest, os.fsencode(path.relative_to(_HERE)), path.read_bytes())
    return digest.hexdigest()


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def _add(digest: _Digest, *parts: bytes) -> None:
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
