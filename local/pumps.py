"""Pumps: from SQS and from the clock into the application's own functions.

A pump does what Lambda's pollers and EventBridge do, and no more: it builds the event, calls the
function, deletes what succeeded, and leaves what failed to its visibility time and to the
dead-letter queue.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local import schedules
from local.events import failed_ids, scheduled_event, sqs_event
from local.receipts import Receipts

log = logging.getLogger("local")

#: How often a queue is looked at for which nobody has rung.
LOOK_SECONDS = 0.5
TROUBLE_PAUSE_SECONDS = 0.5
LARGEST_BATCH = 10
VISIBILITY_SECONDS = 30
HEARTBEAT_SECONDS = 10.0
PARALLEL_BATCHES = 4

Function = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and the application's function that consumes it."""

    name: str
    url: str
    batch_size: int
    function: Function
    region: str
    parallel: int = PARALLEL_BATCHES


class QueuePump:
    """Receives batches of one queue and runs up to ``queue.parallel`` of them at a time.

    It looks when its ``bell`` was rung, and now and then besides.
    """

    def __init__(self, sqs: Any, queue: Queue, receipts: Receipts) -> None:
        self._sqs = sqs
        self._queue = queue
        self._receipts = receipts
        self.bell = threading.Event()
        self._stop = threading.Event()
        self._free = threading.Semaphore(queue.parallel)
        self._pool = ThreadPoolExecutor(queue.parallel, thread_name_prefix=queue.name)
        self._thread = threading.Thread(target=self._run, name=f"pump-{queue.name}", daemon=True)
        self.name = queue.name

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No further message is taken; those in hand go on (see :meth:`drain`)."""
        self._stop.set()
        self.bell.set()

    def drain(self, seconds: float) -> bool:
        """Waits for what is in hand; whether all of it ended in time."""
        deadline = time.monotonic() + seconds
        self._thread.join(seconds)
        ended = not self._thread.is_alive()
        for _ in range(self._queue.parallel):
            left = max(0.0, deadline - time.monotonic())
            ended = self._free.acquire(timeout=left) and ended
        return ended

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._free.acquire(timeout=0.1):
                continue
            self.bell.clear()
            messages = self._receive()
            if messages:
                self._pool.submit(self._work, messages)
                continue
            self._free.release()
            self.bell.wait(LOOK_SECONDS)

    def _receive(self) -> list[dict[str, Any]]:
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue.url,
                MaxNumberOfMessages=min(self._queue.batch_size, LARGEST_BATCH),
                WaitTimeSeconds=0,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except Exception as error:
            log.warning("%s: cannot receive: %s", self._queue.name, type(error).__name__)
            self._stop.wait(TROUBLE_PAUSE_SECONDS)
            return []
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        self._receipts.take(self._queue.url, [m["ReceiptHandle"] for m in messages])
        return messages

    def _work(self, messages: Sequence[dict[str, Any]]) -> None:
        handles = {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        try:
            event = sqs_event(messages, self._queue.name, self._queue.region)
            failed = failed_ids(self._queue.function(event), list(handles))
            for identity in sorted(failed):
                log.warning("%s: message %s failed, it comes again", self._queue.name, identity)
            self._delete([handle for name, handle in handles.items() if name not in failed])
        except Exception:
            log.exception(
                "%s: a batch of %d failed, it comes again", self._queue.name, len(handles)
            )
        finally:
            self._receipts.give(self._queue.url, handles.values())
            self._free.release()

    def _delete(self, handles: Sequence[str]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(handles)]
        if entries:
            answer = self._sqs.delete_message_batch(QueueUrl=self._queue.url, Entries=entries)
            for failure in answer.get("Failed", []):
                log.warning("%s: cannot delete: %s", self._queue.name, failure.get("Code"))


def keep_in_hand(sqs: Any, receipts: Receipts, stop: threading.Event) -> None:
    """Until ``stop``: prolongs what is in hand, for a function may run longer than 30 seconds."""
    while not stop.wait(HEARTBEAT_SECONDS):
        for url, handle in receipts.held():
            with suppress(Exception):
                sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=VISIBILITY_SECONDS
                )


def free_orphans(sqs: Any, receipts: Receipts) -> int:
    """Shows again at once what a killed worker had in hand; how many messages."""
    freed = 0
    for url, handle in receipts.orphans:
        with suppress(Exception):
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
            freed += 1
    return freed


class SchedulePump:
    """Runs one scheduled function at once and then at its times, never twice at the same time."""

    def __init__(self, name: str, expression: str, function: Function, region: str) -> None:
        self._name = name
        self._schedule = schedules.parse(expression)
        self._function = function
        self._region = region
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"schedule-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def drain(self, seconds: float) -> bool:
        """Waits for a run in progress; whether it ended in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        due = datetime.now(UTC)
        while True:
            # By the wall clock and in small steps: a laptop sleeps and its clock is corrected.
            while datetime.now(UTC) < due:
                left = (due - datetime.now(UTC)).total_seconds()
                if self._stop.wait(min(max(left, 0.0), 5.0)):
                    return
            if self._stop.is_set():
                return
            self._once(due)
            due = self._schedule.after(datetime.now(UTC))

    def _once(self, due: datetime) -> None:
        try:
            self._function(scheduled_event(self._name, due, self._region))
        except Exception:
            log.exception("%s: a scheduled run failed", self._name)
