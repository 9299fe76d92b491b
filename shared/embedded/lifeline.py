"""A process that ends with its parent, whatever ends that: the kernel sees to it, on Linux only."""

import ctypes
import os
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
# Resolved here, so that between fork and exec one call is made and no lock taken.
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
HOLDS: Final = _libc is not None
"""Whether this system can do it."""


def end_with_parent(parent: int, death_signal: int) -> None:
    """Called in a new process: it gets this signal when its parent ends, and ends here if that was before.

    `parent` is the process that forked it. Does nothing where the system cannot do it.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
