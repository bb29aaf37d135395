"""One child process: started, watched, restarted after a growing pause, stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local.home import ROOT

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 5.0
#: Whoever lived this long starts with the first pause again.
STEADY_SECONDS = 10.0

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def _follow(runner: int, sign: signal.Signals) -> Callable[[], None]:
    """In the child, before it becomes another program: the runner's death is a signal to it."""

    def prepare() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(sign))
            if os.getppid() != runner:
                os.kill(os.getpid(), sign)

    return prepare


@dataclass(slots=True)
class Child:
    """A process of the stack.

    ``orphan_signal`` is what it gets when the runner dies without stopping it: SIGTERM where state
    must be saved, SIGKILL where there is none.  A session of its own keeps Ctrl-C from it.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: int
    descriptors: Sequence[int] = ()
    orphan_signal: signal.Signals = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    _started: float = 0.0
    _not_before: float = 0.0
    _pause: float = field(default=FIRST_PAUSE_SECONDS)

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self.process.pid if self.process is not None else None

    def start(self) -> None:
        """Starts it; only from the main thread, whose end the kernel takes for the runner's."""
        self.process = subprocess.Popen(
            [sys.executable, *self.arguments],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=tuple(self.descriptors),
            start_new_session=True,
            preexec_fn=_follow(os.getpid(), self.orphan_signal),
        )
        self._started = time.monotonic()

    def died(self) -> int | None:
        """Its exit code if it has just ended by itself (a signal's is negative), once."""
        if self.process is None:
            return None
        code = self.process.poll()
        if code is None:
            return None
        self.process = None
        self.deaths += 1
        now = time.monotonic()
        if now - self._started > STEADY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        self._not_before = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return code

    def due(self) -> bool:
        """Whether it is down and its pause is over."""
        return self.process is None and time.monotonic() >= self._not_before

    def stop(self, seconds: float) -> bool:
        """SIGTERM, then SIGKILL after ``seconds``; whether it went by itself."""
        if self.process is None:
            return True
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def kill(self) -> None:
        """Ends it at once; what it would have saved is not saved."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
