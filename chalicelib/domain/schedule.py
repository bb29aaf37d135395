"""The schedule of a term loan: which row pays what, exactly, before anything has happened.

Figures are unrounded (40 significant digits) and every shown figure is rounded on its own; this is
how the documented equal-instalments table comes to a last row of 2,060.12 + 21.67 = 2,081.80
(partner API, "Schedules").  Row interest is the exact interest on the row's opening principal over
its actual nights, 365 days a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from chalicelib.domain.calendar import (
    Calendar,
    DateRule,
    DueDate,
    calendar_for,
    charged_nights,
    repayment_dates,
)
from chalicelib.domain.money import PENNY, ZERO, exact

DAYS_A_YEAR_PERCENT = Decimal(36500)
MONTHS_A_YEAR_PERCENT = Decimal(1200)


class Pricing(NamedTuple):
    """What the plan is made of besides principal and dates: a product's and a loan's terms."""

    calculation: str  # equal_principal_payments | equal_instalments
    rate: Decimal  # annual, in percent
    grace: int = 0  # rows that pay nothing
    principal_grace: int = 0  # rows after those that pay interest only


class Period(NamedTuple):
    """One row's place in time: its number, its dates and how many nights it is charged for."""

    number: int
    nominal: date
    due: date
    nights: int


class Row(NamedTuple):
    """One planned row; ``deferred`` is the interest that the plan still owes after it."""

    number: int
    nominal: date
    due: date
    nights: int
    opening: Decimal
    principal: Decimal
    interest: Decimal
    deferred: Decimal

    @property
    def total(self) -> Decimal:
        """What the row pays."""
        return self.principal + self.interest

    @property
    def closing(self) -> Decimal:
        """Principal after the repayment."""
        return self.opening - self.principal


class Basis(NamedTuple):
    """From what a stretch of the plan is computed.

    The first is the disbursement; an early repayment under ``reduced_instalments`` adds one.
    ``trimmed`` is the principal that early repayments have taken off the end since.
    """

    first: int  # the number of the first row laid from here
    start: date  # from where that row's nights count
    principal: Decimal
    trimmed: Decimal = ZERO


def night_interest(principal: Decimal, rate: Decimal) -> Decimal:
    """One night's exact interest, unrounded."""
    return principal * rate / DAYS_A_YEAR_PERCENT


def periods(
    dates: Sequence[DueDate], start: date, calendar: Calendar, charged_on_holidays: bool, first: int
) -> tuple[Period, ...]:
    """The rows from number ``first`` on, the first of them counted from ``start``."""
    found: list[Period] = []
    opens = start
    for number, (nominal, due) in enumerate(dates[first - 1 :], start=first):
        nights = charged_nights(calendar, charged_on_holidays, opens, due)
        found.append(Period(number, nominal, due, nights))
        opens = due
    return tuple(found)


@exact
def lay(pricing: Pricing, principal: Decimal, rows: Sequence[Period]) -> tuple[Row, ...]:
    """The rows of a loan of ``principal`` over ``rows``, the grace of ``pricing`` included."""
    laid = _grace_rows(pricing, principal, rows)
    paying = rows[len(laid) :]
    owed = laid[-1].deferred if laid else ZERO
    if pricing.calculation == "equal_instalments":
        laid += _equal_instalments(pricing, principal, owed, paying)
    else:
        laid += _equal_principal(pricing, principal, owed, paying)
    return tuple(laid)


def _grace_rows(pricing: Pricing, principal: Decimal, rows: Sequence[Period]) -> list[Row]:
    """Full grace pays nothing and owes its interest; principal grace pays its interest only.

    With equal principal what the full grace owes is paid by the first row after it; with equal
    instalments it becomes part of what the instalments repay.
    """
    laid: list[Row] = []
    owed = ZERO
    nightly = night_interest(principal, pricing.rate)
    for index, row in enumerate(rows[: pricing.grace + pricing.principal_grace]):
        accrued = nightly * row.nights
        if index < pricing.grace:
            paid, owed = ZERO, owed + accrued
        elif pricing.calculation == "equal_instalments":
            paid = accrued
        else:
            paid, owed = owed + accrued, ZERO
        laid.append(Row(*row, principal, ZERO, paid, owed))
    return laid


