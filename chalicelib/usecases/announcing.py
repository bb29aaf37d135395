"""Events on their way to partners: recorded in the commit that brought them about.

Each event becomes a row of the log for every endpoint that is subscribed to it, and one message
asks for their delivery.  A commit without events reads and writes nothing for it; one with events
reads one small item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chalicelib.domain.decision import Event, Message, causes_first
from chalicelib.domain.deliveries import Webhook, lanes_of
from chalicelib.domain.webhooks import Subscriptions
from chalicelib.models import codec
from chalicelib.models.keys import CLOCK_STATE, SUBSCRIPTIONS, WEBHOOK, WEBHOOKS

if TYPE_CHECKING:
    from chalicelib.models.unit import Unit
    from chalicelib.usecases.context import Context

MOST_IN_COMMIT = 60
"""Rows that go into the commit itself, which has room for 100 items in all."""

ROWS_A_MESSAGE = 30
"""What is more travels in messages of so many rows, well below SQS's 256 KB, and is recorded by
their worker.
"""


def announce(
    ctx: Context,
    unit: Unit,
    events: Sequence[Event],
    subject: Any = None,
    *,
    loan: str | None = None,
    statements: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Record ``events`` in ``unit`` for whoever listens.

    ``subject`` is what the events are about, as its resource's view takes it (a loan's ``Shown``, a
    ``Stored[Mandate]``); ``loan`` names the loan whose events are to arrive in order.  Events about
    statements say which one; ``statements`` holds them by id, stored or about to be.
    """
    if not events:
        return
    found = ctx.store.get(SUBSCRIPTIONS, ctx.partner.id, ctx.partner.id)
    if found is None:
        return
    about = [
        (event, statements.get(event.data.get("statement", ""), subject))
        for event in causes_first(events)
    ]
    rows = _rows(ctx, found.value, about, loan)
    if not rows:
        return
    for row in rows[:MOST_IN_COMMIT]:
        unit.create(WEBHOOK, ctx.partner.id, row)
    lanes = lanes_of(rows[:MOST_IN_COMMIT])
    body = {"partner": ctx.partner.id, "lanes": lanes, "holder": ctx.new_id()}
    unit.send(Message(WEBHOOKS, body))
    for start in range(MOST_IN_COMMIT, len(rows), ROWS_A_MESSAGE):
        texts = [codec.dumps(row) for row in rows[start : start + ROWS_A_MESSAGE]]
        unit.send(Message(WEBHOOKS, {"partner": ctx.partner.id, "record": texts}))


def _rows(
    ctx: Context,
    listening: Subscriptions,
    about: Sequence[tuple[Event, Any]],
    loan: str | None,
) -> list[Webhook]:
    wanted = [(event, subject, listening.to(event.name)) for event, subject in about]
    if not any(endpoints for *_, endpoints in wanted):
        return []
    wall, moving = ctx.wall(), _clock_moves(ctx)
    # Ids in order, so that the log, where one commit's rows have the same time, shows it too.
    ids = iter(sorted(ctx.new_id() for *_, endpoints in wanted for _ in endpoints))
    rows: list[Webhook] = []
    for order, (event, subject, endpoints) in enumerate(wanted):
        if not endpoints:
            continue
        data = ctx.event_data(ctx, event, subject)
        rows += [
            Webhook(
                id=next(ids),
                event=event.name,
                webhook_endpoint=endpoint,
                timestamp=int(ctx.now.timestamp()),
                data=data,
                loan=loan,
                recorded_at=wall,
                order=order,
                due=wall,
                hurried=moving,
                watched=ctx.partner.sandbox,
            )
            for endpoint in endpoints
        ]
    return rows


def _clock_moves(ctx: Context) -> bool:
    """Whether a sandbox partner's clock is on its way."""
    if not ctx.partner.sandbox:
        return False
    clock = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
    return clock is not None and not clock.value.settled
