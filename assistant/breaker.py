"""Stops asking what keeps failing: closed, open after too many failures, half open after a pause, closed again after one success."""

import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether calls are let through: all, none, or one to try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class Limits:
    """Open after so many failures within so many seconds, for so many seconds."""

    failures: int = 5
    within: float = 30.0
    pause: float = 15.0


class Breaker:
    """Times are seconds of a clock that only goes forward. Safe for use from several threads."""

    def __init__(self, limits: Limits) -> None:
        """It begins closed."""
        self._limits = limits
        self._lock = threading.Lock()
        self._failures: deque[float] = deque()
        self._opened: float | None = None
        self._trying: float | None = None

    def state(self, at: float) -> State:
        """What it would do with a call now."""
        with self._lock:
            return self._state(at)

    def allows(self, at: float) -> bool:
        """Whether a call may be made; half open, only one may until it has ended or a pause has gone by."""
        with self._lock:
            state = self._state(at)
            if state is not State.HALF_OPEN:
                return state is State.CLOSED
            if self._trying is not None and at - self._trying < self._limits.pause:
                return False
            self._trying = at
            return True

    def succeeded(self) -> None:
        """A call went well: closed, and everything before is forgotten."""
        with self._lock:
            self._failures.clear()
            self._opened = self._trying = None

    def undecided(self) -> None:
        """A call that was let through was not made: the next may try."""
        with self._lock:
            self._trying = None

    def failed(self, at: float) -> None:
        """A call failed: enough of them open it, and the one that tries opens it anew."""
        with self._lock:
            if self._opened is not None:
                if self._trying is not None:
                    self._opened, self._trying = at, None
                return
            self._failures.append(at)
            while self._failures and at - self._failures[0] > self._limits.within:
                self._failures.popleft()
            if len(self._failures) >= self._limits.failures:
                self._opened = at
                self._failures.clear()

    def _state(self, at: float) -> State:
        if self._opened is None:
            return State.CLOSED
        return State.HALF_OPEN if at - self._opened >= self._limits.pause else State.OPEN
