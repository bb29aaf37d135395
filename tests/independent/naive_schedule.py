"""Repayment schedules of term loans, worked out the slow way.

Nothing is shared with the application: holidays come from the `holidays` library, equal principal
and zero rates are `Fraction`, and an annuity is `Decimal` with 150 digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import holidays

DIGITS = 150
ONE_DAY = timedelta(days=1)
ENGLAND = holidays.country_holidays("GB", subdiv="ENG")


# --- days ----------------------------------------------------------------------------------------


def is_public_holiday(day: date) -> bool:
    return day in ENGLAND


def is_business_day(day: date) -> bool:
    return day.weekday() < 5 and not is_public_holiday(day)


def last_of_month(year: int, month: int) -> date:
    if month == 12:
        return date(year, 12, 31)
    return date(year, month + 1, 1) - ONE_DAY


def in_month(year: int, month: int, day: int) -> date:
    """That day, or the month's last day where the month is shorter."""
    last = last_of_month(year, month)
    return last if day > last.day else date(year, month, day)


def business_day_from(day: date, step: timedelta) -> date:
    """``day`` itself if it is a business day, else the nearest one in the step's direction."""
    while not is_business_day(day):
        day = day + step
    return day


def month_after(day: date, months: int) -> tuple[int, int]:
    year, month = day.year, day.month
    for _ in range(months):
        month = month + 1
        if month == 13:
            year, month = year + 1, 1
    return year, month


@dataclass(frozen=True)
class Rules:
    """What a product says of its dates."""

    date_type: str = "day_of_month"
    day: int = 1
    moving: str = "on_day"
    interest_on_holidays: bool = True


def unmoved(rules: Rules, year: int, month: int) -> date:
    if rules.date_type == "day_of_month":
        return in_month(year, month, rules.day)
    if rules.date_type == "last_day_of_month":
        return business_day_from(last_of_month(year, month), -ONE_DAY)
    if rules.date_type == "first_day_of_month":
        return business_day_from(date(year, month, 1), ONE_DAY)
    raise ValueError(rules.date_type)


def moved(rules: Rules, day: date) -> date:
    if rules.moving == "on_day":
        return day
    if rules.moving == "last_business_day_before_the_day":
        return business_day_from(day, -ONE_DAY)
    if rules.moving == "first_business_day_after_the_day":
        return business_day_from(day, ONE_DAY)
    raise ValueError(rules.moving)


def repayment_dates(rules: Rules, start: date, count: int) -> list[tuple[date, date]]:
    """For each row: the date as the rule says it, and where holidays move it."""
    first = 1
    if moved(rules, unmoved(rules, *month_after(start, 1))) <= start:
        first = 2
    found = []
    for number in range(count):
        plain = unmoved(rules, *month_after(start, first + number))
        found.append((plain, moved(rules, plain)))
    return found


def night_is_charged(rules: Rules, evening: date) -> bool:
    """The night that begins on that day."""
    return rules.interest_on_holidays or not is_public_holiday(evening)


def charged_nights(rules: Rules, start: date, end: date) -> int:
    count = 0
    day = start
    while day < end:
        if night_is_charged(rules, day):
            count = count + 1
        day = day + ONE_DAY
    return count


# --- the rows ------------------------------------------------------------------------------------


@dataclass
class Row:
    """Exact figures.  ``accrues`` is what the row's own nights bring, ``interest`` what it pays."""

    number: int
    unmoved: date
    due: date
    days: int
    principal: Any
    interest: Any
    accrues: Any
    left: Any


def high_precision() -> Context:
    return Context(prec=DIGITS)


def annuity(amount: Any, rate: Any, count: int) -> Any:
    """B·m / (1 − (1+m)^−n); B / n at 0 %."""
    if rate == 0:
        return amount / count
    monthly = rate / 1200
    growth = 1 + monthly
    factor = growth
    for _ in range(count - 1):
        factor = factor * growth
    return amount * monthly / (1 - 1 / factor)


