"""The sandbox: a clock to each partner, and further partners (stages marked so only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from chalicelib.domain import partners as domain
from chalicelib.domain.decision import Message
from chalicelib.domain.deliveries import AWAITED, WEBHOOKS_QUEUE, Webhook, lanes_of
from chalicelib.domain.partners import Clock, Partner
from chalicelib.models.keys import CLOCK_STATE, TERMS, WEBHOOK
from chalicelib.models.unit import Stored, Unit
from chalicelib.usecases import partners
from chalicelib.usecases.partners import clock_of

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.days import Outside

POLL_SECONDS = 0.01
LONGEST_POLL_SECONDS = 0.05
GIVE_UP_SECONDS = 180.0  # five deliveries of a message, and it is a dead letter
NUDGED_WEBHOOKS = 100
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


def send_clock(ctx: Context, to: date, wall: datetime, outside: Outside | None = None) -> Clock:
    """Send the partner's clock to a date; the days on the way run by themselves from here."""
    stored = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
    assert stored is not None
    has_loans = bool(ctx.store.page(TERMS, ctx.partner.id, index="list", limit=1).items)
    follows = outside is not None and outside.follows(ctx)
    decided = domain.send_clock(stored.value, to, wall, has_loans, follows)
    unit = ctx.unit()
    if decided.state != stored.value:
        unit.update(CLOCK_STATE, ctx.partner.id, stored, decided.state)
    for message in decided.messages:
        unit.send(message)
    return ctx.commit(unit, decided.state)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a move has come: the clock, and the oldest webhook that nobody has tried to send.

    ``awaited`` is its id and version, once the clock stands where it was sent.
    """

    clock: Clock
    awaited: tuple[str, int] | None = None

    @property
    def settled(self) -> bool:
        """Whether all is done that the move brings."""
        return self.clock.settled and self.awaited is None


def wait(
    ctx: Context,
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
    seconds: float | None,
) -> Progress:
    """Wait until a move has settled, or until ``seconds`` are over (None: as long as it takes).

    Settled is a clock that stands where it was sent, with every webhook's first attempt made.  A
    move that makes no progress for a while is pushed on: its message may have been lost with a
    worker, and to be told twice changes nothing.  Webhooks that nobody can send are waited for
    no longer than :data:`GIVE_UP_SECONDS` (their message is a dead letter by then).
    """
    started = moved = nudged = monotonic()
    before, pause = _progress(ctx), POLL_SECONDS
    while not before.settled and (seconds is None or monotonic() - started < seconds):
        sleep(pause)
        now = _progress(ctx)
        if now != before:
            before, pause = now, POLL_SECONDS
            moved = nudged = monotonic()
            continue
        if now.clock.settled and monotonic() - moved > GIVE_UP_SECONDS:
            return Progress(now.clock)
        if monotonic() - nudged > NUDGE_SECONDS:
            nudged = monotonic()
            nudge(ctx, now)
        else:
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
    return before


def _progress(ctx: Context) -> Progress:
    clock = clock_of(ctx.store, ctx.partner.id)
    first = _awaited(ctx, 1) if clock.settled else []
    return Progress(clock, (first[0].value.id, first[0].version) if first else None)


def _awaited(ctx: Context, limit: int) -> list[Stored[Webhook]]:
    """The oldest webhooks that wait for their first attempt."""
    return ctx.store.page(
        WEBHOOK,
        ctx.partner.id,
        "status",
        group={"awaited": AWAITED},
        newest_first=False,
        limit=limit,
        consistent=True,
    ).items


def nudge(ctx: Context, progress: Progress) -> None:
    """Ask once more for the clock's next step, or for what waits to be sent."""
    unit = replace(ctx, idempotency=None).unit()
    if progress.clock.settled:
        lanes = lanes_of(stored.value for stored in _awaited(ctx, NUDGED_WEBHOOKS))
        unit.send(Message(WEBHOOKS_QUEUE, {"partner": ctx.partner.id, "lanes": lanes}))
    else:
        unit.send(Message(domain.CLOCK_QUEUE, {"partner": ctx.partner.id}))
    ctx.store.commit(unit)
    ctx.dispatch(unit.outbox)
