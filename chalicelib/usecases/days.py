"""The daily jobs: each partner's day is opened, done shard by shard, and closed.

A day is begun by one conditional write and fanned out as one message a shard.  A shard's worker
touches only the loans that wake by that date, each in a transaction of its own; the last shard to
finish closes the day.  Every message may come twice: a loan that is already there is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from chalicelib import metrics
from chalicelib.domain import partners as domain
from chalicelib.domain.decision import Decision, Message
from chalicelib.domain.loans import brought_up
from chalicelib.domain.partners import Clock, Partner
from chalicelib.domain.self_check import chosen
from chalicelib.models.keys import ACCOUNT, ANYONE, CLOCK_STATE, PARTNER
from chalicelib.models.store_errors import Unavailable
from chalicelib.usecases import daily_files, loans, measuring

if TYPE_CHECKING:
    from chalicelib.models.store import Store
    from chalicelib.usecases.context import Context

CHUNK = 100  # loans read ahead: a job's memory does not grow with the book
LOANS_A_MESSAGE = 1000  # what one invocation does before it passes the rest on
RACES = 20

Decide = Callable[[Clock], Decision[Clock]]


@dataclass(frozen=True, slots=True)
class Progress:
    """What one message's work came to; ``after`` is where the next message goes on."""

    done: int = 0
    failed: tuple[str, ...] = ()
    after: str | None = None


class Outside(Protocol):
    """The world beside the platform that a sandbox partner's days depend on: the simulators."""

    def follows(self, ctx: Context) -> bool:
        """Whether the partner has anything there."""

    def arrive(self, ctx: Context, day: date) -> bool:
        """Bring it to a date and have what it reports done; false if that takes too long."""

    def rest(self, ctx: Context, last: bool) -> bool:
        """Wait until what was asked for is done; ``last`` if the clock stays here, so that all
        that there is to report has to be done, too.  False if that takes too long.
        """


def step(ctx: Context, wall: datetime, outside: Outside | None = None) -> Clock:
    """Begin the partner's next day, or go on with the one under way.

    ``outside`` is ``None`` where there are no simulators.
    """
    follows = outside is not None and outside.follows(ctx)
    clock, moved = _clock(ctx), False
    while outside is not None and (clock.opening or clock.draining):
        if not _held(ctx):
            return clock  # another worker is at it
        after = _phase(ctx, clock, wall, outside, follows)
        if after is None:
            break
        clock, moved = after, True
    if moved and not (clock.opening or clock.draining):
        return clock
    return _move(ctx, lambda clock: domain.next_step(ctx.partner, clock, wall, follows))


def _held(ctx: Context) -> bool:
    """Whether this worker is the one that sees to the simulators now."""
    won = False

    def hold(clock: Clock) -> Decision[Clock]:
        nonlocal won
        decided = domain.hold(clock, ctx.wall())
        won = decided.state != clock
        return decided

    _move(ctx, hold)
    return won


def _phase(
    ctx: Context, clock: Clock, wall: datetime, outside: Outside, follows: bool
) -> Clock | None:
    """The simulators' part of a day: before its jobs they come to its date, after them they rest.

    ``None`` if that takes longer than one message may.
    """
    day, done = clock.day, False
    assert day is not None
    try:
        if clock.opening:
            done = outside.arrive(ctx, day)
        else:
            done = outside.rest(ctx, last=clock.target == day)
    finally:
        if not done:
            _move(ctx, domain.let_go)
    if not done:
        return None
    if clock.opening:
        return _move(ctx, lambda now: domain.opened(now, day))
    return _move(ctx, lambda now: domain.drained(ctx.partner, now, day, wall, follows))


def shard_done(
    ctx: Context, day: date, shard: int, wall: datetime, outside: Outside | None = None
) -> Clock:
    """Tell the clock that a shard has finished a day; the last one begins the next."""
    follows = outside is not None and outside.follows(ctx)
    return _move(
        ctx, lambda clock: domain.shard_done(ctx.partner, clock, day, shard, wall, follows)
    )


def _clock(ctx: Context) -> Clock:
    stored = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
    assert stored is not None
    clock: Clock = stored.value
    return clock


def _move(ctx: Context, decide: Decide) -> Clock:
    """Load the clock, decide, commit it with its messages; again after a lost race."""

    def once() -> Clock:
        stored = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
        assert stored is not None
        decided = decide(stored.value)
        unit = ctx.unit()
        if decided.state != stored.value:
            unit.update(CLOCK_STATE, ctx.partner.id, stored, decided.state)
        if decided.state.closed not in (None, stored.value.closed):
            unit.measures.append(metrics.measure(metrics.DAYS_CLOSED))
        # the clock's own message last: who gets it waits for what is on its way by then
        for message in (*_closed(ctx, stored.value, decided.state), *decided.messages):
            unit.send(message)
        return ctx.commit(unit, decided.state)

    return ctx.store.attempt(once)


def _closed(ctx: Context, before: Clock, after: Clock) -> list[Message]:
    """What the closing of a business date asks for besides."""
    if after.closed is None or after.closed == before.closed:
        return []
    return daily_files.on_closed(ctx, after.closed, rests=after.target in (None, after.closed))


def do_shard(ctx: Context, day: date, shard: int, after: str | None, checks: int = 0) -> Progress:
    """Bring every loan of the shard that wakes by ``day`` up to the business date.

    A loan that cannot be brought up is reported and passed over: it is as it was, every reader
    still brings it up by itself, and the next day tries again.  Of those whose turn it is,
    ``checks`` at most are compared with their journals.
    """
    done = 0
    failed: list[str] = []
    until = max(day, ctx.business_date)
    while done + len(failed) < LOANS_A_MESSAGE:
        page = ctx.store.page(
            ACCOUNT,
            ctx.partner.id,
            "due",
            group={"shard": shard},
            until=until,
            newest_first=False,
            limit=CHUNK,
            cursor=after,
        )
        for stored in page.items:
            if not bring_up(ctx, stored.value.id):
                failed.append(stored.value.id)
                continue
            done += 1
            if checks and chosen(stored.value.id, day):
                checks -= measuring.check_ledger(ctx, stored.value.id)
        after = page.next_cursor
        if after is None:
            return Progress(done, tuple(failed))
    return Progress(done, tuple(failed), after)


def bring_up(ctx: Context, loan_id: str) -> bool:
    """Bring one loan up to the business date; whether that went well."""
    try:
        ctx.store.attempt(lambda: _bring_up(ctx, loan_id), RACES)
    except Unavailable:
        raise  # not the loan's fault: the whole message comes again
    except Exception as error:
        ctx.report("a loan could not be brought up", error, loan=loan_id)
        return False
    return True


def _bring_up(ctx: Context, loan_id: str) -> None:
    loan = loans.find(ctx, loan_id)
    if loan is not None:
        loans.carry_out(ctx, loan, brought_up)


def every_partner(store: Store) -> Iterator[Partner]:
    """All partners, a hundred read at a time."""
    return (stored.value for stored in store.each(PARTNER, ANYONE))
