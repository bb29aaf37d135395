"""The scheduled functions: they look for what is due and fan it out; others do the work."""

from __future__ import annotations

from datetime import timedelta

from chalicelib import metrics, runtime, watching
from chalicelib.domain.decision import Message
from chalicelib.models.keys import PROVIDER_EVENTS
from chalicelib.usecases import daily_files, days, deliveries, offers, selling_hours

OVERDUE = timedelta(minutes=1)  # a message this old was not sent by the request that made it
SWEPT_AT_ONCE = 100
MOST_SWEEPS = 50


def close_days() -> int:
    """Begin the day of every partner whose business date has changed; how many partners there are.

    Runs every hour: midnight comes at another hour in every time zone, and a day that was missed
    or got stuck is taken up again.
    """
    edge = runtime.get()
    round_ = watching.Round(edge)
    edge.count(metrics.DAYS_NOT_BEGUN, 0)
    for partner in days.every_partner(edge.store):
        try:
            days.step(edge.context_for(partner), edge.clock(), edge.outside)
        except Exception as error:
            edge.report("a partner's day could not be begun", error, partner_id=partner.id)
            edge.count(metrics.DAYS_NOT_BEGUN, 1)
        round_.saw(partner)
    round_.tell()
    return round_.partners


def sweep_outbox() -> int:
    """Send the messages that a commit left behind; how many there were."""
    edge = runtime.get()
    swept = 0
    edge.count(metrics.OUTBOX_AGE, 0)
    for _ in range(MOST_SWEEPS):
        waiting = edge.store.pending_messages(edge.clock() - OVERDUE, SWEPT_AT_ONCE)
        if not waiting:
            break
        if not swept:
            age = edge.clock() - waiting[0].at
            edge.count(metrics.OUTBOX_AGE, round(age.total_seconds(), 1))
        sent = edge.queues.send(waiting)
        edge.store.done(sent)
        swept += len(sent)
        if len(sent) < len(waiting):
            break
    edge.count(metrics.MESSAGES_SWEPT, swept)
    return swept


def poll_providers() -> int:
    """Have every partner's organisation asked for its events, by a message each; how many.

    A sandbox partner's are asked for with its clock, too.
    """
    edge = runtime.get()
    if edge.config.gocardless_url is None:
        return 0
    waiting = [
        Message(PROVIDER_EVENTS, {"do": "poll", "partner": partner_id})
        for partner_id in edge.organisations.every()
    ]
    for start in range(0, len(waiting), SWEPT_AT_ONCE):
        edge.send_soon(waiting[start : start + SWEPT_AT_ONCE], 0)
    return len(waiting)


def sweep_offers() -> int:
    """Have each offer and daily file that is due looked at, by a message; how many there were.

    Looked at twice, it is as if once.  A sandbox partner's go by its clock.
    """
    edge = runtime.get()
    now = edge.clock()
    waiting = [offers.tick_message(stored.value) for stored in offers.due(edge.store, now)]
    waiting += [daily_files.message(stored.value) for stored in daily_files.due(edge.store, now)]
    for start in range(0, len(waiting), SWEPT_AT_ONCE):
        edge.send_soon(waiting[start : start + SWEPT_AT_ONCE], 0)
    edge.count(metrics.OFFERS_SWEPT, len(waiting))
    return len(waiting)


def poll_blackmoon() -> int:
    """Have every partner that sells loans ask Blackmoon what is asked hourly; how many there are.

    By a message each.  Where Blackmoon is simulated a sandbox partner's hours go by its clock.
    """
    edge = runtime.get()
    if edge.config.blackmoon_url is None:
        return 0
    simulated = edge.selling_simulator is not None
    waiting = [
        selling_hours.hour_message(partner.id)
        for partner in days.every_partner(edge.store)
        if not (simulated and partner.sandbox) and offers.any_there(edge.store, partner.id)
    ]
    for start in range(0, len(waiting), SWEPT_AT_ONCE):
        edge.send_soon(waiting[start : start + SWEPT_AT_ONCE], 0)
    return len(waiting)


def sweep_webhooks() -> int:
    """Ask for a visit to every endpoint at which a retry is due; how many there were.

    Also where a visit ended with its worker.  Asked for twice, it is visited once.
    """
    edge = runtime.get()
    found = 0
    waiting: list[Message] = []
    for lane in deliveries.waking(edge.store, edge.clock()):
        found += 1
        waiting.append(deliveries.lane_message(lane.partner, lane.id, slow=lane.slow))
        if len(waiting) == SWEPT_AT_ONCE:
            edge.send_soon(waiting, 0)
            waiting = []
    if waiting:
        edge.send_soon(waiting, 0)
    edge.count(metrics.WEBHOOK_LANES_SWEPT, found)
    return found
