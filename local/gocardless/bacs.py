"""Bacs working days and the days on which a Direct Debit moves.

A working day is a weekday that is no bank holiday of England.  Everything happens as a date begins:
a payment is submitted two working days before its charge date, confirmed on the first after it and
paid out on the second.
"""

from __future__ import annotations

from datetime import date, timedelta

from chalicelib.domain.calendar import calendar_for

ONE_DAY = timedelta(days=1)
MANDATE_SUBMITTED_AFTER = 1
MANDATE_ACTIVE_AFTER = 2
SUBMITTED_BEFORE_CHARGE = 2
CONFIRMED_AFTER_CHARGE = 1


def is_working_day(day: date) -> bool:
    """Whether the banks work on ``day``."""
    return calendar_for("GB-ENG").is_business_day(day)


def on_or_after(day: date) -> date:
    """The first working day that is not before ``day``."""
    return calendar_for("GB-ENG").on_or_after(day)


def add(day: date, count: int) -> date:
    """The ``count``-th working day strictly after ``day``, or before it if negative."""
    step = ONE_DAY if count > 0 else -ONE_DAY
    for _ in range(abs(count)):
        day += step
        while not is_working_day(day):
            day += step
    return day


def first_charge_date(today: date, active_on: date) -> date:
    """The earliest charge date of a payment made ``today`` under a mandate active from a date."""
    return add(max(add(today, 1), on_or_after(active_on)), SUBMITTED_BEFORE_CHARGE)
