"""The scheduled functions: they look for what is due and fan it out; others do the work."""

from __future__ import annotations

from datetime import timedelta

from chalicelib import runtime
from chalicelib.usecases import days

OVERDUE = timedelta(minutes=1)  # a message this old was not sent by the request that made it
SWEPT_AT_ONCE = 100
MOST_SWEEPS = 50


def close_days() -> int:
    """Begin the day of every partner whose business date has changed; how many partners there are.

    Runs every hour: midnight comes at another hour in every time zone, and a day that was missed
    or got stuck is taken up again.
    """
    edge = runtime.get()
    seen = 0
    for partner in days.every_partner(edge.store):
        seen += 1
        try:
            days.step(edge.context_for(partner), edge.clock())
        except Exception as error:
            edge.report("a partner's day could not be begun", error, partner_id=partner.id)
            edge.count("DaysNotBegun", 1)
    return seen


def sweep_outbox() -> int:
    """Send the messages that a commit left behind; how many there were."""
    edge = runtime.get()
    swept = 0
    for _ in range(MOST_SWEEPS):
        waiting = edge.store.pending_messages(edge.clock() - OVERDUE, SWEPT_AT_ONCE)
        if not waiting:
            break
        sent = edge.queues.send(waiting)
        edge.store.done(*sent)
        swept += len(sent)
        if len(sent) < len(waiting):
            break
    edge.count("MessagesSwept", swept)
    return swept
