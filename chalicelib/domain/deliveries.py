"""What is sent to whom, when, and in which order (partner API, "Outgoing webhooks").

A :class:`Webhook` is one event for one endpoint: a row of the partner's log and the place in which
its schedule is kept.  A :class:`Lane` is the way to one endpoint: one worker at a time goes along
it, so that events of one loan cannot overtake each other and a slow receiver holds up nobody else.

All instants here are wall-clock ones, in the sandbox too; only ``timestamp`` is the partner's.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.errors import Refused

WEBHOOKS_QUEUE, SLOW_QUEUE = "webhooks", "webhooks-slow"
PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
AWAITED = "yes"
GONE = 410

RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after an attempt the next one follows; the tenth attempt is the last."""

JITTER = 10
"""A pause may be longer by one part of so many, so that many retries do not meet."""

TRIES_IN_ORDER = 3
"""So many attempts at an event hold up the later ones of its loan, while the receiver answers."""

SANDBOX_TRIES_IN_ORDER = 2
"""In the sandbox fewer: its clock waits for each event's first attempt."""

TRIES_AT_ONCE = 3
"""For what happened while a sandbox's clock was moving, the first attempts follow at once."""

LOG_KEPT = 20
"""Attempts that a row shows; the oldest make room."""

MOST_HELD = 500
"""Loans whose order a lane remembers; with more failing at once, their order is given up."""

LANE_SHARDS = 16

ENDPOINT_IS_OFF = "The endpoint is disabled."
ENDPOINT_IS_GONE = "The endpoint was deleted."


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: a response's status, or what went wrong, and when the next attempt is."""

    attempted_at: datetime
    response_status: int | None = None
    error: str | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event for one endpoint; ``timestamp`` in Unix seconds, ``data`` as it is sent.

    ``recorded_at`` and ``order`` (its place among the events of one commit) say what comes first of
    a loan's events.  ``due`` is when the next attempt may be made, ``tries`` how many were made
    since it was sent for the first time or asked for again.  ``hurried`` makes the first retries
    follow at once, ``watched`` lets the sandbox's clock wait for the first attempt.
    """

    id: str
    event: str
    webhook_endpoint: str
    timestamp: int
    data: dict[str, Any] = field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    status: str = PENDING
    loan: str | None = None
    recorded_at: datetime | None = None
    order: int = 0
    due: datetime | None = None
    tries: int = 0
    hurried: bool = False
    watched: bool = False

    @property
    def awaited(self) -> str | None:
        """A name for what the sandbox's clock waits for; ``None`` for all else."""
        waiting = self.status == PENDING and (self.tries == 0 or self.hurried)
        return AWAITED if self.watched and waiting else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt: the status of an answer, or ``error`` in words fit for the log.

    ``late`` says that the receiver had its whole time and did not answer.
    """

    at: datetime
    status: int | None = None
    error: str | None = None
    late: bool = False

    @property
    def taken(self) -> bool:
        """Whether the receiver has it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


def attempted(webhook: Webhook, attempt: Attempt, chance: float) -> Webhook:
    """The row after an attempt; ``chance``, from 0 to 1, says how much of the jitter there is."""
    tries = webhook.tries + 1
    hurried = webhook.hurried and tries < TRIES_AT_ONCE and not attempt.late
    due: datetime | None = None
    status = DELIVERED if attempt.taken else FAILED
    if not attempt.taken and attempt.status != GONE and tries <= len(RETRIES):
        status = PENDING
        pause = RETRIES[tries - 1] + RETRIES[tries - 1] / JITTER * chance
        due = attempt.at if hurried else attempt.at + pause
    made = Delivery(attempt.at, attempt.status, attempt.error, due)
    return replace(
        webhook,
        deliveries=(*webhook.deliveries, made)[-LOG_KEPT:],
        status=status,
        due=due,
        tries=tries,
        hurried=hurried and status == PENDING,
    )


def given_up(webhook: Webhook, why: str, wall: datetime) -> Webhook:
    """The row of an endpoint that nothing is sent to any more."""
    made = Delivery(wall, None, why)
    logged = (*webhook.deliveries, made)[-LOG_KEPT:]
    return replace(webhook, deliveries=logged, status=FAILED, due=None, hurried=False)


def again(webhook: Webhook, enabled: bool, wall: datetime) -> Webhook:
    """The row that is to be sent once more, now, with a schedule of its own.

    Raises ``invalid_status`` where its endpoint takes nothing.
    """
    if not enabled:
        raise Refused(
            "invalid_status",
            "The webhook's endpoint is disabled or deleted: nothing is sent to it.",
            {"webhook_endpoint": webhook.webhook_endpoint},
        )
    return replace(webhook, status=PENDING, due=wall, tries=0)


