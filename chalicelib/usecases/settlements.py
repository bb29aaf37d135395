"""What an investor is due for a month.

It reads the loans that were ever sold to the investor, which their purchases name
(``models/keys.py``, ``CESSION``), and nothing of the rest of the book.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from chalicelib.domain import servicing as domain
from chalicelib.domain.blackmoon import buyer
from chalicelib.domain.servicing import Entry, Recorded, Settlement
from chalicelib.models.keys import CESSION
from chalicelib.usecases import reports, sales

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.journals import Loan

AT_ONCE = 25  # loans whose journals are in memory together
AT_REST = ("closed", "cancelled")
Both = tuple[list[Entry], list[Entry]]


def settlement(ctx: Context, investor: str, month: date) -> Settlement:
    """What has become known, in the month that begins on ``month``, of what is the investor's.

    There is nothing for an investor that has never bought a loan.  Raises :class:`Invalid` for a
    month that has not begun.
    """
    last = domain.period(month, ctx.business_date)
    report = Settlement(investor, month)
    bought = _bought(ctx, investor)
    while ids := list(islice(bought, AT_ONCE)):
        months = _months(ctx, ids, month, last)
        for loan in ids:
            if loan in months:
                report.add(loan, *months[loan])
    return report


def _bought(ctx: Context, investor: str) -> Iterator[str]:
    """The loans that were ever sold to an investor, each once, oldest purchase first."""
    group = {"buyer": buyer(investor)}
    purchases = ctx.store.each(
        CESSION, ctx.partner.id, "status", group=group, newest_first=False, consistent=True
    )
    return iter(dict.fromkeys(one.value.loan for one in purchases))


def _months(ctx: Context, ids: Sequence[str], first: date, last: date) -> dict[str, Both]:
    sold = {loan: sales.recorded(ctx, loan) for loan in ids}

    def read(loan: Loan) -> Both:
        return _month(ctx, loan, sold[loan.id], first, last)

    return {terms.id: both for terms, both in reports.as_one(ctx, ids, read)}


def _month(ctx: Context, loan: Loan, sold: Sequence[Recorded], first: date, last: date) -> Both:
    """What had been collected of a loan for investors before ``first``, and at the end of ``last``.

    Nothing needs to be read of a loan that is at rest and was not touched since then.
    """
    changed = ctx.partner.date_of(loan.account.updated_at)
    at_rest = loan.account.value.status in AT_REST
    if at_rest and max((changed, *(one.changed for one in sold))) < first:
        return [], []
    opened = ctx.partner.date_of(loan.created_at)
    before = _known(ctx, loan, sold, first - timedelta(days=1)) if opened < first else []
    return before, _known(ctx, loan, sold, last) if opened <= last else []


def _known(ctx: Context, loan: Loan, sold: Sequence[Recorded], day: date) -> list[Entry]:
    sale = domain.known(sold, day)
    if sale is None:
        return []
    stood = reports.standing(ctx, loan, reports.moment_at(ctx, day), posted=True)
    return domain.entries(stood.transactions, sale.holdings)
