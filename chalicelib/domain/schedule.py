"""The schedule of a term loan: which row pays what, exactly, before anything has happened.

Figures are unrounded (40 significant digits) and every shown figure is rounded on its own; this is
how the documented equal-instalments table comes to a last row of 2,060.12 + 21.67 = 2,081.80
(partner API, "Schedules").  Row interest is the exact interest on the row's opening principal over
its actual nights, 365 days a year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from itertools import count
from typing import Any, NamedTuple, cast

from chalicelib.domain.calendar import (
    DateRule,
    DueDate,
    calendar_for,
    nights_between,
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


# What makes a row differ from its dates: its opening, principal, interest and deferred.
Figures = tuple[Decimal, Decimal, Decimal, Decimal]

# Tuple's own constructor makes a named tuple in C: half the time, for each row of each schedule.
_row = cast("Callable[[Iterable[Any]], Row]", partial(tuple.__new__, Row))


class Basis(NamedTuple):
    """From what a stretch of the plan is computed.

    The first is the disbursement; an early repayment under ``reduced_instalments`` adds one.
    ``trimmed`` is the principal that early repayments have taken off the end since.
    """

    first: int  # the number of the first row laid from here
    start: date  # from where that row's nights count
    principal: Decimal
    trimmed: Decimal = ZERO
    open_from: int = 0  # rows before this number are billed: nothing comes off them
    last: int | None = None  # the last row that remained, if not the last date's


def night_interest(principal: Decimal, rate: Decimal) -> Decimal:
    """One night's exact interest, unrounded."""
    return principal * rate / DAYS_A_YEAR_PERCENT


@exact
def lay(pricing: Pricing, principal: Decimal, nights: Sequence[int]) -> list[Figures]:
    """The figures of a loan of ``principal``, row by row, from the nights that each is charged.

    The grace of ``pricing`` is included.
    """
    laid = _grace(pricing, principal, nights)
    paying = nights[len(laid) :]
    owed = laid[-1][3] if laid else ZERO
    if pricing.calculation == "equal_instalments":
        laid += _equal_instalments(pricing, principal, owed, paying)
    else:
        laid += _equal_principal(pricing, principal, owed, paying)
    return laid


def _grace(pricing: Pricing, principal: Decimal, nights: Sequence[int]) -> list[Figures]:
    """Full grace pays nothing and owes its interest; principal grace pays its interest only.

    With equal principal what the full grace owes is paid by the first row after it; with equal
    instalments it becomes part of what the instalments repay.
    """
    laid: list[Figures] = []
    owed = ZERO
    nightly = night_interest(principal, pricing.rate)
    for index, charged in enumerate(nights[: pricing.grace + pricing.principal_grace]):
        accrued = nightly * charged
        if index < pricing.grace:
            paid, owed = ZERO, owed + accrued
        elif pricing.calculation == "equal_instalments":
            paid = accrued
        else:
            paid, owed = owed + accrued, ZERO
        laid.append((principal, ZERO, paid, owed))
    return laid


def _equal_principal(
    pricing: Pricing, principal: Decimal, owed: Decimal, nights: Sequence[int]
) -> list[Figures]:
    """Each row repays the same; the first also pays the interest that grace has left owed."""
    laid: list[Figures] = []
    each = principal / len(nights)
    nightly = pricing.rate / DAYS_A_YEAR_PERCENT
    left = principal
    factor = {charged: nightly * charged for charged in set(nights)}
    for charged in nights:
        laid.append((left, each, left * factor[charged], ZERO))
        left -= each
    opening, _, interest, _ = laid[-1]
    laid[-1] = (opening, opening, interest, ZERO)
    if owed:
        opening, repaid, interest, _ = laid[0]
        laid[0] = (opening, repaid, owed + interest, ZERO)
    return laid


def annuity(balance: Decimal, rate: Decimal, count: int) -> Decimal:
    """The equal payment that repays ``balance`` in ``count`` months: B·m / (1 - (1+m)^-n)."""
    if not rate:
        return balance / count
    monthly = rate / MONTHS_A_YEAR_PERCENT
    return balance * monthly / (1 - (1 + monthly) ** -count)


