"""Webhooks on their way: one worker at a time goes along the lane of an endpoint.

Whoever gets a message for a lane takes it by a conditional write, sends what is due, records what
came of each attempt, and leaves.  Killed at any line, it loses nothing: what is due stays in the
table, the message comes again, and a sweeper finds lanes whose holder's time is over.  See
``docs/adr/0011-webhooks.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from chalicelib import metrics
from chalicelib.domain import deliveries as domain
from chalicelib.domain import webhooks
from chalicelib.domain.alarms import Alarm
from chalicelib.domain.decision import Message
from chalicelib.domain.deliveries import SLOW_QUEUE, WEBHOOKS_QUEUE, Lane, Webhook
from chalicelib.domain.webhooks import Endpoint
from chalicelib.models import codec
from chalicelib.models.keys import (
    ALARM,
    ANYONE,
    LANE,
    SUBSCRIPTIONS,
    WEBHOOK,
    WEBHOOK_ENDPOINT,
)
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases import measuring, sending
from chalicelib.usecases.sending import Carrier

if TYPE_CHECKING:
    from chalicelib.models.store import Store
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

READ_AT_ONCE = 50
WAVE = 8
"""Attempts at one endpoint at the same time, each for another loan."""

BEGIN_WITHIN_SECONDS = 8.0
"""A visit begins no attempt after so long: with the last answer it fits a Lambda's 29 seconds."""

LEASE = timedelta(seconds=60)
LOOK_AGAIN = timedelta(seconds=2)
"""After which a lane is visited again for rows that its index did not show yet."""

LONGEST_DELAY = timedelta(minutes=15)
"""Of an SQS message; what is due later is found by the sweeper."""

ALARM_NAME = "webhook_endpoint_disabled"

Lanes = Mapping[str, Sequence[str]]
"""Endpoints, and the rows that were just recorded for each."""


def lane_message(
    partner: str, endpoint: str, rows: Sequence[str] = (), *, slow: bool = False
) -> Message:
    """Asks for a visit to one endpoint's lane, where ``rows`` were just recorded."""
    queue = SLOW_QUEUE if slow else WEBHOOKS_QUEUE
    return Message(queue, {"partner": partner, "lanes": {endpoint: list(rows)}})


def record(ctx: Context, texts: Sequence[str]) -> Lanes:
    """Write rows that had no room in their commit, each once; their lanes."""
    rows = [codec.loads(Webhook, text) for text in texts]
    there = ctx.store.get_many(WEBHOOK, ctx.partner.id, [row.id for row in rows])
    unit = ctx.unit()
    for row in rows:
        if row.id not in there:
            unit.create(WEBHOOK, ctx.partner.id, row)
    ctx.commit(unit, None)
    return domain.lanes_of(rows)


def wake(
    ctx: Context, carrier: Carrier, lanes: Lanes, slow: bool = False, holder: str | None = None
) -> int:
    """Visit the lane of one endpoint, or ask for visits to several; how many attempts were made.

    ``slow`` says that the message came by the slow lanes' queue.  ``holder`` is the message's own
    name: if it comes again, whoever took the lane in its name is no more.
    """
    if len(lanes) == 1:
        [(endpoint, rows)] = lanes.items()
        return visit(ctx, carrier, endpoint, rows, slow, holder)
    messages = [lane_message(ctx.partner.id, one, rows) for one, rows in lanes.items()]
    _pass_on(carrier, messages)
    return 0


def waking(store: Store, wall: datetime) -> Iterator[Lane]:
    """The lanes of all partners that have something due, or whose holder was killed."""
    for shard in range(domain.LANE_SHARDS):
        for stored in store.each(
            LANE, ANYONE, "due", group={"shard": shard}, newest_first=False, until=wall
        ):
            yield stored.value


def _pass_on(carrier: Carrier, messages: Sequence[Message]) -> None:
    if not carrier.send(messages, 0):
        raise RuntimeError("SQS did not take all messages: this one comes again")


