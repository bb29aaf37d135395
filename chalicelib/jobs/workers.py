"""The queues' consumers: one message, one piece of work that may come twice.

A consumer that raises leaves its message to be delivered again, and in the end to the dead-letter
queue.  They take one message at a time, so that this is so with and without partial batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from chalicelib import metrics, runtime, watching
from chalicelib.domain.decision import Message
from chalicelib.domain.partners import DAYS_QUEUE
from chalicelib.integrations.queues import opened
from chalicelib.usecases import days, deliveries

Body = Mapping[str, Any]


def each(records: list[Mapping[str, Any]], work: Callable[[Body], None]) -> None:
    """Do ``work`` on the body of each SQS record."""
    each_named(records, lambda _, body: work(body))


def each_named(records: list[Mapping[str, Any]], work: Callable[[str, Body], None]) -> None:
    """Do ``work`` on the message's id and body of each SQS record."""
    for record in records:
        message_id, body = opened(record["body"])
        with runtime.get().logged(message_id=message_id, partner_id=str(body.get("partner", ""))):
            work(message_id, body)


def do_shard(body: Body) -> None:
    """One shard's loans that wake by a date; passes the rest on when there is too much for one."""
    edge = runtime.get()
    ctx = edge.context_of(body["partner"])
    day, shard = date.fromisoformat(body["date"]), int(body["shard"])
    checks = edge.config.ledger_checks
    progress = days.do_shard(ctx, day, shard, body.get("after"), checks)
    edge.count(metrics.LOANS_BROUGHT_UP, progress.done)
    edge.count(metrics.LOANS_FAILED, len(progress.failed))
    if progress.after is None:
        clock = days.shard_done(ctx, day, shard, edge.clock(), edge.outside)
        if clock.closed == day and clock.target in (None, day):  # not the days passed through
            watching.day_closed(edge, ctx)
        return
    unit = ctx.unit()
    unit.send(Message(DAYS_QUEUE, {**body, "after": progress.after}))
    ctx.commit(unit, None)


def step_clock(body: Body) -> None:
    """A partner's next day."""
    edge = runtime.get()
    days.step(edge.context_of(body["partner"]), edge.clock(), edge.outside)


def deliver(body: Body) -> None:
    """Webhooks to record, or endpoints at which some are due."""
    _deliver(body, slow=False)


def deliver_slowly(body: Body) -> None:
    """The same for endpoints that are slow to answer."""
    _deliver(body, slow=True)


def _deliver(body: Body, slow: bool) -> None:
    edge = runtime.get()
    ctx = edge.context_of(body["partner"])
    lanes = deliveries.record(ctx, body["record"]) if "record" in body else body["lanes"]
    deliveries.wake(ctx, edge.carrier(), lanes, slow, body.get("holder"))