def _equal_principal(
    pricing: Pricing, principal: Decimal, owed: Decimal, rows: Sequence[Period]
) -> list[Row]:
    laid: list[Row] = []
    each = principal / len(rows)
    nightly = pricing.rate / DAYS_A_YEAR_PERCENT
    left = principal
    for row in rows:
        repaid = left if row is rows[-1] else each
        laid.append(Row(*row, left, repaid, owed + left * nightly * row.nights, ZERO))
        left, owed = left - repaid, ZERO
    return laid


def annuity(balance: Decimal, rate: Decimal, count: int) -> Decimal:
    """The equal payment that repays ``balance`` in ``count`` months: B·m / (1 - (1+m)^-n)."""
    if not rate:
        return balance / count
    monthly = rate / MONTHS_A_YEAR_PERCENT
    return balance * monthly / (1 - (1 + monthly) ** -count)


def _equal_instalments(
    pricing: Pricing, principal: Decimal, owed: Decimal, rows: Sequence[Period]
) -> list[Row]:
    """Payments go to the interest owed first; one that does not cover it carries the rest."""
    laid: list[Row] = []
    payment = annuity(principal + owed, pricing.rate, len(rows))
    nightly = pricing.rate / DAYS_A_YEAR_PERCENT
    left = principal
    for row in rows:
        owed += left * nightly * row.nights
        paid = left + owed if row is rows[-1] else min(payment, left + owed)
        interest = min(paid, owed)
        owed -= interest
        laid.append(Row(*row, left, paid - interest, interest, owed))
        left -= paid - interest
    return laid


@exact
def trim(rows: Sequence[Row], amount: Decimal) -> tuple[Row, ...]:
    """Take ``amount`` of principal off the last row, then off the one before, and so on.

    Rows left without principal disappear; one left with less than a penny disappears into the row
    before it.  The others keep their planned principal and interest.
    """
    if not amount:
        return tuple(rows)
    kept, residue = list(rows), ZERO
    while len(kept) > 1 and kept[-1].principal - amount < PENNY:
        left = kept[-1].principal - amount
        amount, residue = (-left, ZERO) if left < 0 else (ZERO, left)
        kept.pop()
        if residue or not amount:
            break
    last = kept[-1]
    kept[-1] = last._replace(principal=last.principal - amount + residue)
    opening, taken = ZERO, []
    for row in reversed(kept):
        opening += row.principal
        taken.append(row._replace(opening=opening))
    return tuple(reversed(taken))


class PlanTerms(NamedTuple):
    """All that a plan needs besides its bases; hashable, so that a plan is computed once."""

    pricing: Pricing
    installments: int
    rule: DateRule
    calendar: str
    charged_on_holidays: bool


@lru_cache(maxsize=512)
def plan(terms: PlanTerms, dates: tuple[DueDate, ...], bases: tuple[Basis, ...]) -> tuple[Row, ...]:
    """The whole plan, rows in order: each stretch from its basis until the next one begins."""
    calendar = calendar_for(terms.calendar)
    rows: list[Row] = []
    for index, basis in enumerate(bases):
        stretch = periods(dates, basis.start, calendar, terms.charged_on_holidays, basis.first)
        laid = trim(
            lay(_remaining_grace(terms.pricing, basis.first), basis.principal, stretch),
            basis.trimmed,
        )
        until = bases[index + 1].first if index + 1 < len(bases) else None
        rows += [row for row in laid if until is None or row.number < until]
    return tuple(rows)


def _remaining_grace(pricing: Pricing, first: int) -> Pricing:
    passed = first - 1
    grace = max(0, pricing.grace - passed)
    principal_grace = max(0, pricing.grace + pricing.principal_grace - max(passed, pricing.grace))
    return pricing._replace(grace=grace, principal_grace=principal_grace)


@lru_cache(maxsize=512)
def due_dates(terms: PlanTerms, start: date) -> tuple[DueDate, ...]:
    """The repayment dates of a loan that is disbursed on ``start``."""
    return repayment_dates(terms.rule, start, terms.installments, calendar_for(terms.calendar))
