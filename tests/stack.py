"""The laptop stack for tests: started on free ports in a directory of its own.

``running_stack(directory)`` is a context manager; the ``stack`` fixture (``tests/conftest.py``) is
one such stack for a whole test session.  It is the application itself unless ``app`` names another
module.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.home import ROOT
from tests.ministack import free_port

READY_SECONDS = 60.0
STOP_SECONDS = 60.0


@dataclass
class Stack:
    """A stack that may be started and stopped; its state stays in ``directory``."""

    directory: Path
    app: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self.port = self.port or free_ports(3)

    def start(self, wait: bool = True) -> Stack:
        """Starts the runner, and waits for its ``ready`` line."""
        more = {"PORT": str(self.port), "BACKBONE_LOCAL_DIR": str(self.directory)}
        if self.app:
            more["BACKBONE_APP_MODULE"] = self.app
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.output = self.directory.with_suffix(".out")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.run"],
                cwd=ROOT,
                env={**os.environ, **more, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        if wait:
            process = self.process
            until(lambda: self.said("ready ") or process.poll() is not None, READY_SECONDS)
            assert self.said("ready "), f"not ready:\n{self.output.read_text()}"
        return self

    def said(self, start: str) -> list[str]:
        """The runner's lines that begin with ``start``."""
        return [line for line in self.output.read_text().splitlines() if line.startswith(start)]

    def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Waits for the runner to end by itself; its exit code."""
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        """Stops the runner and waits until it has; its exit code."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(sign)
        return self.ended()

    @property
    def run(self) -> dict[str, Any]:
        """``run.json`` as it is now."""
        value: dict[str, Any] = json.loads((self.directory / "run.json").read_text("utf-8"))
        return value

    @property
    def url(self) -> str:
        """The API's base URL."""
        return str(self.run["url"])

    @property
    def api_key(self) -> str:
        """The sandbox partner's key."""
        return str(self.run["api_key"])

    def kill_application(self) -> list[int]:
        """SIGKILL to the API and the worker; which processes they were."""
        pids: list[int] = self.run["app_pids"]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return pids

    def log(self, name: str) -> str:
        """A child's log."""
        return (self.directory / "logs" / f"{name}.log").read_text("utf-8", errors="replace")


@contextmanager
def running_stack(
    directory: Path, app: str | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """A stack that is ready; it is stopped at the end, however that comes."""
    stack = Stack(directory / "local", app, environment or {})
    try:
        yield stack.start()
    finally:
        if stack.process is not None and stack.process.poll() is None:
            stack.stop(signal.SIGTERM)


def free_ports(count: int) -> int:
    """The first of ``count`` neighbouring loopback ports that nobody listens on now."""
    for _ in range(100):
        first = free_port()
        if first + count < 65536 and all(_free(first + n) for n in range(count)):
            return first
    raise AssertionError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def until(holds: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Looks until ``holds()`` is true, and gives that; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.05)
    return value
