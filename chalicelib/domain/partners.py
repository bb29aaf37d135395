"""Partners (tenants), their API keys, and where their calendar stands.

A partner's business date is today's date in its time zone; a sandbox partner's is what its clock
says (partner API, "Business date and calendar" and "The sandbox").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.domain.calendar import calendar_for
from chalicelib.domain.currencies import CURRENCIES
from chalicelib.domain.decision import Decision, Message
from chalicelib.domain.errors import Flaw, Invalid, Refused

DISBURSEMENT_PROVIDERS = ("manual", "gocardless_outbound")
CLOCK_QUEUE, DAYS_QUEUE = "clock", "days"
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)  # what the calendars know
A_DAY_BUT_A_TICK = timedelta(days=1) - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Partner:
    """A lender or a fintech that uses the platform: one tenant.

    ``shards`` says over how many partitions the wake dates of its loans are spread; it never
    changes while there are loans.  ``keys`` counts its valid API keys.
    """

    id: str
    name: str = ""
    currency: str = "GBP"
    calendar: str = "GB-ENG"
    timezone: str = "Europe/London"
    disbursement_provider: str = "manual"
    sandbox: bool = False
    shards: int = 1
    keys: int = 1

    def begins(self, day: date) -> datetime:
        """The instant at which ``day`` begins at the partner, in UTC."""
        return datetime.combine(day, time(), ZoneInfo(self.timezone)).astimezone(UTC)

    def date_of(self, instant: datetime) -> date:
        """The date that ``instant`` falls on at the partner."""
        return instant.astimezone(ZoneInfo(self.timezone)).date()


def check(partner: Partner) -> Partner:
    """The partner, or :class:`Invalid` with every setting that cannot be."""
    flaws: list[Flaw] = []
    try:
        ZoneInfo(partner.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        flaws.append(Flaw("timezone", "unknown", f"There is no time zone {partner.timezone!r}."))
    if partner.currency not in CURRENCIES:
        message = "Must be an ISO 4217 code of a currency with two decimals, such as GBP."
        flaws.append(Flaw("currency", "unknown", message))
    try:
        calendar_for(partner.calendar).holidays(2026)
    except Invalid as unknown:
        flaws += unknown.flaws
    if partner.disbursement_provider not in DISBURSEMENT_PROVIDERS:
        known = ", ".join(DISBURSEMENT_PROVIDERS)
        flaws.append(Flaw("disbursement_provider", "unknown", f"Must be one of {known}."))
    if flaws:
        raise Invalid(*flaws)
    return partner


def changed(partner: Partner, values: Mapping[str, Any], has_loans: bool) -> Decision[Partner]:
    """The partner with other settings.

    Raises :class:`Invalid`, and ``invalid_status`` for another currency while there are loans,
    whose amounts would change their meaning.
    """
    after = check(replace(partner, **values))
    if has_loans and after.currency != partner.currency:
        raise Refused(
            "invalid_status",
            f"There are loans in {partner.currency}; the currency cannot become {after.currency}.",
            {"currency": partner.currency},
        )
    return Decision(after)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key of a partner: only its hash is kept, and the first characters to know it by.

    ``last_used_at`` is a wall-clock instant, true to about an hour.
    """

    id: str
    partner: str
    hash: str
    prefix: str
    revoked: bool = False
    last_used_at: datetime | None = None


USE_NOTED_EVERY = timedelta(hours=1)


def used(key: ApiKey, wall: datetime) -> ApiKey | None:
    """The key with the use at ``wall`` noted; ``None`` if one was noted within the last hour."""
    if key.last_used_at is not None and wall - key.last_used_at < USE_NOTED_EVERY:
        return None
    return replace(key, last_used_at=wall)


def key_added(partner: Partner) -> Partner:
    """The partner with one more valid key."""
    return replace(partner, keys=partner.keys + 1)


