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
from chalicelib.handlers import events
from chalicelib.integrations.queues import envelope
from chalicelib.jobs import blackmoon, providers, replica, workers
from chalicelib.models.store import Store
from tests.support import memory_store
from tests.usecases.bucket import MemoryBucket

CONSUMERS = {
    "blackmoon": blackmoon.ask,
    "replica": replica.write,
    "days": workers.do_shard,
    "clock": workers.step_clock,
    "webhooks": workers.deliver,
    "webhooks-slow": workers.deliver_slowly,
}
NAMED = {"gocardless": providers.ask, "provider_events": providers.take_up}
"""Consumers that use the message's id; what fails comes again as SQS would have it."""

DELIVERIES = 5
runtime.compose(events.event_data)
SETTINGS = config.Config(
    stage="test",
    table_name="backbone-test",
    queue_prefix="backbone",
    region="eu-west-2",
    sandbox=True,
    answer_within_seconds=None,
)


class Line:
    """The queues of one world: first in, first out; ``lose`` drops what is sent.

    Messages to named consumers are delivered ``copies`` times, and again when they fail, until
    they are ``dead``; ``serving`` is false while such a consumer works.  What is sent with a delay
    waits in ``delayed`` until a test says :meth:`later`.
    """

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, str]] = deque()
        self.delayed: deque[tuple[int, str, str]] = deque()
        self.lose = False
        self.dead: list[tuple[str, str]] = []
        self.copies = 1
        self.serving = True
        self.errors: list[Exception] = []

    def empty(self, logical: Iterable[str]) -> bool:
        """As ``Queues.empty``."""
        names = set(logical)
        return not any(queue in names for queue, _ in self.waiting)

    def send(self, messages: Iterable[Any], delay_seconds: int = 0) -> list[Any]:
        """As ``Queues.send``."""
        taken = list(messages)
        if not self.lose and delay_seconds:
            self.delayed.extend((delay_seconds, m.queue, envelope(m.id, m.body)) for m in taken)
        elif not self.lose:
            self.waiting.extend((m.queue, envelope(m.id, m.body)) for m in taken)
        return [] if self.lose else taken

    def later(self) -> None:
        """The time of what is delayed has come."""
        self.waiting.extend((queue, text) for _, queue, text in self.delayed)
        self.delayed.clear()

    def step(self) -> bool:
        """Handle the oldest message; whether there was one."""
        if not self.waiting:
            return False
        queue, text = self.waiting.popleft()
        if queue in NAMED:
            self._deliver(queue, text)
            return True
        workers.each([{"body": text}], CONSUMERS[queue])
        return True

    def _deliver(self, queue: str, text: str) -> None:
        done = 0
        for _ in range(DELIVERIES + self.copies - 1):
            self.serving = False
            try:
                workers.each_named([{"body": text}], NAMED[queue])
                done += 1
                if done == self.copies:
                    return
            except Exception as error:
                self.errors.append(error)
            finally:
                self.serving = True
        self.dead.append((queue, text))


class World(runtime.Runtime):
    """A runtime whose queues run when somebody waits, and whose wall clock is set by hand."""

    def __init__(self, settings: config.Config = SETTINGS) -> None:
        super().__init__(clock=lambda: self.wall, sleep=self._work)
        self.settings = settings
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
        return self.settings

    @cached_property
    def store(self) -> Store:  # type: ignore[override]
        """An empty table."""
        return memory_store(clock=lambda: self.wall)

    @cached_property
    def objects(self) -> Any:
        """A bucket in memory."""
        return MemoryBucket()

    @cached_property
    def queues(self) -> Any:
        """The line."""
        return self.line
