"""A part that is started and ended by whoever holds it, without a supervisor: by tests, benches and tools."""

from abc import ABC, abstractmethod
from signal import SIGKILL

from shared.embedded.errors import ChildFailedError
from shared.embedded.preloading import Process
from shared.embedded.processes import Child, signal_child, spawn, stop, wait_ready


class Part(ABC):
    """One process at a time, on the same port through all its lives."""

    def __init__(self) -> None:
        self._process: Process | None = None

    @abstractmethod
    def child(self) -> Child:
        """The process as a supervisor would keep it. Raises EmbeddedPartMissingError without a program to run."""

    @property
    def pid(self) -> int | None:
        """Process id of what `start` started, None when it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start and wait until it answers; does nothing when it runs already.

        Raises what `child` and its preparation raise, PortInUseError, and ChildFailedError when it does not come up.
        """
        if self.pid is not None:
            return
        child = self.child()
        self._process = spawn(child)
        try:
            wait_ready(child, self._process)
        except ChildFailedError:
            self.kill()
            raise

    def wait_ready(self) -> None:
        """Block until it answers. Raises ChildFailedError when it is down or too slow."""
        child = self.child()
        if self._process is None:
            raise ChildFailedError(child.name, "was not started")
        wait_ready(child, self._process)

    def stop(self) -> None:
        """End it in its own way. Does nothing when not running."""
        if self._process is not None:
            stop(self.child(), self._process)
            self._process = None

    def kill(self) -> None:
        """End it as kill -9 does, for crash tests. Does nothing when not running."""
        if self._process is not None:
            signal_child(self._process.pid, SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()
