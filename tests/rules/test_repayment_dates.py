"""Repayment dates."""

from __future__ import annotations

from chalicelib.domain.calendar import DateRule, calendar_for, repayment_dates
from tests.rules.plain import on
from tests.rules.rule import rule

BEFORE, AFTER, LEFT = (
    "last_business_day_before_the_day",
    "first_business_day_after_the_day",
    "on_day",
)


def dates(start: str, count: int, day: int | str, moved: str = LEFT) -> str:
    """The repayment dates of a loan disbursed on ``start``, in one text."""
    kind, period = ("day_of_month", day) if isinstance(day, int) else (day, None)
    rule_ = DateRule(kind, period, moved)  # type: ignore[arg-type]
    found = repayment_dates(rule_, on(start), count, calendar_for("GB-ENG"))
    return " ".join(str(one.due) for one in found)


@rule(
    "The first repayment date falls in the calendar month after the disbursement's; the others "
    "follow monthly.",
    {
        "a month": ("2023-01-15", 3, 15, "2023-02-15 2023-03-15 2023-04-15"),
        "the next day": ("2023-01-31", 2, 1, "2023-02-01 2023-03-01"),
        "nearly two months": ("2023-01-01", 2, 28, "2023-02-28 2023-03-28"),
        "over the year": ("2023-12-31", 2, 5, "2024-01-05 2024-02-05"),
        "from 29 February": ("2024-02-29", 2, 29, "2024-03-29 2024-04-29"),
        "1 instalment": ("2023-01-15", 1, 15, "2023-02-15"),
        "13 of them": (
            "2023-01-15", 13, 1,
            "2023-02-01 2023-03-01 2023-04-01 2023-05-01 2023-06-01 2023-07-01 2023-08-01 "
            "2023-09-01 2023-10-01 2023-11-01 2023-12-01 2024-01-01 2024-02-01",
        ),
    },
)  # fmt: skip
def test_monthly(start: str, count: int, day: int, expected: str) -> None:
    assert dates(start, count, day) == expected


@rule(
    "`day_of_month`: that day, or the month's last day where the month is shorter.",
    {
        "31, leap year": ("2023-12-15", 4, 31, "2024-01-31 2024-02-29 2024-03-31 2024-04-30"),
        "31, other years": ("2022-12-15", 4, 31, "2023-01-31 2023-02-28 2023-03-31 2023-04-30"),
        "30": ("2022-12-15", 3, 30, "2023-01-30 2023-02-28 2023-03-30"),
        "29, leap year": ("2023-12-15", 3, 29, "2024-01-29 2024-02-29 2024-03-29"),
        "29, other years": ("2022-12-15", 3, 29, "2023-01-29 2023-02-28 2023-03-29"),
        "29, 2100 is no leap year": ("2100-01-15", 2, 29, "2100-02-28 2100-03-29"),
        "28 never moves": ("2023-01-15", 2, 28, "2023-02-28 2023-03-28"),
    },
)
def test_day_of_month(start: str, count: int, day: int, expected: str) -> None:
    assert dates(start, count, day) == expected


LAST, FIRST = "last_day_of_month", "first_day_of_month"


@rule(
    "`last_day_of_month` / `first_day_of_month`: last / first business day.",
    {
        # 30 April 2023 is a Sunday
        "last": ("2023-01-10", 4, LAST, "2023-02-28 2023-03-31 2023-04-28 2023-05-31"),
        # 29 to 31 March 2024 are Good Friday, Saturday and Easter Sunday
        "last, before Easter": ("2024-02-10", 2, LAST, "2024-03-28 2024-04-30"),
        "last, leap February": ("2024-01-10", 1, LAST, "2024-02-29"),
        # 30 and 31 December 2023 are a weekend
        "last of the year": ("2023-11-10", 1, LAST, "2023-12-29"),
        # 1 January 2023 is a Sunday, the 2nd its holiday; 1 April a Saturday; 1 May a holiday
        "first": ("2022-12-10", 5, FIRST, "2023-01-03 2023-02-01 2023-03-01 2023-04-03 2023-05-02"),
        "first, on Easter Monday": ("2024-03-10", 2, FIRST, "2024-04-02 2024-05-01"),
    },
)
def test_business_days_of_the_month(start: str, count: int, kind: str, expected: str) -> None:
    assert dates(start, count, kind) == expected
    for moved in (BEFORE, AFTER):  # there is nothing to move
        assert dates(start, count, kind, moved) == expected


