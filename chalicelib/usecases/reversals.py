"""Loans that investors sold back: each reversal is recorded once, and makes the loan ours again.

Blackmoon tells all of them each time.  One is known by its loan, type, date and price.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from chalicelib.domain import offers as machine
from chalicelib.domain.blackmoon import REVERSE, Cession, Difference
from chalicelib.domain.ownership import holder
from chalicelib.models.keys import CESSION, OFFER, OWNERSHIP
from chalicelib.usecases import offers, ownership

if TYPE_CHECKING:
    from chalicelib.integrations.blackmoon.results import ReverseRow
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

ZERO = Decimal(0)
AT_ONCE = 100


def id_of(row: ReverseRow) -> str:
    """The cession that a reversal becomes; however its price is written, it is the same."""
    price = format(row.price.normalize(), "f")
    key = f"cession/reverse/{row.loan_id}/{row.type}/{row.day}/{price}"
    return str(uuid5(NAMESPACE_URL, key))


def record(ctx: Context, rows: Sequence[ReverseRow]) -> tuple[Difference, ...]:
    """Record what is new; what cannot be (unknown loans, loans that are not sold) is returned."""
    unexplained: list[Difference] = []
    for row in _new(ctx, rows):
        if not ctx.store.attempt(lambda row=row: _recorded(ctx, row)):  # type: ignore[misc]
            unexplained.append(
                Difference(row.loan_id, REVERSE, row.day, row.price, reverse_type=row.type or None)
            )
    return tuple(unexplained)


def _new(ctx: Context, rows: Sequence[ReverseRow]) -> Iterator[ReverseRow]:
    """Those that are not recorded under their own name, oldest first."""
    left = iter(sorted(rows, key=lambda row: str(row.day)))
    while some := list(islice(left, AT_ONCE)):
        wanted = {id_of(row): row for row in some}
        known = ctx.store.get_many(CESSION, ctx.partner.id, wanted)
        yield from (row for one, row in wanted.items() if one not in known)


def _recorded(ctx: Context, row: ReverseRow) -> bool:
    """Whether a reversal is recorded now, or was before."""
    if row.day is None:
        return False
    if ctx.store.get(CESSION, ctx.partner.id, id_of(row)) is not None:
        return True
    offer = offers.id_of(row.loan_id)
    if row.type.casefold() == offers.CANCELLED.casefold():
        there = ctx.store.get(CESSION, ctx.partner.id, offers.cancellation_of(offer))
        if there is not None:
            return _confirmed(ctx, there, row)
    stored = ctx.store.get(OWNERSHIP, ctx.partner.id, row.loan_id)
    held = holder(stored.value.holdings) if stored else None
    if held is None:
        return False
    cession = Cession(
        id_of(row),
        row.loan_id,
        REVERSE,
        row.day,
        row.price,
        offer=offer,
        investor_legal_entity_id=held.investor or None,
        reverse_type=row.type or None,
    )
    unit = ctx.unit()
    ownership.record(ctx, unit, row.loan_id, [cession])
    sold = ctx.store.get(OFFER, ctx.partner.id, offer)
    if sold is not None:
        after = machine.sold_back(sold.value)
        unit.update(OFFER, ctx.partner.id, sold, after, touch=False)
    ctx.commit(unit, None)
    return True


def _confirmed(ctx: Context, there: Stored[Cession], row: ReverseRow) -> bool:
    """Whether it is the reversal that we know of a cancelled offer; date and price are theirs."""
    known, day = there.value, row.day
    assert day is not None
    if not known.expected:
        return (known.day, known.price) == (day, row.price)
    unit = ctx.unit()
    told = replace(known, day=day, price=row.price, expected=False)
    unit.update(CESSION, ctx.partner.id, there, told)
    stored = ctx.store.get(OWNERSHIP, ctx.partner.id, known.loan)
    if stored is not None and day != known.day and holder(stored.value.holdings) is None:
        *earlier, last = stored.value.holdings
        last = replace(last, until=max(day, last.since))
        ownership.put(ctx, unit, known.loan, stored, (*earlier, last))
    ctx.commit(unit, None)
    return True