def smaller(one: Any, other: Any) -> Any:
    return one if one < other else other


def lay_equal_principal(
    rows: list[Row], amount: Any, rate: Any, grace: int, interest_only: int
) -> None:
    paying = len(rows) - grace - interest_only
    left, owed = amount, amount * 0
    for row in rows:
        row.accrues = left * rate * row.days / 36500
        owed = owed + row.accrues
        if row.number > grace:
            row.interest = owed
            owed = owed * 0
        if row.number > grace + interest_only:
            row.principal = amount / paying
        if row.number == len(rows):
            row.principal = left
        left = left - row.principal
        row.left = left


def lay_equal_instalments(
    rows: list[Row], amount: Any, rate: Any, grace: int, interest_only: int
) -> None:
    paying = len(rows) - grace - interest_only
    left, owed, payment = amount, amount * 0, amount * 0
    for row in rows:
        row.accrues = left * rate * row.days / 36500
        if row.number <= grace:
            owed = owed + row.accrues
        elif row.number <= grace + interest_only:
            row.interest = row.accrues
        else:
            if row.number == grace + interest_only + 1:
                payment = annuity(amount + owed, rate, paying)
            owed = owed + row.accrues
            pays = smaller(payment, owed + left)
            if row.number == len(rows):
                pays = owed + left
            row.interest = smaller(pays, owed)
            row.principal = pays - row.interest
            owed = owed - row.interest
        left = left - row.principal
        row.left = left


def lay_rows(
    equal: str,
    amount: Any,
    rate: Any,
    start: date,
    dates: list[tuple[date, date]],
    grace: int,
    interest_only: int,
    rules: Rules,
) -> list[Row]:
    """``amount`` and ``rate`` both `Fraction` or both `Decimal`."""
    rows = []
    before = start
    nothing = amount * 0
    for number, (plain, due) in enumerate(dates, start=1):
        days = charged_nights(rules, before, due)
        rows.append(Row(number, plain, due, days, nothing, nothing, nothing, nothing))
        before = due
    lay = {"principal": lay_equal_principal, "instalments": lay_equal_instalments}[equal]
    lay(rows, amount, rate, grace, interest_only)
    return rows


def schedule(
    equal: str,
    amount: Decimal,
    rate: Decimal,
    start: date,
    count: int,
    grace: int,
    interest_only: int,
    rules: Rules,
) -> list[Row]:
    dates = repayment_dates(rules, start, count)
    if equal == "principal" or rate == 0:
        return lay_rows(
            equal, Fraction(amount), Fraction(rate), start, dates, grace, interest_only, rules
        )
    with localcontext(high_precision()):
        return lay_rows(equal, amount, rate, start, dates, grace, interest_only, rules)


# --- what is shown -------------------------------------------------------------------------------


def pence(value: Any) -> str:
    """Rounded half up to whole pence, as text.  Balances are never negative here."""
    pennies = (Fraction(value) * 200 + 1) // 2
    return f"{pennies // 100}.{pennies % 100:02d}"


def total(values: Any) -> Fraction:
    found = Fraction(0)
    for value in values:
        found = found + Fraction(value)
    return found


def shown_rows(rows: list[Row]) -> list[dict[str, str]]:
    return [
        {
            "number": str(row.number),
            "due_date": row.due.isoformat(),
            "days": str(row.days),
            "principal": pence(row.principal),
            "interest": pence(row.interest),
            "total_amount": pence(Fraction(row.principal) + Fraction(row.interest)),
            "principal_after_repayment": pence(row.left),
        }
        for row in rows
    ]


def shown_totals(rows: list[Row]) -> dict[str, str]:
    principal = total(row.principal for row in rows)
    interest = total(row.interest for row in rows)
    return {
        "principal": pence(principal),
        "interest": pence(interest),
        "total_amount": pence(principal + interest),
    }