# --- one visit ------------------------------------------------------------------------------------


Group = Mapping[str, "Stored[Any]"]
"""An endpoint with its secrets and its lane, by sort key, as they stand together."""


@dataclass(slots=True)
class _Visit:
    """One worker's way along one lane.

    ``expected`` are rows it was told of and did not meet, ``next_due`` is when the earliest of the
    rows that it leaves behind is due.
    """

    ctx: Context
    carrier: Carrier
    stored: Stored[Lane]
    group: Group
    in_slow_queue: bool
    began: float
    lane: Lane
    expected: set[str]
    next_due: datetime | None = None
    attempts: int = 0
    was_slow: bool = False
    was_called: bool = False

    def over(self) -> bool:
        """Whether no further attempt may begin in this visit."""
        turned_slow = self.was_slow and not self.in_slow_queue
        return turned_slow or self.carrier.monotonic() - self.began > BEGIN_WITHIN_SECONDS

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint, unless it was deleted."""
        found = self.group.get("-")
        return None if found is None else found.value


def visit(
    ctx: Context,
    carrier: Carrier,
    endpoint_id: str,
    rows: Sequence[str],
    slow: bool,
    holder: str | None = None,
) -> int:
    """Send what is due at one endpoint, unless somebody is there already; how many attempts."""
    name = holder or ctx.new_id()
    began = carrier.monotonic()
    way = ctx.store.attempt(lambda: _take(ctx, carrier, endpoint_id, rows, slow, name))
    if way is None:
        return 0
    way.began = began
    while True:
        _drain(way)
        if _leave(way):
            return way.attempts


def _take(
    ctx: Context,
    carrier: Carrier,
    endpoint_id: str,
    rows: Sequence[str],
    slow_queue: bool,
    name: str,
) -> _Visit | None:
    """Take the lane, unless somebody has it or it belongs to the other queue."""
    group = _load(ctx, endpoint_id)
    stored = group.get("LANE")
    lane = stored.value if stored else Lane(endpoint_id, ctx.partner.id)
    wall = ctx.wall()
    unit = ctx.unit()
    if lane.is_held(wall) and lane.holder != name:
        if not lane.called and stored is not None:
            unit.update(LANE, ctx.partner.id, stored, replace(lane, called=True))
            ctx.commit(unit, None)
        return None
    if lane.slow and not slow_queue:
        _pass_on(carrier, [lane_message(ctx.partner.id, endpoint_id, rows, slow=True)])
        return None
    mine = domain.taken(lane, name, wall, LEASE)
    if stored is None:
        after = unit.create(LANE, ctx.partner.id, mine)
    else:
        after = unit.update(LANE, ctx.partner.id, stored, mine)
    return ctx.commit(unit, _Visit(ctx, carrier, after, group, slow_queue, 0.0, mine, set(rows)))


def _load(ctx: Context, endpoint_id: str) -> Group:
    return ctx.store.load_group(WEBHOOK_ENDPOINT.key(ctx.partner.id, endpoint_id)[0])


def _drain(way: _Visit) -> None:
    """Send what is due, wave after wave, until nothing is, or the visit's time is over."""
    ctx = way.ctx
    while not way.over():
        rows, whole = _pending(ctx, way.lane.id)
        way.expected.difference_update(stored.value.id for stored in rows)
        if whole:
            rows += _unseen(way)
        endpoint, wall = way.endpoint, ctx.wall()
        if endpoint is None or endpoint.is_disabled:
            _give_up(ctx, rows, endpoint is None)
            way.next_due = None if whole else wall
            if whole:
                return
            continue
        due = [stored for stored in rows if _due(stored) <= wall]
        left = [_due(stored) for stored in rows if _due(stored) > wall]
        while due and not way.over() and not (endpoint is None or endpoint.is_disabled):
            due, later = _one_wave(way, due, endpoint)
            left += later
            way.group = _load(ctx, way.lane.id) if due else way.group
            endpoint = way.endpoint
        left += [_due(stored) for stored in due]
        way.next_due = min(left, default=None if whole else wall)
        if whole and (way.next_due is None or way.next_due > ctx.wall()):
            return


