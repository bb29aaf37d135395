"""A circuit breaker: after many failures in a row a provider is left alone for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Breaker:
    """Whether a provider may be called just now; the state of one container.

    ``failures`` in a row open it for ``seconds``.  Then one call at a time is tried: a success
    closes it, a failure opens it again.  ``monotonic`` gives seconds.
    """

    failures: int
    seconds: float
    monotonic: Callable[[], float]
    _in_a_row: int = 0
    _open_until: float | None = None
    _trying: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self) -> bool:
        """Whether a call may be made; if so, it must be reported by :meth:`report`."""
        with self._lock:
            if self._open_until is None:
                return True
            if self.monotonic() < self._open_until or self._trying:
                return False
            self._trying = True
            return True

    def report(self, well: bool) -> None:
        """How an allowed call went."""
        with self._lock:
            self._trying = False
            if well:
                self._in_a_row, self._open_until = 0, None
                return
            self._in_a_row += 1
            if self._in_a_row >= self.failures:
                self._open_until = self.monotonic() + self.seconds
