"""What an operator does for a partner: the use cases of everybody, with a row of who did it.

``Operator`` is a context whose commits write that row into the very transaction of the deed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from chalicelib.domain import erasure
from chalicelib.domain.audit import Entry
from chalicelib.domain.decision import Message
from chalicelib.domain.erasure import Ties
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.domain.partners import DAYS_QUEUE
from chalicelib.models.keys import (
    ACCOUNT,
    ADDRESS,
    APPLICATION,
    AUDIT,
    END_USER,
    MANDATE,
    TERMS,
)
from chalicelib.usecases import end_users
from chalicelib.usecases.context import Context

if TYPE_CHECKING:
    from chalicelib.domain.account import Account
    from chalicelib.models.kinds import Kind
    from chalicelib.models.unit import Stored, Unit

A = TypeVar("A")
T = TypeVar("T")
AT_ONCE = 90
"""Writes of one transaction, which takes 100; the rest is for the row and what goes with it."""


@dataclass(frozen=True, slots=True)
class Operator(Context):
    """The partner's context as an operator has it: every commit leaves a row of the audit."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    def commit(self, unit: Unit, answer: A) -> A:
        """As :meth:`Context.commit`, with the row."""
        row = Entry(self.new_id(), self.action, self.subject, self.actor, self.wall(), self.details)
        unit.create(AUDIT, self.partner.id, row)
        return Context.commit(self, unit, answer)


def operator(
    ctx: Context, actor: str, action: str, subject: str, details: Mapping[str, str] | None = None
) -> Operator:
    """The context ``ctx`` for one deed of ``actor``."""
    given = {one.name: getattr(ctx, one.name) for one in fields(Context)}
    return Operator(
        **given, actor=actor, action=action, subject=subject, details=dict(details or {})
    )


# --- days -----------------------------------------------------------------------------------------


def replay_day(ctx: Operator, day: date) -> int:
    """Send every shard of a business date to work again; how many there are.

    A loan that stands at the date has nothing to do, so that it changes nothing that was done.
    """
    if day > ctx.business_date:
        message = f"The partner's business date is {ctx.business_date}."
        raise Invalid(Flaw("date", "in_future", message))
    unit = ctx.unit()
    shards = ctx.partner.shards
    for shard in range(shards):
        body = {"partner": ctx.partner.id, "date": day.isoformat(), "shard": shard}
        if len(unit.messages) == AT_ONCE:
            ctx.store.commit(unit)
            ctx.dispatch(unit.outbox)
            unit = ctx.unit()
        unit.send(Message(DAYS_QUEUE, body))
    return ctx.commit(unit, shards)


# --- erasing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Erased:
    """How many items were redacted; none if it had been done before."""

    items: int


def erase(ctx: Operator, end_user_id: str, retention_years: int) -> Erased:
    """Take an end user's personal data away.

    Every write is conditional.  What one transaction does not take goes first, the end user itself
    last, with the row: whoever was interrupted says it again.  Raises :class:`NotFound`, and
    ``invalid_status`` while it is needed or must be kept (``domain/erasure.py``).
    """
    return ctx.store.attempt(lambda: _erase(ctx, end_user_id, retention_years))


def _erase(ctx: Operator, end_user_id: str, retention_years: int) -> Erased:
    person = end_users.read(ctx, end_user_id)
    applications = _owned(ctx, APPLICATION, end_user_id)
    ties = Ties(
        _accounts(ctx, end_user_id),
        tuple(one.value for one in applications),
        tuple(one.value for one in _owned(ctx, MANDATE, end_user_id)),
    )
    erasure.check(person.value, ties, ctx.business_date, retention_years)
    addresses = _owned(ctx, ADDRESS, end_user_id)
    changes = [
        *_changes(ADDRESS, addresses, erasure.address),
        *_changes(APPLICATION, applications, erasure.application),
        *_changes(END_USER, [person], erasure.end_user),
    ]
    if not changes:
        return Erased(0)
    while len(changes) > AT_ONCE:
        ctx.store.commit(_unit(ctx, changes[:AT_ONCE]))
        del changes[:AT_ONCE]
    unit = _unit(ctx, changes)
    if (END_USER.key(ctx.partner.id, end_user_id)) not in unit.operations:
        unit.guard(END_USER, ctx.partner.id, person)
    return ctx.commit(unit, Erased(len(changes)))


def _changes(
    kind: Kind[T], found: list[Stored[T]], redact: Callable[[T], T]
) -> list[tuple[Kind[T], Stored[T], T]]:
    pairs = [(stored, redact(stored.value)) for stored in found]
    return [(kind, stored, after) for stored, after in pairs if after != stored.value]


def _unit(ctx: Operator, changes: list[tuple[Kind[T], Stored[T], T]]) -> Unit:
    unit = ctx.unit()
    for kind, stored, after in changes:
        unit.update(kind, ctx.partner.id, stored, after)
    return unit


def _owned(ctx: Operator, kind: Kind[T], end_user_id: str) -> list[Stored[T]]:
    group = {"end_user": end_user_id}
    return list(ctx.store.each(kind, ctx.partner.id, "owner", group=group, consistent=True))


def _accounts(ctx: Operator, end_user_id: str) -> tuple[Account, ...]:
    ids = [stored.value.id for stored in _owned(ctx, TERMS, end_user_id)]
    found = ctx.store.get_many(ACCOUNT, ctx.partner.id, ids)
    return tuple(stored.value for stored in found.values())
