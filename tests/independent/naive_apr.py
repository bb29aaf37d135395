"""The annual percentage rate by bisection over decimals of 40 digits.

The equation is that of FCA CONC App 1.2 (and of Directive 2008/48/EC, Annex I): the present value
of what is paid equals that of what was lent, each amount divided by (1 + X) to the power of the
years since the loan.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from fractions import Fraction

from tests.independent.naive_schedule import in_month, month_after

DIGITS = 40


def worth_today(rate: Decimal, flows: list[tuple[Fraction, Decimal]]) -> Decimal:
    """Sum of amount / (1 + rate) ** years, as amount · exp(−years · ln(1 + rate))."""
    growth = (1 + rate).ln()
    value = Decimal(0)
    for years, amount in flows:
        length = Decimal(years.numerator) / Decimal(years.denominator)
        value = value + amount * (-length * growth).exp()
    return value


def solve(flows: list[tuple[Fraction, Decimal]], digits: int = 8) -> Decimal | None:
    """The rate (a fraction: 0.1 is 10 %) at which what is lent is worth what is paid.

    ``flows``: lent amounts negative, paid ones positive.  ``None`` above a hundred million.
    """
    with localcontext(Context(prec=DIGITS)):
        low, high = Decimal("-0.99"), Decimal(1)
        while worth_today(high, flows) > 0:
            low, high = high, high * 10
            if high > Decimal(10) ** 8:
                return None
        while high - low > Decimal(1).scaleb(-digits):
            middle = (low + high) / 2
            if worth_today(middle, flows) > 0:
                low = middle
            else:
                high = middle
        return (low + high) / 2


def percent(rate: Decimal, decimals: int = 1) -> Decimal:
    """Half up: if the next figure is 5 or more, the last one is increased by one."""
    unit = Decimal(1).scaleb(-decimals)
    with localcontext(Context(prec=DIGITS)):
        steps = (rate * 100 / unit + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
        return steps * unit


def times(start: date, dates: list[tuple[date, date]]) -> list[Fraction]:
    """Years from the start to each (unmoved, moved) date.

    Twelfths where every unmoved date is a whole number of months from the start (a month's last day
    where the day does not exist), else days over 365.
    """
    months = []
    for unmoved, _ in dates:
        count = 12 * (unmoved.year - start.year) + unmoved.month - start.month
        if in_month(*month_after(start, count), start.day) == unmoved:
            months.append(count)
    if len(months) == len(dates):
        return [Fraction(count, 12) for count in months]
    return [Fraction((moved - start).days, 365) for _, moved in dates]