def key_revoked(partner: Partner) -> Partner:
    """The partner with one valid key less, but never without any: it could not make another."""
    if partner.keys <= 1:
        raise Refused(
            "invalid_status",
            "This is the last valid API key: make another one first, then revoke this one with it.",
            {"keys": partner.keys},
        )
    return replace(partner, keys=partner.keys - 1)


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a partner's days have come.

    ``day`` is a sandbox partner's business date, set at the wall-clock instant ``set_at`` (None:
    the partner lives by the wall clock).  ``target`` is the date that the clock is on its way to.
    ``closing`` is the date whose daily jobs run, ``open_shards`` those of its shards that have not
    finished; ``closed`` the last date that is done.  ``opening`` says that the simulators have yet
    to come to ``day``, before its jobs; ``draining`` that what the day has brought about outside
    has yet to be through, after them.  One worker at a time sees to either of them, until the
    wall-clock instant ``held``.
    """

    id: str
    day: date | None = None
    set_at: datetime | None = None
    target: date | None = None
    closing: date | None = None
    open_shards: tuple[int, ...] = ()
    closed: date | None = None
    opening: bool = False
    draining: bool = False
    held: datetime | None = None

    @property
    def settled(self) -> bool:
        """Whether the clock stands where it was sent and that day's jobs are done."""
        arrived = self.target is None or self.target == self.day
        return arrived and not (self.open_shards or self.opening or self.draining)


def business_date(partner: Partner, clock: Clock | None, wall: datetime) -> date:
    """The partner's business date at the wall-clock instant ``wall``."""
    if partner.sandbox and clock is not None and clock.day is not None:
        return clock.day
    return partner.date_of(wall)


def local_now(partner: Partner, clock: Clock | None, wall: datetime) -> datetime:
    """The instant on the partner's clock.

    In the sandbox a business date begins when the clock is set to it, goes on with the wall clock
    and stops just before midnight, so that instants never run ahead of the date or backwards.
    """
    if not partner.sandbox or clock is None or clock.day is None or clock.set_at is None:
        return wall
    passed = max(timedelta(), wall - clock.set_at)
    return partner.begins(clock.day) + min(passed, A_DAY_BUT_A_TICK)


def first_clock(partner: Partner, wall: datetime) -> Clock:
    """A new partner's clock: a sandbox partner's stands at today, which is done."""
    today = partner.date_of(wall)
    if not partner.sandbox:
        return Clock(partner.id, closed=today)
    return Clock(partner.id, today, partner.begins(today), target=today, closed=today)


def send_clock(
    clock: Clock, to: date, wall: datetime, has_loans: bool, follows: bool = False
) -> Decision[Clock]:
    """Send a sandbox clock to a date: forward day by day, or anywhere while there are no loans.

    ``follows`` says that there are simulators whose date follows, and what they report with it.
    """
    at = clock.target or clock.day
    assert at is not None, "only a sandbox clock is sent"
    if not EARLIEST <= to <= LATEST:
        message = f"Must be between {EARLIEST} and {LATEST}."
        raise Invalid(Flaw("business_date", "out_of_range", message))
    if to < at and (has_loans or not clock.settled):
        raise Refused(
            "clock_backwards",
            f"The clock stands at {at} and cannot go back to {to}: only a partner without loans "
            "may be set to any date.",
            {"business_date": at.isoformat(), "asked": to.isoformat()},
        )
    steps = (_step(clock),)
    if to == at and clock.settled and follows:
        return Decision(replace(clock, draining=True), messages=steps)
    if not has_loans and clock.settled:
        there = replace(
            clock, day=to, set_at=wall, target=to, closed=to, closing=None, opening=follows
        )
        return Decision(there, messages=steps if follows else ())
    if to == at and clock.settled:
        return Decision(clock)
    return Decision(replace(clock, target=to), messages=steps)


def _step(clock: Clock) -> Message:
    return Message(CLOCK_QUEUE, {"partner": clock.id})


