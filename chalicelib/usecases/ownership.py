"""Cessions as they are recorded, and what follows from them: whose each loan is.

A loan that was ever ceded has one small item with its holdings; the present owner also stands in
the loan's terms, which every view and list of loans reads anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from chalicelib.domain.ownership import Holding, Ownership, followed, holder, holder_on
from chalicelib.models.keys import CESSION, OWNERSHIP, TERMS

if TYPE_CHECKING:
    from chalicelib.domain.blackmoon import Cession
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context


def ever_ceded(ctx: Context) -> Iterator[str]:
    """The id of every loan of the partner that was ever ceded, sold back or not, each once.

    Oldest first, a hundred read at a time.
    """
    return (one.loan for one in every(ctx))


def every(ctx: Context) -> Iterator[Ownership]:
    """Every loan that was ever ceded, with its holdings."""
    found = ctx.store.each(OWNERSHIP, ctx.partner.id, newest_first=False)
    return (stored.value for stored in found)


def holdings_of(ctx: Context, loan_id: str) -> tuple[Holding, ...]:
    """Who has held a loan, oldest first; nothing for one that was never ceded."""
    stored = ctx.store.get(OWNERSHIP, ctx.partner.id, loan_id)
    return stored.value.holdings if stored else ()


def investor_on(ctx: Context, loan_id: str, day: date) -> str | None:
    """Who owned a loan on a day, as its resource shows it; ``None``: its originator."""
    held = holder_on(holdings_of(ctx, loan_id), day)
    return (held.investor or None) if held else None


def record(ctx: Context, unit: Unit, loan_id: str, cessions: Sequence[Cession]) -> None:
    """Write new cessions of one loan into ``unit``, oldest first, and whose the loan is then."""
    for cession in cessions:
        unit.create(CESSION, ctx.partner.id, cession)
    stored = ctx.store.get(OWNERSHIP, ctx.partner.id, loan_id)
    after: tuple[Holding, ...] = stored.value.holdings if stored else ()
    for cession in cessions:
        after = followed(after, cession)
    put(ctx, unit, loan_id, stored, after)


def put(
    ctx: Context,
    unit: Unit,
    loan_id: str,
    stored: Stored[Ownership] | None,
    after: tuple[Holding, ...],
) -> None:
    """Write a loan's holdings, and its owner where the loan shows it; nothing if it is known."""
    if stored is None:
        if after:
            unit.create(OWNERSHIP, ctx.partner.id, Ownership(loan_id, after))
    elif stored.value.holdings != after:
        unit.update(OWNERSHIP, ctx.partner.id, stored, Ownership(loan_id, after))
    held = holder(after)
    owner = (held.investor or None) if held else None
    terms = ctx.store.get(TERMS, ctx.partner.id, loan_id)
    if terms is not None and terms.value.investor != owner:
        unit.update(TERMS, ctx.partner.id, terms, replace(terms.value, investor=owner))