def _unseen(way: _Visit) -> list[Stored[Webhook]]:
    """What the message names and the index, being behind, does not show: read by itself, so that a
    later event of its loan which the index shows already does not go ahead of it.
    """
    if not way.expected:
        return []
    found = way.ctx.store.get_many(WEBHOOK, way.ctx.partner.id, sorted(way.expected)).values()
    way.expected.clear()
    return [stored for stored in found if stored.value.status == domain.PENDING]


def _due(stored: Stored[Webhook]) -> datetime:
    due = stored.value.due
    assert due is not None, "a pending row is due some time"
    return due


def _pending(ctx: Context, endpoint_id: str) -> tuple[list[Stored[Webhook]], bool]:
    """The rows of an endpoint that are pending, what is due first; whether these are all."""
    place: str | None = None
    while True:
        page = ctx.store.page(
            WEBHOOK,
            ctx.partner.id,
            "due",
            group={"webhook_endpoint": endpoint_id},
            limit=READ_AT_ONCE,
            cursor=place,
            newest_first=False,
            consistent=True,  # the index may still name what was delivered a moment ago
        )
        place = page.next_cursor
        if page.items or place is None:
            return page.items, place is None


def _one_wave(
    way: _Visit, waiting: list[Stored[Webhook]], endpoint: Endpoint
) -> tuple[list[Stored[Webhook]], list[datetime]]:
    """Send some of what waits; what is left of it, and when the others are due again."""
    by_id = {stored.value.id: stored for stored in waiting}
    chosen = domain.wave([stored.value for stored in waiting], way.lane, WAVE)
    later = _put_off(way, [by_id[row.id] for row in chosen.wait])
    secrets = way.group["SECRETS"].value.valid(way.ctx.wall())
    sent, slow = sending.send(way.ctx, way.carrier, chosen.send, endpoint, secrets)
    way.was_slow |= slow
    after = [
        domain.attempted(row, attempt, way.carrier.chance())
        for row, attempt in zip(chosen.send, sent, strict=True)
    ]
    way.attempts += len(after)
    way.ctx.measure([one for row in after for one in measuring.of_attempt(row)])
    way.lane = domain.after_wave(way.lane, after)
    for row in after:
        later += [row.due] if row.due is not None else []
        if not _written(way.ctx, by_id[row.id], row):
            later.append(way.ctx.wall())
        elif domain.ends_endpoint(row, way.lane):
            way.ctx.store.attempt(lambda row=row: _disable(way.ctx, row))  # type: ignore[misc]
    done = {row.id for row in (*chosen.send, *chosen.wait)}
    return [stored for stored in waiting if stored.value.id not in done], later


def _put_off(way: _Visit, rows: Sequence[Stored[Webhook]]) -> list[datetime]:
    """Have rows wait for what comes before them; when they are due.  Holds that are over go."""
    if not rows:
        return []
    ctx, held = way.ctx, dict(way.lane.held)
    names = {str(row.value.loan): held[str(row.value.loan)] for row in rows}
    firsts = ctx.store.get_many(WEBHOOK, ctx.partner.id, names.values())
    later: list[datetime] = []
    for row in rows:
        loan, due = str(row.value.loan), _due(row)
        first = firsts[names[loan]].value if names[loan] in firsts else None
        if first is None or first.due is None or first.tries >= domain.in_order(first):
            held.pop(loan, None)
        elif first.due > due:
            due = first.due
            _written(ctx, row, replace(row.value, due=due))
        later.append(due)
    way.lane = replace(way.lane, held=held)
    return later


