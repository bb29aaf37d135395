"""Business days, repayment dates and the nights between them.

Days are dates, not 24 hours.  A business day is Monday to Friday and no public holiday of the
partner's calendar (partner API, "Business date and calendar").
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from chalicelib.domain.errors import Flaw, Invalid

ONE_DAY = timedelta(days=1)
SATURDAY = 5


class Calendar:
    """The public holidays of one country or region; years are read when first asked for."""

    __slots__ = ("_in_order", "_years", "code")

    def __init__(self, code: str) -> None:
        self.code = code
        self._years: dict[int, frozenset[date]] = {}
        self._in_order: dict[int, tuple[date, ...]] = {}

    def holidays(self, year: int) -> frozenset[date]:
        """The public holidays of ``year``, substitute days included."""
        found = self._years.get(year)
        if found is None:
            found = self._years[year] = _holidays_of(self.code, year)
        return found

    def is_holiday(self, day: date) -> bool:
        """Whether ``day`` is a public holiday."""
        return day in self.holidays(day.year)

    def is_business_day(self, day: date) -> bool:
        """Monday to Friday and no public holiday."""
        return day.weekday() < SATURDAY and day not in self.holidays(day.year)

    def holidays_between(self, first: date, last: date) -> tuple[date, ...]:
        """Public holidays with ``first <= day <= last``, in order."""
        days = self._ordered(first.year)
        for year in range(first.year + 1, last.year + 1):
            days += self._ordered(year)
        return days[bisect_left(days, first) : bisect_right(days, last)]

    def _ordered(self, year: int) -> tuple[date, ...]:
        found = self._in_order.get(year)
        if found is None:
            found = self._in_order[year] = tuple(sorted(self.holidays(year)))
        return found

    def on_or_before(self, day: date) -> date:
        """The last business day that is not after ``day``."""
        while not self.is_business_day(day):
            day -= ONE_DAY
        return day

    def on_or_after(self, day: date) -> date:
        """The first business day that is not before ``day``."""
        while not self.is_business_day(day):
            day += ONE_DAY
        return day


def _holidays_of(code: str, year: int) -> frozenset[date]:
    import holidays  # 70-130 ms: only where a calendar is really read

    country, _, region = code.partition("-")
    try:
        days = holidays.country_holidays(country, subdiv=region or None, years=year)
    except (NotImplementedError, KeyError) as unknown:
        flaw = Flaw("calendar", "unknown", f"There is no calendar {code!r}; one is GB-ENG.")
        raise Invalid(flaw) from unknown
    return frozenset(days)


@lru_cache(maxsize=64)
def calendar_for(code: str) -> Calendar:
    """The shared calendar of an ISO 3166-2 code such as ``GB-ENG``."""
    return Calendar(code)


@dataclass(frozen=True, slots=True)
class DateRule:
    """When repayments fall: the product's three date fields under their own names."""

    repayment_date_type: str
    repayment_date_period: int | None = None
    repayment_holiday_scheduling: str = "on_day"


class DueDate(NamedTuple):
    """A date before and after holidays have moved it."""

    nominal: date
    due: date


def repayment_dates(
    rule: DateRule, start: date, count: int, calendar: Calendar
) -> tuple[DueDate, ...]:
    """The ``count`` repayment dates of a loan disbursed on ``start``.

    The first falls in the calendar month after the disbursement's; a first date that holidays have
    moved to the disbursement or before it is skipped to the next month (partner API, "Repayment
    dates").
    """
    year = start.year
    found = list(_dates_in(year, rule, calendar)[start.month :])
    if not found:
        year += 1
        found += _dates_in(year, rule, calendar)
    if found[0].due <= start:
        del found[0]
    while len(found) < count:
        year += 1
        found += _dates_in(year, rule, calendar)
    return tuple(found[:count])


@lru_cache(maxsize=1024)
def _dates_in(year: int, rule: DateRule, calendar: Calendar) -> tuple[DueDate, ...]:
    """The twelve repayment dates of a year, January's first: the same for every loan."""
    nominal = [_nominal(rule, date(year, month, 1), calendar) for month in range(1, 13)]
    return tuple(DueDate(day, _moved(rule, day, calendar)) for day in nominal)


def last_of_month(day: date) -> date:
    """The last day of ``day``'s month."""
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following - ONE_DAY


def _nominal(rule: DateRule, first: date, calendar: Calendar) -> date:
    if rule.repayment_date_type == "first_day_of_month":
        return calendar.on_or_after(first)
    last = last_of_month(first)
    if rule.repayment_date_type == "last_day_of_month":
        return calendar.on_or_before(last)
    return first.replace(day=min(rule.repayment_date_period or 1, last.day))


def _moved(rule: DateRule, nominal: date, calendar: Calendar) -> date:
    match rule.repayment_holiday_scheduling:
        case "last_business_day_before_the_day":
            return calendar.on_or_before(nominal)
        case "first_business_day_after_the_day":
            return calendar.on_or_after(nominal)
        case _:
            return nominal


def free_nights(
    calendar: Calendar, charged_on_holidays: bool, start: date, end: date
) -> list[date]:
    """The nights from ``start`` to ``end`` that cost nothing, each named by the day it ends on.

    Where interest is not calculated on holidays, a night that *begins* on a public holiday is free.
    """
    if charged_on_holidays or end <= start:
        return []
    return [day + ONE_DAY for day in calendar.holidays_between(start, end - ONE_DAY)]


def charged_nights(calendar: Calendar, charged_on_holidays: bool, start: date, end: date) -> int:
    """How many nights from ``start`` to ``end`` bear interest."""
    return nights_between(calendar, charged_on_holidays, (start, end))[0]


def nights_between(
    calendar: Calendar, charged_on_holidays: bool, days: Sequence[date]
) -> list[int]:
    """How many nights bear interest from each of ``days``, which ascend, to the next one."""
    if charged_on_holidays:
        return [(end - start).days for start, end in pairwise(days)]
    free = calendar.holidays_between(days[0], days[-1])
    charged = [day.toordinal() - bisect_left(free, day) for day in days]
    return [end - start for start, end in pairwise(charged)]
