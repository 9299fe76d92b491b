"""Whether a provider is called at all: closed, open after several failures in a row, half-open for one probe. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum


class CircuitState(IntEnum):
    """As the metric shows it."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """Opens after `failures` in a row, for `first_pause`, doubled with each probe that fails."""

    failures: int = 5
    first_pause: timedelta = timedelta(seconds=10)
    longest_pause: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Circuit:
    """`until`: open at least so long. `failures` in a row; `opened` times in a row without a success."""

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    opened: int = 0
    until: datetime | None = None

    def admits(self, now: datetime) -> bool:
        """True when a call may be made now. While a probe is out, nobody else calls."""
        match self.state:
            case CircuitState.CLOSED:
                return True
            case CircuitState.HALF_OPEN:
                return False
            case CircuitState.OPEN:
                return self.until is not None and now >= self.until

    def begun(self) -> "Circuit":
        """A call that was admitted goes out."""
        return self if self.state is CircuitState.CLOSED else replace(self, state=CircuitState.HALF_OPEN)

    def ended(self, now: datetime, policy: CircuitPolicy, *, good: bool) -> "Circuit":
        """A call came back. Failures of calls made before it opened do not keep it open any longer."""
        if good:
            return Circuit()
        failures = self.failures + 1
        if self.state is CircuitState.OPEN or (self.state is CircuitState.CLOSED and failures < policy.failures):
            return replace(self, failures=failures)
        pause = min(policy.first_pause * (1 << min(self.opened, 16)), policy.longest_pause)
        return Circuit(CircuitState.OPEN, failures, self.opened + 1, now + pause)