def ends_endpoint(webhook: Webhook, lane: Lane) -> bool:
    """Whether a row's failure disables its endpoint.

    So does 410 at once, and a whole schedule in which nothing else was taken either.
    """
    if webhook.status != FAILED or not webhook.deliveries:
        return False
    if webhook.deliveries[-1].response_status == GONE:
        return True
    begun = webhook.deliveries[-webhook.tries].attempted_at  # asked for again, it begins anew
    return lane.taken_at is None or lane.taken_at < begun


def lanes_of(rows: Iterable[Webhook]) -> dict[str, list[str]]:
    """The ids of rows by their endpoint."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.webhook_endpoint, []).append(row.id)
    return found


# --- the way to one endpoint ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lane:
    """The way to one endpoint; ``id`` is the endpoint's.

    ``holder`` goes along it until ``until`` at the latest (it may have been killed); ``called``
    says that something was recorded meanwhile, so that it looks once more before it goes.
    ``next_due`` is when there is something to send again, as far as was known.  ``slow`` lanes have
    a queue of their own.  ``taken_at`` is when the endpoint last took anything.  ``held`` maps a
    loan to the event that its later ones wait for.
    """

    id: str
    partner: str
    holder: str | None = None
    until: datetime | None = None
    called: bool = False
    next_due: datetime | None = None
    slow: bool = False
    taken_at: datetime | None = None
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def shard(self) -> int:
        """Where among :data:`LANE_SHARDS` the sweeper finds it."""
        return zlib.crc32(self.id.encode()) % LANE_SHARDS

    @property
    def wakes(self) -> datetime | None:
        """When the sweeper has to look: a holder's time is over, or something is due."""
        return self.until if self.holder is not None else self.next_due

    def is_held(self, wall: datetime) -> bool:
        """Whether somebody goes along it at ``wall``."""
        return self.holder is not None and self.until is not None and wall < self.until


def taken(lane: Lane, holder: str, wall: datetime, lease: timedelta) -> Lane:
    """The lane with a holder."""
    return replace(lane, holder=holder, until=wall + lease, called=False)


def released(lane: Lane, next_due: datetime | None) -> Lane:
    """The lane without one."""
    return replace(lane, holder=None, until=None, called=False, next_due=next_due)


@dataclass(frozen=True, slots=True)
class Wave:
    """What is sent at the same time, and what has to wait until another instant."""

    send: tuple[Webhook, ...]
    wait: tuple[Webhook, ...] = ()


def wave(due: Sequence[Webhook], lane: Lane, most: int) -> Wave:
    """At most ``most`` of the rows that are due: of each loan the earliest, if it is its turn.

    A row whose loan is held by an earlier event waits; what happened while a sandbox's clock was
    moving does not wait for what happened before.
    """
    send: list[Webhook] = []
    wait: list[Webhook] = []
    loans: set[str] = set()
    for row in sorted(due, key=_place):
        if row.loan is not None:
            if row.loan in loans:
                continue
            loans.add(row.loan)
            before = lane.held.get(row.loan, row.id)
            if before != row.id and not row.hurried:
                wait.append(row)
                continue
        if len(send) < most:
            send.append(row)
    return Wave(tuple(send), tuple(wait))


def in_order(row: Webhook) -> int:
    """How many attempts at a row the later events of its loan wait for."""
    return SANDBOX_TRIES_IN_ORDER if row.watched else TRIES_IN_ORDER


def _place(row: Webhook) -> tuple[bool, datetime | None, int, str]:
    return (row.recorded_at is not None, row.recorded_at, row.order, row.id)


def after_wave(lane: Lane, rows: Iterable[Webhook]) -> Lane:
    """The lane after attempts at ``rows``: what was taken when, and which loans wait for what."""
    held, taken_at = dict(lane.held), lane.taken_at
    for row in rows:
        last = row.deliveries[-1] if row.deliveries else None
        if row.status == DELIVERED and last is not None:
            taken_at = max(taken_at or last.attempted_at, last.attempted_at)
        if row.loan is None:
            continue
        answered = last is not None and last.response_status is not None
        if row.status == PENDING and answered and row.tries < in_order(row):
            if row.loan in held or len(held) < MOST_HELD:
                held.setdefault(row.loan, row.id)
        elif held.get(row.loan) == row.id:
            del held[row.loan]
    return replace(lane, held=held, taken_at=taken_at)
