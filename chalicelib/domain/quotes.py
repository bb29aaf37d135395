"""Quotes: what a term loan of a product would cost, row by row.

The rows are those that a loan on the same terms gets at its disbursement; every shown figure, the
totals included, is rounded half up on its own (partner API, Quote and Schedules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from chalicelib.domain.account import TERM_LOAN
from chalicelib.domain.apr import loan_apr
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.money import ZERO, exact, pence, without_hair
from chalicelib.domain.products import Product, missing_repayment_date
from chalicelib.domain.schedule import Basis, Row, due_dates, plan

#: Disbursement dates that the calendars can be asked about, 50 years of rows included.
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """One repayment in pence; ``days`` are the nights that are charged."""

    number: int
    due_date: date
    days: int
    principal: Decimal
    interest: Decimal
    total_amount: Decimal
    principal_after_repayment: Decimal


@dataclass(frozen=True, slots=True)
class QuoteTotals:
    """The sums of the exact rows, in pence."""

    principal: Decimal
    interest: Decimal
    total_amount: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """A schedule with its totals; ``rate`` and ``apr`` in percent a year.

    ``apr`` is ``None`` where the fees dwarf the loan so much that no number of 28 digits holds it.
    """

    product: str
    amount: Decimal
    rate: Decimal
    installments: int
    start_date: date
    schedule: tuple[QuoteRow, ...]
    totals: QuoteTotals
    apr: Decimal | None

    @property
    def first_repayment_date(self) -> date:
        """When row 1 is due, whether it pays or not."""
        return self.schedule[0].due_date


@exact
def quote(product: Product, asked: Mapping[str, Any], start: date, calendar: str) -> Quote:
    """What a loan disbursed on ``start`` would repay, for drafts too.

    ``asked`` as for :meth:`Product.figures`; ``calendar`` is an ISO 3166-2 code.  Raises
    :class:`Refused` where there is no schedule, :class:`Invalid` for figures that the product does
    not allow and for a draft without a repayment date.
    """
    if product.kind != TERM_LOAN:
        raise Refused("invalid_status", f"A {product.type} product has no schedule to quote.")
    flaws = list(missing_repayment_date(product))
    if not EARLIEST <= start <= LATEST:
        message = f"Must be from {EARLIEST} to {LATEST}."
        flaws.append(Flaw("start_date", "out_of_range", message))
    if flaws:
        raise Invalid(*flaws)
    figures = product.figures(asked)
    terms = product.priced(figures, calendar)
    terms = replace(terms, due_dates=due_dates(terms.plan, start))
    rows = plan(terms.plan, terms.due_dates, (Basis(1, start, figures.amount),))
    return Quote(
        product=product.id,
        amount=figures.amount,
        rate=figures.rate,
        installments=figures.installments,
        start_date=start,
        schedule=tuple(_shown(row) for row in rows),
        totals=_totals(rows),
        apr=loan_apr(terms, figures.amount, start),
    )


def _penny(planned: Decimal) -> Decimal:
    return pence(without_hair(planned))


def _shown(row: Row) -> QuoteRow:
    return QuoteRow(
        number=row.number,
        due_date=row.due,
        days=row.nights,
        principal=_penny(row.principal),
        interest=_penny(row.interest),
        total_amount=_penny(row.total),
        principal_after_repayment=_penny(row.closing),
    )


def _totals(rows: Sequence[Row]) -> QuoteTotals:
    principal = sum((row.principal for row in rows), ZERO)
    interest = sum((row.interest for row in rows), ZERO)
    return QuoteTotals(_penny(principal), _penny(interest), _penny(principal + interest))
