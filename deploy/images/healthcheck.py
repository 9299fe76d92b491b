"""Exit code 0 when the process in this container is ready; else 1 and the reason. Needs no curl in the image."""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen


def main() -> int:
    """Ask the process on its own port."""
    port = os.environ["FENGHUO_PORT"]
    path = os.environ.get("FENGHUO_HEALTH_PATH", "/readyz")
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=3):
            return 0
    except (URLError, TimeoutError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