def _equal_instalments(
    pricing: Pricing, principal: Decimal, owed: Decimal, nights: Sequence[int]
) -> list[Figures]:
    """Payments go to the interest owed first; one that does not cover it carries the rest."""
    laid: list[Figures] = []
    payment = annuity(principal + owed, pricing.rate, len(nights))
    nightly = pricing.rate / DAYS_A_YEAR_PERCENT
    factor = {charged: nightly * charged for charged in set(nights)}
    left, done = principal, 0
    while not owed and (plain := _plain(payment, left, factor, nights[done:])):
        for charged in nights[done : done + plain]:
            interest = left * factor[charged]
            repaid = payment - interest
            laid.append((left, repaid, interest, ZERO))
            left -= repaid
        done += plain
    for charged in nights[done:-1]:
        interest = owed + left * factor[charged]
        paid = min(payment, left + interest)
        interest, owed = min(paid, interest), max(ZERO, interest - paid)
        repaid = paid - interest
        laid.append((left, repaid, interest, owed))
        left -= repaid
    interest = owed + left * factor[nights[-1]]
    paid = left + interest  # the last row pays all that is left
    laid.append((left, paid - min(interest, paid), min(interest, paid), max(ZERO, interest - paid)))
    return laid


def _plain(
    payment: Decimal, left: Decimal, factor: Mapping[int, Decimal], nights: Sequence[int]
) -> int:
    """How many of the next rows surely pay the whole payment and all their interest.

    Interest only falls, and what is left falls by at most the payment each time.
    """
    if not payment or left * factor[max(nights)] > payment:
        return 0
    return min(int(left / payment), len(nights) - 1)


@exact
def trim(rows: Sequence[Row], amount: Decimal, open_from: int = 0) -> tuple[Row, ...]:
    """Take ``amount`` of principal off the last row, then off the one before, and so on.

    Rows left without principal disappear; one left with less than a penny disappears into the row
    before it, if that is still to be billed.  The others keep their planned principal and interest.
    """
    if not amount:
        return tuple(rows)
    kept, residue = list(rows), ZERO
    first = max(open_from, rows[0].number)
    while kept[-1].number > first and kept[-1].principal - amount < PENNY:
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
    rows: list[Row] = []
    for index, basis in enumerate(bases):
        stretch = _stretch(terms, dates[basis.first - 1 : basis.last], basis)
        ends = index + 1 == len(bases)
        rows += stretch if ends else stretch[: bases[index + 1].first - basis.first]
    return tuple(rows)


def _stretch(terms: PlanTerms, dates: Sequence[DueDate], basis: Basis) -> tuple[Row, ...]:
    """The rows on ``dates``, all computed from ``basis``."""
    nominal, due = zip(*dates, strict=True)
    calendar = calendar_for(terms.calendar)
    nights = nights_between(calendar, terms.charged_on_holidays, (basis.start, *due))
    figures = lay(_remaining_grace(terms.pricing, basis.first), basis.principal, nights)
    columns = zip(*figures, strict=True)
    rows = map(_row, zip(count(basis.first), nominal, due, nights, *columns))
    return trim(tuple(rows), basis.trimmed, basis.open_from)


def _remaining_grace(pricing: Pricing, first: int) -> Pricing:
    passed = first - 1
    if not passed:
        return pricing
    grace = max(0, pricing.grace - passed)
    principal_grace = max(0, pricing.grace + pricing.principal_grace - max(passed, pricing.grace))
    return pricing._replace(grace=grace, principal_grace=principal_grace)


@lru_cache(maxsize=512)
def due_dates(terms: PlanTerms, start: date) -> tuple[DueDate, ...]:
    """The repayment dates of a loan that is disbursed on ``start``."""
    return repayment_dates(terms.rule, start, terms.installments, calendar_for(terms.calendar))
