"""What was known on a day of the sales of loans to investors.

It follows from the cessions and from when each was recorded, so that a day that is asked for again
answers the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from chalicelib.domain import servicing
from chalicelib.domain.servicing import Recorded, Sale
from chalicelib.models.keys import CESSION, OWNERSHIP

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context


def known(ctx: Context, loans: Sequence[str], day: date) -> dict[str, Sale]:
    """What was known at the end of ``day`` of the sales of those of ``loans`` that were sold."""
    owned = ctx.store.get_many(OWNERSHIP, ctx.partner.id, loans)
    found = {loan: servicing.known(recorded(ctx, loan), day) for loan in owned}
    return {loan: sale for loan, sale in found.items() if sale is not None}


def recorded(ctx: Context, loan: str) -> list[Recorded]:
    """All cessions of a loan, with when they were recorded."""
    date_of = ctx.partner.date_of
    stored = ctx.store.each(
        CESSION, ctx.partner.id, "owner", group={"loan": loan}, newest_first=False, consistent=True
    )
    return [
        Recorded(one.value, one.created_at, date_of(one.created_at), date_of(one.updated_at))
        for one in stored
    ]