def _written(ctx: Context, stored: Stored[Webhook], after: Webhook) -> bool:
    """Write a row; false if somebody changed it meanwhile, who is right then."""
    unit = ctx.unit()
    unit.update(WEBHOOK, ctx.partner.id, stored, after)
    try:
        ctx.commit(unit, None)
    except Conflict:
        return False
    return True


def _give_up(ctx: Context, rows: Sequence[Stored[Webhook]], gone: bool) -> None:
    why = domain.ENDPOINT_IS_GONE if gone else domain.ENDPOINT_IS_OFF
    for row in rows:
        _written(ctx, row, domain.given_up(row.value, why, ctx.wall()))


def _disable(ctx: Context, row: Webhook) -> None:
    """Disable an endpoint that takes nothing any more, and raise an alarm."""
    stored = ctx.store.get(WEBHOOK_ENDPOINT, ctx.partner.id, row.webhook_endpoint)
    known = ctx.store.get(SUBSCRIPTIONS, ctx.partner.id, ctx.partner.id)
    if stored is None or stored.value.is_disabled or known is None:
        return
    off = replace(stored.value, is_disabled=True)
    gone = row.deliveries[-1].response_status == domain.GONE
    why = "it answered 410" if gone else "nothing was taken in a whole schedule of attempts"
    detail = f"The webhook endpoint {off.id} was disabled: {why} (webhook {row.id})."
    unit = ctx.unit()
    unit.update(WEBHOOK_ENDPOINT, ctx.partner.id, stored, off)
    unit.update(SUBSCRIPTIONS, ctx.partner.id, known, webhooks.subscribed(known.value, off))
    unit.create(ALARM, ctx.partner.id, Alarm(ctx.new_id(), ALARM_NAME, ctx.now, detail))
    unit.measures.append(metrics.measure(metrics.ALARMS_RAISED, alarm=ALARM_NAME))
    ctx.commit(unit, None)


# --- leaving --------------------------------------------------------------------------------------


def _leave(way: _Visit) -> bool:
    """Give the lane back and see to its next visit; false if something came in meanwhile."""
    ctx, carrier = way.ctx, way.carrier
    wall = ctx.wall()
    next_due = _next_due(way, wall)
    slow = way.was_slow or (way.lane.slow and not way.attempts)
    after = domain.released(replace(way.lane, slow=slow), next_due)
    unit = ctx.unit()
    if way.endpoint is None and next_due is None:
        unit.delete(LANE, ctx.partner.id, way.stored)
    else:
        unit.update(LANE, ctx.partner.id, way.stored, after)
    try:
        ctx.commit(unit, None)
    except Conflict:
        fresh = ctx.store.get(LANE, ctx.partner.id, way.lane.id)
        if fresh is None or fresh.value.holder != way.stored.value.holder:
            return True  # taken over after the lease was over
        way.stored, way.was_called, way.next_due = fresh, True, wall  # unless there is time to look
        way.group = _load(ctx, way.lane.id)
        return False
    if next_due is None:
        return True
    again = [lane_message(ctx.partner.id, way.lane.id, sorted(way.expected), slow=slow)]
    if next_due <= wall:
        carrier.send(again, 0)
    elif next_due != way.stored.value.next_due and next_due - wall <= LONGEST_DELAY:
        # Once for each such instant: the visits in between must not multiply.
        carrier.send(again, ceil((next_due - wall).total_seconds()))
    return True


def _next_due(way: _Visit, wall: datetime) -> datetime | None:
    """When the lane is to be visited next, although its index may be a little behind the table."""
    due = way.next_due
    if due is not None and due <= wall:
        return due
    ctx = way.ctx
    unmet = ctx.store.get_many(WEBHOOK, ctx.partner.id, sorted(way.expected)).values()
    missed = any(one.value.due is not None and one.value.due <= wall for one in unmet)
    if not missed and not way.was_called:
        return due
    soon = wall + LOOK_AGAIN
    return soon if due is None else min(due, soon)
