"""The annual percentage rate of charge: the equation of FCA CONC App 1.2 on a schedule.

Sum of advances, discounted = sum of repayments, discounted.  Time is in twelfths of a year where
every date before holiday moving is whole months from the start (a month's last day counts as whole
where the day does not exist), else in days over 365; the answer has one decimal, half up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from chalicelib.domain.account import DefaultFee, Terms
from chalicelib.domain.calendar import last_of_month
from chalicelib.domain.ledger import Balances
from chalicelib.domain.money import ZERO
from chalicelib.domain.schedule import Basis, Row, plan

PRECISION = Context(prec=28)
MONTHS, DAYS = 12, 365
MOST_STEPS = 500
CLOSE_ENOUGH = Decimal("1e-20")
TENTH = Decimal("0.1")
HUNDRED = Decimal(100)
SMALLEST_FACTOR = Decimal("1e-9")
HIGHEST_RATE = Decimal("1e12")


def loan_apr(terms: Terms, principal: Decimal, start: date) -> Decimal | None:
    """The APR, in percent, of a loan of ``principal`` disbursed on ``start``."""
    rows = plan(terms.plan, terms.due_dates, (Basis(1, start, principal),))
    return schedule_apr(rows, principal, start, terms.fees_on("disbursement"))


def schedule_apr(
    rows: Sequence[Row], principal: Decimal, start: date, fees: Sequence[DefaultFee]
) -> Decimal | None:
    """The APR of planned rows, the disbursement's fees paid with the first row that pays."""
    flows = [row.total for row in rows]
    first = next((index for index, flow in enumerate(flows) if flow), 0)
    flows[first] += disbursement_fees(fees, principal)
    months = [_whole_months(start, row.nominal) for row in rows]
    if all(month is not None for month in months):
        unit, times = MONTHS, [month or 0 for month in months]
    else:
        unit, times = DAYS, [(row.due - start).days for row in rows]
    return annual_rate(principal, list(zip(times, flows, strict=True)), unit)


def disbursement_fees(fees: Sequence[DefaultFee], principal: Decimal) -> Decimal:
    """What the fees come to when they are charged one after the other on the new balance."""
    from chalicelib.domain.status import fee_amount

    balances = Balances(principal=principal)
    for fee in fees:
        balances = balances._replace(fee=balances.fee + fee_amount(fee, balances))
    return balances.fee


def _whole_months(start: date, end: date) -> int | None:
    months = (end.year - start.year) * MONTHS + end.month - start.month
    whole = end.day == start.day or (end.day < start.day and end == last_of_month(end))
    return months if whole else None


def annual_rate(
    advance: Decimal, flows: Sequence[tuple[int, Decimal]], unit: int
) -> Decimal | None:
    """Solve ``advance = sum(flow * x**time)`` for ``x = (1 + rate) ** (-1/unit)``; in percent.

    The sum grows with x and is convex, so Newton's steps from x = 1 come down to the root.  A rate
    beyond all sense (fees many times the loan) is ``None``.
    """
    with localcontext(PRECISION):
        factor = Decimal(1)
        for _ in range(MOST_STEPS):
            value, slope = -advance, ZERO
            for time, flow in flows:
                power = factor ** (time - 1) if time else ZERO
                value += flow * power * factor if time else flow
                slope += flow * power * time
            step = value / slope if slope else ZERO
            factor -= step
            if abs(step) < CLOSE_ENOUGH:
                break
        if factor <= SMALLEST_FACTOR:
            return None
        rate = (factor**-unit - 1) * HUNDRED
        return rate.quantize(TENTH, ROUND_HALF_UP) if rate < HIGHEST_RATE else None
