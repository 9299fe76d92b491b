"""What an installation on this machine has written down for the command line: addresses, keys, databases."""

import json
import os
from pathlib import Path
from typing import Any, Final

_DIRECTORY: Final = Path(".fenghuo")
CREDENTIALS: Final = "credentials.json"


class InstallationUnreadableError(Exception):
    """The file is there and cannot be read. Says which file and why."""


def credentials_path() -> Path:
    """In FENGHUO_HOME where it is set, else in `.fenghuo` of the present directory."""
    home = os.environ.get("FENGHUO_HOME")
    return (Path(home) if home else _DIRECTORY) / CREDENTIALS


def installation() -> dict[str, Any]:
    """Empty where there is none. Raises InstallationUnreadableError."""
    path = credentials_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InstallationUnreadableError(f"{path}: {error}") from error
    return content if isinstance(content, dict) else {}
