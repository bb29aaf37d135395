"""``.local/metrics.jsonl``: what the application tells CloudWatch, and what AWS would measure.

The application's own lines are taken as they are.  What AWS measures by itself (runs of functions,
messages in queues) is measured here in the same form.  The file is bounded: what grew too long is
kept once more beside it.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.home import Home

LARGEST_BYTES = 20_000_000
SAMPLE_SECONDS = 5.0
WAITING = "ApproximateNumberOfMessages"


class MetricsFile:
    """Lines appended by several processes; each writes a whole line at once."""

    def __init__(self, path: Path, largest: int = LARGEST_BYTES) -> None:
        self.path = path
        self._largest = largest
        self._lock = threading.Lock()
        self._descriptor = self._open()

    @classmethod
    def of(cls, home: Home) -> MetricsFile:
        """The file of a stack."""
        home.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(home.directory / "metrics.jsonl")

    @property
    def older(self) -> Path:
        """What was before it grew too long."""
        return self.path.with_suffix(".jsonl.1")

    def append(self, line: str) -> None:
        """Add a line."""
        with self._lock:
            self._turn()
            os.write(self._descriptor, line.encode() + b"\n")

    def emit(
        self, namespace: str, dimensions: Mapping[str, str], values: Mapping[str, float]
    ) -> None:
        """Add what AWS would have measured, in the form of the application's lines."""
        about = {
            "Namespace": namespace,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name} for name in values],
        }
        stamp = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]}
        self.append(json.dumps({"_aws": stamp, **dimensions, **values}, separators=(",", ":")))

    def _turn(self) -> None:
        """Begin a new file when this one is too long, or follow another process that has."""
        present = os.fstat(self._descriptor)
        if present.st_size < self._largest:
            return
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)  # let go of as it is closed
        with suppress(FileNotFoundError):
            if self.path.stat().st_ino == present.st_ino:
                self.path.replace(self.older)
        os.close(self._descriptor)
        self._descriptor = self._open()

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def collect() -> MetricsFile:
    """Have this process's application write into the file instead of its log."""
    from chalicelib import runtime

    file = MetricsFile.of(Home.of_environment())
    runtime.get().metrics.write = file.append
    return file


def counted(file: MetricsFile, name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose runs are counted as Lambda counts them."""

    def measured(*given: Any) -> Any:
        begun, errors = time.perf_counter(), 1
        try:
            answer = run(*given)
            errors = 0
            return answer
        finally:
            took = round((time.perf_counter() - begun) * 1000, 1)
            values = {"Invocations": 1, "Errors": errors, "Duration": took}
            with suppress(OSError):
                file.emit("AWS/Lambda", {"FunctionName": name}, values)

    return measured


def sample(
    file: MetricsFile, sqs: Any, queues: Sequence[str], stop: threading.Event
) -> threading.Thread:
    """Look at the queues and their dead letters now and then, until ``stop``, as SQS does."""

    def look() -> None:
        urls: dict[str, str] = {}
        while not stop.wait(SAMPLE_SECONDS):
            for name in (*queues, *(f"{one}-dead" for one in queues)):
                with suppress(Exception):
                    url = urls.get(name) or sqs.get_queue_url(QueueName=name)["QueueUrl"]
                    urls[name] = url
                    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[WAITING])
                    values = {f"{WAITING}Visible": int(found["Attributes"][WAITING])}
                    file.emit("AWS/SQS", {"QueueName": name}, values)

    thread = threading.Thread(target=look, name="queue-depths", daemon=True)
    thread.start()
    return thread