@rule(
    "Then `repayment_holiday_scheduling` moves a date that is not a business day to the last "
    "business day before, or the first after, or leaves it.",
    {
        "Good Friday, before": ("2023-03-10", 7, BEFORE, "2023-04-06"),
        "Good Friday, after Easter Monday": ("2023-03-10", 7, AFTER, "2023-04-11"),
        "Good Friday, left": ("2023-03-10", 7, LEFT, "2023-04-07"),
        "Easter Monday, before": ("2023-03-10", 10, BEFORE, "2023-04-06"),
        "Saturday, before": ("2023-03-10", 15, BEFORE, "2023-04-14"),
        "Saturday, after": ("2023-03-10", 15, AFTER, "2023-04-17"),
        "Saturday, left": ("2023-03-10", 15, LEFT, "2023-04-15"),
        "31 December on a Sunday, before": ("2023-11-10", 31, BEFORE, "2023-12-29"),
        "31 December on a Sunday, after, into the year": ("2023-11-10", 31, AFTER, "2024-01-02"),
        "1 January on a Sunday, before, out of the year": ("2022-12-10", 1, BEFORE, "2022-12-30"),
        "1 January on a Sunday, after": ("2022-12-10", 1, AFTER, "2023-01-03"),
        "a month's last day that is moved": ("2024-05-10", 31, BEFORE, "2024-06-28"),
        "a business day stays, before": ("2023-03-10", 12, BEFORE, "2023-04-12"),
        "a business day stays, after": ("2023-03-10", 12, AFTER, "2023-04-12"),
    },
)
def test_moved(start: str, day: int, moved: str, expected: str) -> None:
    assert dates(start, 1, day, moved) == expected


@rule(
    "Then `repayment_holiday_scheduling` moves a date that is not a business day to the last "
    "business day before, or the first after, or leaves it.",
    {
        # 15 April and 15 July 2023 are Saturdays, 15 October a Sunday: each goes by itself
        "before": (BEFORE, "2023-04-14 2023-05-15 2023-06-15 2023-07-14"),
        "after": (AFTER, "2023-04-17 2023-05-15 2023-06-15 2023-07-17"),
        "left": (LEFT, "2023-04-15 2023-05-15 2023-06-15 2023-07-15"),
    },
    part="a date that is not a business day",
)
def test_each_date_moves_by_itself(moved: str, expected: str) -> None:
    assert dates("2023-03-10", 4, 15, moved) == expected


@rule(
    "A first date that is then not after the disbursement is skipped to the next month.",
    {
        # 1 April 2023 is a Saturday; 1 May a holiday, before which is Friday 28 April
        "on the disbursement": ("2023-03-31", 2, 1, BEFORE, "2023-04-28 2023-06-01"),
        "a day after it stays": ("2023-03-30", 2, 1, BEFORE, "2023-03-31 2023-04-28"),
        # 1 January 2023 is a Sunday, before which is Friday 30 December
        "before the disbursement": ("2022-12-31", 2, 1, BEFORE, "2023-02-01 2023-03-01"),
        "on it, over the year": ("2022-12-30", 1, 1, BEFORE, "2023-02-01"),
        "moved on, so it is after": ("2023-03-31", 2, 1, AFTER, "2023-04-03 2023-05-02"),
        "left, so it is after": ("2023-03-31", 2, 1, LEFT, "2023-04-01 2023-05-01"),
        # the first of two Saturdays: 2 April 2022, disbursed on Friday the 1st: no other month
        "a moved date in the same month is kept": ("2022-03-31", 1, 2, BEFORE, "2022-04-01"),
    },
)
def test_first_date_after_the_disbursement(
    start: str, count: int, day: int, moved: str, expected: str
) -> None:
    assert dates(start, count, day, moved) == expected
