"""Status."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain import disbursing, loans
from chalicelib.domain.errors import Refused
from tests.domain.lives import Life
from tests.rules.plain import D, fee, lasts, latest, line, on, plain
from tests.rules.rule import rule

FALLS = (
    "`late` when the business date is past an unpaid row's due date; `arrears` when it is past by "
    "more than `arrears_tolerance` days; `default` when `default_tolerance` is set and it has been "
    "in arrears for more days than that."
)


@rule(
    FALLS,
    {
        # row 1 is due on 15 February
        "on the due date": (7, None, "02-15", "active"),
        "a day past": (7, None, "02-16", "late"),
        "7 days past": (7, None, "02-22", "late"),
        "8 days past": (7, None, "02-23", "arrears"),
        "tolerance 0, on the due date": (0, None, "02-15", "active"),
        "tolerance 0, a day past": (0, None, "02-16", "arrears"),
        "tolerance 13, 13 days past": (13, None, "02-28", "late"),
        "tolerance 13, 14 days past": (13, None, "03-01", "arrears"),
        # in arrears since 23 February
        "10 days in arrears": (7, 10, "03-05", "arrears"),
        "11 days in arrears": (7, 10, "03-06", "default"),
        "default tolerance 0, the first day": (7, 0, "02-23", "arrears"),
        "default tolerance 0, the second": (7, 0, "02-24", "default"),
        "no default tolerance, a year later": (7, None, "2024-02-15", "arrears"),
    },
)
def test_falling(arrears: int, default: int | None, day: str, status: str) -> None:
    for daily in (True, False):
        life = plain(arrears_tolerance=arrears, default_tolerance=default)
        life.goes_to(on(day), daily=daily)
        assert life.view().account.status == status


@rule(
    FALLS,
    {
        "1 March of a leap year is 15 days past": ("2024-01-15", 14, "2024-03-01", "arrears"),
        "29 February is 14": ("2024-01-15", 14, "2024-02-29", "late"),
        "1 March of another year is 14": ("2023-01-15", 14, "2023-03-01", "late"),
        "weekends count": ("2023-03-15", 1, "2023-04-17", "arrears"),
    },
    part="more than `arrears_tolerance` days",
)
def test_days_of_the_calendar(start: str, tolerance: int, day: str, status: str) -> None:
    life = plain(on(start), arrears_tolerance=tolerance).goes_to(on(day))
    assert life.account.status == status


ONLY = "Status only gets worse or, when nothing is overdue any more, goes back to `active`."


@rule(
    ONLY,
    {
        # 20 March: rows of 7,610 and 7,580 are unpaid, 33 and 5 days past
        "nothing repaid": ("03-20", None, "arrears", "2023-02-15"),
        # 590 of interest first, then 7,300: row 1
        "the oldest repaid, 5 days are left": ("03-20", "7890", "arrears", "2023-03-15"),
        "a penny missing": ("03-20", "15189.99", "arrears", "2023-03-15"),
        "all that was overdue": ("03-20", "15190", "active", "2023-04-15"),
        "late, part repaid": ("02-20", "5000", "late", "2023-02-15"),
        "late, all repaid": ("02-20", "7610", "active", "2023-03-15"),
    },
)
def test_no_way_but_down_or_out(day: str, repaid: str | None, status: str, next_date: str) -> None:
    life = plain().goes_to(on(day))
    if repaid:
        life.repays(repaid)
    view = lasts(life, 1).view()
    assert (view.account.status, str(view.next_repayment_date)) == (status, next_date)


@rule(
    ONLY,
    {
        "since when": ("7610", None, None),
        "still late": ("7609", "2023-02-16", "2023-02-23"),
    },
    part="goes back to `active`",
)
def test_dates_go_too(repaid: str, late: str | None, arrears: str | None) -> None:
    life = plain().goes_to(on("03-01"))
    life.repays(repaid)
    account = life.account
    since = [str(day) if day else None for day in (account.late_since, account.arrears_since)]
    assert since == [late, arrears]


CLOSED = "A term loan whose balances are zero, with nothing pending, is closed as `paid_in_full`."


def _settled() -> Life:
    life = plain().goes_to(on("01-20"))
    life.repays("36550")
    return life


def _pending() -> Life:
    life = plain().goes_to(on("01-20"))
    life.repays("36550", confirmed=False)
    return life


def _confirmed_later() -> Life:
    life = _pending()
    waiting = life.of("repayment")[0]
    life.goes_to(on("01-25")).tells(loans.apply_repayment, waiting)
    return life


def _of_two() -> Life:
    """Two repayments are on their way, the first of them is confirmed."""
    life = plain().goes_to(on("01-20"))
    first = life.repays("30000", confirmed=False)
    life.repays("6550", confirmed=False)
    life.tells(loans.apply_repayment, latest(life, first))
    return life


def _line() -> Life:
    life = lasts(line(), 5)
    life.repays("3655")
    return life


@rule(
    CLOSED,
    {
        "settled": (_settled, "closed", "paid_in_full"),
        "the repayment is pending": (_pending, "active", ""),
        "it is confirmed days later": (_confirmed_later, "closed", "paid_in_full"),
        "one of two is pending": (_of_two, "active", ""),
        "a line of credit stays open": (_line, "active", ""),
    },
)
def test_closing(story: Callable[[], Life], status: str, substatus: str) -> None:
    account = story().account
    assert account.balances == (0, 0, 0)
    assert (account.status, account.close_substatus) == (status, substatus)


LINE = (
    "Line of credit: no due dates; it becomes late when a collected repayment fails or is charged "
    "back and until that much is repaid; `make_arrears` and `make_default` work as ever."
)


@rule(
    LINE,
    {"a month": 31, "three years": 1096, "a day": 1},
    part="no due dates",
)
def test_no_due_dates(nights: int) -> None:
    (count,) = nights if isinstance(nights, tuple) else (nights,)
    view = lasts(line(), count, daily=False).view()
    assert (view.account.status, view.days_past_due, view.next_repayment_date) == (
        "active",
        0,
        None,
    )


@rule(
    LINE,
    {
        "in arrears": ("make_arrears", "arrears", ["15.00"]),
        "in default": ("make_default", "default", ["40.00"]),
    },
    part="`make_arrears` and `make_default` work as ever",
)
def test_by_hand(command: str, status: str, fees: list[str]) -> None:
    life = lasts(line(default_fees=(fee("15", "arrears", name="A"), fee("40", "default"))), 5)
    life.tells(loans.set_status, command)
    assert lasts(life, 40).account.status == status
    assert [f"{item.amount:.2f}" for item in life.of("fee")] == fees
    life.repays("1")
    assert life.account.status == "active"
    with pytest.raises(Refused):
        life.tells(disbursing.disburse, D(10000), loans.Asked())
