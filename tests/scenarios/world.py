"""The whole application in this process: real routes, use cases and workers, an embedded table.

What SQS and EventBridge do between them is done in order, in the same thread: a message is handled
when somebody waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from chalicelib import config, runtime
from chalicelib.integrations.queues import envelope
from chalicelib.jobs import workers
from chalicelib.models.store import Store
from tests.support import memory_store

CONSUMERS = {"days": workers.do_shard, "clock": workers.step_clock}
SETTINGS = config.Config(
    stage="test",
    table_name="backbone-test",
    queue_prefix="backbone",
    region="eu-west-2",
    sandbox=True,
    answer_within_seconds=None,
)


class Line:
    """The queues of one world: first in, first out; ``lose`` drops what is sent."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, str]] = deque()
        self.lose = False

    def send(self, messages: Iterable[Any]) -> list[Any]:
        """As ``Queues.send``."""
        taken = list(messages)
        if not self.lose:
            self.waiting.extend((m.queue, envelope(m.id, m.body)) for m in taken)
        return [] if self.lose else taken

    def step(self) -> bool:
        """Handle the oldest message; whether there was one."""
        if not self.waiting:
            return False
        queue, text = self.waiting.popleft()
        workers.each([{"body": text}], CONSUMERS[queue])
        return True


class World(runtime.Runtime):
    """A runtime whose queues run when somebody waits, and whose wall clock is set by hand."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: self.wall, sleep=self._work)
        self.wall = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
        self.line = Line()
        self.hosts: dict[str, tuple[str, ...]] = {"localhost": ("127.0.0.1", "::1")}

    def _work(self, seconds: float) -> None:
        self.wall += timedelta(milliseconds=1)
        self.line.step()

    def aside(self, work: Callable[[], None]) -> None:
        """At once: the embedded table is for one thread."""
        work()

    def resolve(self, host: str) -> tuple[str, ...]:
        """As the test says; this machine's own name and plain addresses as ever."""
        return self.hosts.get(host) or ((host,) if host[0].isdigit() or ":" in host else ())

    @cached_property
    def config(self) -> config.Config:  # type: ignore[override]
        """A sandbox's."""
        return SETTINGS

    @cached_property
    def store(self) -> Store:  # type: ignore[override]
        """An empty table."""
        return memory_store(clock=lambda: self.wall)

    @cached_property
    def queues(self) -> Any:
        """The line."""
        return self.line