def next_step(
    partner: Partner, clock: Clock, wall: datetime, follows: bool = False
) -> Decision[Clock]:
    """What the days' jobs have to do next: finish a day under way, or begin the next one.

    A sandbox clock goes on by one day towards its target; everybody else is brought to today.  A
    decision without messages says that there is nothing to do.
    """
    if clock.opening or clock.draining:
        return Decision(clock, messages=(_step(clock),))
    if clock.open_shards:
        assert clock.closing is not None
        return Decision(clock, messages=_shards(clock, clock.closing))
    if clock.day is None:
        today = partner.date_of(wall)
        if clock.closed is not None and clock.closed >= today:
            return Decision(clock)
        begun = replace(clock, closing=today, open_shards=tuple(range(partner.shards)))
    else:
        if clock.target is None or clock.day >= clock.target:
            return Decision(clock)
        day = clock.day + timedelta(days=1)
        shards = tuple(range(partner.shards))
        begun = replace(clock, day=day, set_at=wall, closing=day, open_shards=shards)
        if follows:
            return Decision(replace(begun, opening=True), messages=(_step(clock),))
    assert begun.closing is not None
    return Decision(begun, messages=_shards(begun, begun.closing))


def _shards(clock: Clock, day: date) -> tuple[Message, ...]:
    return tuple(
        Message(DAYS_QUEUE, {"partner": clock.id, "date": day.isoformat(), "shard": shard})
        for shard in clock.open_shards
    )


A_HOLD = timedelta(seconds=30)
"""Longer than a worker stays with the simulators (``PATIENCE_SECONDS`` in ``usecases``)."""


def is_held(clock: Clock, wall: datetime) -> bool:
    """Whether a worker is with the simulators, for all that is known."""
    return clock.held is not None and wall < clock.held


def hold(clock: Clock, wall: datetime) -> Decision[Clock]:
    """A worker goes to the simulators; others that are asked to leave it alone meanwhile.

    Two at once would each take for quiet what the other is just about to ask.
    """
    if not (clock.opening or clock.draining) or is_held(clock, wall):
        return Decision(clock)
    return Decision(replace(clock, held=wall + A_HOLD))


def let_go(clock: Clock) -> Decision[Clock]:
    """It comes back without having seen it through."""
    return Decision(replace(clock, held=None))


def opened(clock: Clock, day: date) -> Decision[Clock]:
    """The simulators have come to ``day``, and what they reported is done: its jobs may run."""
    if not clock.opening or clock.day != day:
        return Decision(clock)
    messages = () if clock.closing is None else _shards(clock, clock.closing)
    return Decision(replace(clock, opening=False, held=None), messages=messages)


def drained(
    partner: Partner, clock: Clock, day: date, wall: datetime, follows: bool
) -> Decision[Clock]:
    """What ``day`` has brought about is through: the next one may begin, if one is due.

    Whoever says so goes on with the next day's opening, without another message.
    """
    if not clock.draining or clock.day != day:
        return Decision(clock)
    decided = next_step(partner, replace(clock, draining=False, held=None), wall, follows)
    return Decision(decided.state) if decided.state.opening else decided


def shard_done(
    partner: Partner, clock: Clock, day: date, shard: int, wall: datetime, follows: bool = False
) -> Decision[Clock]:
    """A shard has finished a date; the last one closes it and begins the next, if one is due.

    With simulators what the day has brought about has to be through first.
    """
    if clock.closing != day or shard not in clock.open_shards:
        return Decision(clock)
    left = tuple(other for other in clock.open_shards if other != shard)
    if left:
        return Decision(replace(clock, open_shards=left))
    done = replace(clock, open_shards=(), closing=None, closed=day)
    if follows and clock.day is not None:
        return Decision(replace(done, draining=True), messages=(_step(clock),))
    return next_step(partner, done, wall)
