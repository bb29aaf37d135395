"""The queues' consumers: one message, one piece of work that may come twice.

A consumer that raises leaves its message to be delivered again, and in the end to the dead-letter
queue.  They take one message at a time, so that this is so with and without partial batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from chalicelib import runtime
from chalicelib.domain.decision import Message
from chalicelib.domain.partners import DAYS_QUEUE
from chalicelib.integrations.queues import opened
from chalicelib.usecases import days

Body = Mapping[str, Any]


def each(records: list[Mapping[str, Any]], work: Callable[[Body], None]) -> None:
    """Do ``work`` on the body of each SQS record."""
    for record in records:
        message_id, body = opened(record["body"])
        with runtime.get().logged(message_id=message_id, partner_id=str(body.get("partner", ""))):
            work(body)


def do_shard(body: Body) -> None:
    """One shard's loans that wake by a date; passes the rest on when there is too much for one."""
    edge = runtime.get()
    ctx = edge.context_of(body["partner"])
    day, shard = date.fromisoformat(body["date"]), int(body["shard"])
    progress = days.do_shard(ctx, day, shard, body.get("after"))
    edge.count("LoansBroughtUp", progress.done)
    edge.count("LoansFailed", len(progress.failed))
    if progress.after is None:
        clock = days.shard_done(ctx, day, shard, edge.clock())
        if clock.closed == day:
            edge.count("DaysClosed", 1)
        return
    unit = ctx.unit()
    unit.send(Message(DAYS_QUEUE, {**body, "after": progress.after}))
    ctx.commit(unit, None)


def step_clock(body: Body) -> None:
    """A partner's next day."""
    edge = runtime.get()
    days.step(edge.context_of(body["partner"]), edge.clock())
