"""The sandbox: a clock to each partner, and further partners (stages marked so only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from chalicelib.domain import partners as domain
from chalicelib.domain.decision import Message
from chalicelib.domain.partners import Clock, Partner
from chalicelib.models.keys import CLOCK_STATE, TERMS
from chalicelib.models.unit import Unit
from chalicelib.usecases import partners
from chalicelib.usecases.partners import clock_of

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

POLL_SECONDS = 0.01
LONGEST_POLL_SECONDS = 0.05
NUDGE_SECONDS = 10.0  # a move that says nothing for so long is pushed on: messages may be lost


@dataclass(frozen=True, slots=True)
class NewPartner:
    """Another tenant with its first key, shown this once."""

    id: str
    api_key: str


def add_partner(ctx: Context, wall: datetime) -> NewPartner:
    """Make another sandbox partner."""
    key = partners.new_key()
    partner = Partner(id=ctx.new_id(), name="Sandbox partner", sandbox=True)
    unit = Unit(wall)
    partners.add(unit, partner, key, ctx.new_id, wall)
    return ctx.commit(unit, NewPartner(partner.id, key))


def send_clock(ctx: Context, to: date, wall: datetime) -> Clock:
    """Send the partner's clock to a date; the days on the way run by themselves from here."""
    stored = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
    assert stored is not None
    has_loans = bool(ctx.store.page(TERMS, ctx.partner.id, index="list", limit=1).items)
    decided = domain.send_clock(stored.value, to, wall, has_loans)
    unit = ctx.unit()
    if decided.state != stored.value:
        unit.update(CLOCK_STATE, ctx.partner.id, stored, decided.state)
    for message in decided.messages:
        unit.send(message)
    return ctx.commit(unit, decided.state)


def wait(
    ctx: Context,
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
    seconds: float | None,
) -> Clock:
    """Wait until the clock has settled, or until ``seconds`` are over (None: as long as it takes).

    A move that makes no progress for a while is pushed on: its message may have been lost with a
    worker, and to be told twice changes nothing.
    """
    started = moved = monotonic()
    before, pause = clock_of(ctx.store, ctx.partner.id), POLL_SECONDS
    while not before.settled and (seconds is None or monotonic() - started < seconds):
        sleep(pause)
        clock = clock_of(ctx.store, ctx.partner.id)
        if clock != before:
            before, moved, pause = clock, monotonic(), POLL_SECONDS
        elif monotonic() - moved > NUDGE_SECONDS:
            moved = monotonic()
            nudge(ctx)
        else:
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
    return before


def nudge(ctx: Context) -> None:
    """Ask for the next step once more."""
    unit = replace(ctx, idempotency=None).unit()
    unit.send(Message(domain.CLOCK_QUEUE, {"partner": ctx.partner.id}))
    ctx.store.commit(unit)
    ctx.dispatch(unit.outbox)
