"""What falls due."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain import loans
from chalicelib.domain.views import payoff
from tests.domain.lives import Life, moment
from tests.rules.plain import EQUAL_INSTALMENTS, D, bills, due, kept, lasts, on, plain
from tests.rules.rule import rule

BILLED = (
    "On a due date, after that night's interest, the row is billed: its planned principal; its "
    "planned interest, corrected for what really accrued (cumulatively: interest billed so far = "
    "interest planned so far + interest accrued so far − interest that the plan had accrue so far; "
    "without grace that is simply all interest owed); all fees owed."
)


def _fees() -> Life:
    return plain().goes_to(on("02-01")).fee("25").goes_to(on("02-10")).fee("0.005")


def _early() -> Life:
    life = plain().goes_to(on("01-20"))
    life.repays("3700")
    return life


def _stopped() -> Life:
    life = plain().goes_to(on("01-20"))
    life.tells(loans.set_interest, False)
    life.goes_to(on("01-30")).tells(loans.set_interest, True)
    return life


@rule(
    BILLED,
    {
        "the day before": (plain, "02-14", []),
        "after 31 nights of 10.00": (plain, "02-15", ["1 7300.00 310.00 0.00"]),
        "25 + 0.005 of fees": (_fees, "02-15", ["1 7300.00 310.00 25.01"]),
        # 50.00 of interest and 3,650 of principal paid on the 20th: 26 nights of 9.00
        "part repaid early": (_early, "02-15", ["1 7300.00 234.00 0.00"]),
        "10 nights were free": (_stopped, "02-15", ["1 7300.00 210.00 0.00"]),
        # nothing repaid: the night stays at 10.00, 28 of them
        "two rows": (plain, "03-15", ["1 7300.00 310.00 0.00", "2 7300.00 280.00 0.00"]),
    },
    part="without grace that is simply all interest owed",
)
def test_billed(story: Callable[[], Life], day: str, rows: list[str]) -> None:
    assert bills(story().goes_to(on(day))) == rows


def _graced(stop: str | None = None, start: str | None = None) -> Life:
    """36,500 at 12 % is 12.00 a night; row 1 is grace, rows 2 and 3 pay 18,712.9986."""
    life = plain(
        rate=D(12),
        installments=3,
        grace_instalments=1,
        interest_calculation=EQUAL_INSTALMENTS,
    )
    if stop and start:
        life.goes_to(on(stop)).tells(loans.set_interest, False)
        life.goes_to(on(start)).tells(loans.set_interest, True)
    return life


def _carried(days: int = 0) -> Life:
    """Five years of grace owe 21,912; rows 61 to 63 pay 19,861.3716 each, row 61 interest alone."""
    life = plain(
        on("2019-01-15"),
        rate=D(12),
        installments=63,
        grace_instalments=60,
        interest_calculation=EQUAL_INSTALMENTS,
    )
    if days:
        life.goes_to(on("2023-01-15"), daily=False).tells(loans.set_interest, False)
        lasts(life, days, daily=False).tells(loans.set_interest, True)
    return life


@rule(
    BILLED,
    {
        # row 2: 31 + 28 nights of 12.00; 18,712.9986 - 708 = 18,004.9986
        "as planned": (_graced, "2023-03-15", ["2 18005.00 708.00 0.00"]),
        "10 nights free during the grace": (
            lambda: _graced("01-20", "01-30"), "2023-03-15", ["2 18005.00 588.00 0.00"],
        ),
        "10 nights free after it": (
            lambda: _graced("02-20", "03-02"), "2023-03-15", ["2 18005.00 588.00 0.00"],
        ),
        # planned 19,861.3716 of the 22,284 owed
        "a row that is all interest": (_carried, "2024-02-15", ["61 0.00 19861.37 0.00"]),
        # 120.00 less accrued than planned is 120.00 less billed
        "10 nights free of those it carries": (
            lambda: _carried(10), "2024-02-15", ["61 0.00 19741.37 0.00"],
        ),
        # the next row then bills as planned: cumulatively the 120.00 have been corrected
        "and only once": (
            lambda: _carried(10), "2024-03-15",
            ["61 0.00 19741.37 0.00", "62 17090.74 2770.63 0.00"],
        ),
    },
    part="interest billed so far = interest planned so far + interest accrued so far − interest "
    "that the plan had accrue so far",
)  # fmt: skip
def test_corrected_interest(story: Callable[[], Life], day: str, rows: list[str]) -> None:
    assert bills(story().goes_to(on(day), daily=False)) == rows


@rule(
    "A full-grace row bills nothing.",
    {
        "g = 1, its date": (1, "02-15", []),
        "g = 1, the next": (1, "03-15", ["2 9125.00 590.00 0.00"]),
        "g = 2, the second": (2, "03-15", []),
        "g = 2, the third": (2, "04-15", ["3 12166.67 900.00 0.00"]),
        "g = 4, the fourth": (4, "05-15", []),
    },
)
def test_grace_bills_nothing(grace: int, day: str, rows: list[str]) -> None:
    life = plain(grace_instalments=grace).goes_to(on(day))
    assert bills(life) == rows
    assert life.account.status == "active"


@rule(
    "A full-grace row bills nothing.",
    {"a fee waits for row 2": ("25", ["2 9125.00 590.00 25.00"])},
    part="nothing",
)
def test_grace_bills_no_fee(amount: str, rows: list[str]) -> None:
    life = plain(grace_instalments=1).goes_to(on("02-01")).fee(amount)
    assert bills(life.goes_to(on("02-15"))) == []
    assert bills(life.goes_to(on("03-15"))) == rows


def _one_row() -> Life:
    return plain(installments=1)


def _one_row_fee() -> Life:
    return plain(installments=1).goes_to(on("02-17")).fee("9.99")


def _one_row_part_paid() -> Life:
    life = plain(installments=1).goes_to(on("02-15"))
    life.repays("18560")
    return life


LAST = (
    "The last row bills everything, and from its due date on everything owed is due the day it "
    "arises."
)


@rule(
    LAST,
    {
        "its date": (_one_row, "02-15", ["1 36500.00 310.00 0.00"]),
        "a night more": (_one_row, "02-16", ["1 36500.00 320.00 0.00"]),
        "a month more": (_one_row, "03-15", ["1 36500.00 590.00 0.00"]),
        "a fee on the 17th": (_one_row_fee, "02-17", ["1 36500.00 330.00 9.99"]),
        # 310 of interest and 18,250 of principal paid: 5.00 a night from then on
        "half paid": (_one_row_part_paid, "02-17", ["1 18250.00 10.00 0.00"]),
    },
)
def test_last_row(story: Callable[[], Life], day: str, rows: list[str]) -> None:
    assert bills(story().goes_to(on(day))) == rows


@rule(
    "What is billed is kept to 10 decimals.",
    {
        "10,000 / 3": ("10000", "0", 3, ("3333.3333333333", "0.0000000000")),
        "200 / 3": ("200", "0", 3, ("66.6666666667", "0.0000000000")),
        # 31 nights of 3.9452054795, not of 3.945205479452...
        "1,440 / 365 a night": ("12000", "12", 2, ("6000.0000000000", "122.3013698645")),
    },
)
def test_ten_decimals(amount: str, rate: str, count: int, row: tuple[str, str]) -> None:
    life = plain(amount=D(amount), rate=D(rate), installments=count).goes_to(on("02-15"))
    (billed,) = life.account.billed
    assert kept(billed.principal, billed.interest) == row
    assert billed.principal == D(row[0]) and billed.interest == D(row[1])


def _paid_first() -> Life:
    life = plain().goes_to(on("02-15"))
    life.repays("7610")
    return life


def _paid_ahead() -> Life:
    """The row is paid in full on the 10th, but it is not billed yet."""
    life = plain().goes_to(on("02-10"))
    life.repays("7600")
    return life


@rule(
    "`next_repayment_date` is the oldest unpaid row's due date, else that of the next row that "
    "pays.",
    {
        "at first": (plain, "01-15", "2023-02-15"),
        "billed": (plain, "02-15", "2023-02-15"),
        "two unpaid": (plain, "03-20", "2023-02-15"),
        "paid": (_paid_first, "02-15", "2023-03-15"),
        "the second unpaid": (_paid_first, "03-16", "2023-03-15"),
        "grace is passed over": (lambda: plain(grace_instalments=2), "01-15", "2023-04-15"),
        "on a grace row's date": (lambda: plain(grace_instalments=2), "02-15", "2023-04-15"),
        "1 instalment, overdue": (_one_row, "06-01", "2023-02-15"),
    },
)
def test_next_date(story: Callable[[], Life], day: str, date: str) -> None:
    assert str(story().goes_to(on(day)).view().next_repayment_date) == date


AMOUNT = (
    "`next_repayment_amount`, in pence: what is billed and unpaid; plus what the next row will "
    "bill if nothing else happens, only when nothing is unpaid or that row is at most 5 days away; "
    "less `overpayment`; never more than the day's payoff."
)


@rule(
    AMOUNT,
    {
        "at first: the next row": (plain, "01-15", "2023-02-15 7610.00"),
        "billed: itself": (plain, "02-15", "2023-02-15 7610.00"),
        "a night later the same": (plain, "02-16", "2023-02-15 7610.00"),
        "6 days before the next": (plain, "03-09", "2023-02-15 7610.00"),
        # ... and 7,300 + 28 x 10.00
        "exactly 5 days before": (plain, "03-10", "2023-02-15 15190.00"),
        "on its date": (plain, "03-15", "2023-02-15 15190.00"),
        "paid: the next": (_paid_first, "02-15", "2023-03-15 7524.00"),
        "with a fee that will be billed": (_fees, "02-10", "2023-02-15 7635.01"),
        "stopped: no interest to come": (_stopped, "01-30", "2023-02-15 7510.00"),
        "in grace": (lambda: plain(grace_instalments=1), "01-15", "2023-03-15 9715.00"),
    },
    part="what is billed and unpaid; plus what the next row will bill if nothing else happens, "
    "only when nothing is unpaid or that row is at most 5 days away",
)
def test_next_amount(story: Callable[[], Life], day: str, expected: str) -> None:
    assert due(story().goes_to(on(day))) == expected


@rule(
    AMOUNT,
    {
        # on the 10th 260.00 of interest and the row's 7,300 are paid; 40.00 wait for 5 x 8.00
        "all of it": ("7600", "2023-02-15 0.00"),
        "10.00 less": ("7590", "2023-02-15 10.00"),
        # interest first, then principal: 7,550 leaves 10.00 of the row's principal, at 8.0027 a
        # night: 10 + 5 x 8.0027397260 = 50.0136986300
        "50.00 less": ("7550", "2023-02-15 50.01"),
    },
    part="less `overpayment`",
)
def test_less_overpayment(repaid: str, expected: str) -> None:
    life = plain().goes_to(on("02-10"))
    life.repays(repaid)
    assert due(life) == expected


@rule(
    AMOUNT,
    {
        "1 row, on the first day": (_one_row, "01-15", "36500.00"),
        "after 5 nights": (_one_row, "01-20", "36550.00"),
        "the day before": (_one_row, "02-14", "36800.00"),
        "on the day": (_one_row, "02-15", "36810.00"),
        "overdue: everything owed": (_one_row, "02-25", "36910.00"),
    },
    part="never more than the day's payoff",
)
def test_never_more_than_the_payoff(story: Callable[[], Life], day: str, amount: str) -> None:
    life = story().goes_to(on(day))
    settles = payoff(life.terms, life.account, moment(life.day), life.day)
    assert str(life.view().next_repayment_amount) == amount == str(settles.total)


PAID = (
    "A row is paid when, of everything billed up to it, less than half a penny for each row up to "
    "it is missing (the last row: when the balances are zero); early repayments do not count "
    "towards rows; a shortfall within that tolerance waits for the last row."
)


@rule(
    PAID,
    {
        # 10,000 / 3 = 3,333.3333333333 at 0 %
        "0.0033 missing of row 1": ("10000", 3, ["3333.33"], "2023-03-15"),
        "0.0133 missing of row 1": ("10000", 3, ["3333.32"], "2023-02-15"),
        "0.0066 missing of rows 1 and 2": ("10000", 3, ["3333.33", "3333.33"], "2023-04-15"),
        "0.0166 missing of rows 1 and 2": ("10000", 3, ["3333.33", "3333.32"], "2023-03-15"),
        # 100.01 / 2 = 50.005: exactly half a penny is not less than half a penny
        "exactly half a penny of row 1": ("100.01", 2, ["50.00"], "2023-02-15"),
        # 200.02 / 4: 0.005 of the first, then 0.01 of two: not less than two half pennies
        "more than it was": ("100.01", 2, ["50.01"], "2023-03-15"),
        # 100.03 / 4 = 25.0075 paid with 25.01, 25.00 (0.005 of two rows, less than 0.01)
        "half a penny of two rows": ("100.03", 4, ["25.01", "25.00"], "2023-04-15"),
    },
    part="of everything billed up to it, less than half a penny for each row up to it is missing",
)
def test_tolerance(amount: str, count: int, repaid: list[str], next_date: str) -> None:
    life = plain(amount=D(amount), rate=D(0), installments=count)
    for row, money in zip(life.terms.due_dates, repaid, strict=False):
        life.goes_to(row.due).repays(money)
    assert str(life.view().next_repayment_date) == next_date


@rule(
    PAID,
    {
        "a penny missing": ("36809.99", "active", "2023-02-15"),
        "nothing missing": ("36810.00", "closed", None),
    },
    part="(the last row: when the balances are zero)",
)
def test_last_row_is_paid(repaid: str, status: str, next_date: str | None) -> None:
    life = _one_row().goes_to(on("02-15"))
    life.repays(repaid)
    found = life.view().next_repayment_date
    assert (life.account.status, str(found) if found else None) == (status, next_date)


@rule(
    PAID,
    {
        # 50.00 of interest and the rest principal, repaid on 20 January
        "half a row": ("3700", ["1 7300.00 234.00 0.00"]),
        "two rows": ("14650", ["1 7300.00 156.00 0.00"]),
        # 7,300 left for row 1, at 2.00 a night
        "all but a row": ("29250", ["1 7300.00 52.00 0.00"]),
    },
    part="early repayments do not count towards rows",
)
def test_early_repayments_do_not_count(repaid: str, rows: list[str]) -> None:
    life = plain().goes_to(on("01-20"))
    life.repays(repaid)
    assert bills(life.goes_to(on("02-15"))) == rows


@rule(
    PAID,
    {
        # 3,333.3333333333 twice, 3,333.3333333334
        "two thirds of a penny": ("10000", 3, ["3333.33", "3333.33"], "3333.34"),
        # 200 / 3 = 66.6666666667: paid with 66.67 each, 0.0066666666 too much in all
        "overpaid": ("200", 3, ["66.67", "66.67"], "66.66"),
        "one row": ("10000", 3, ["3333.33"], "3333.33"),
    },
    part="a shortfall within that tolerance waits for the last row",
)
def test_shortfall_waits(amount: str, count: int, repaid: list[str], next_amount: str) -> None:
    life = plain(amount=D(amount), rate=D(0), installments=count)
    for row, money in zip(life.terms.due_dates, repaid, strict=False):
        life.goes_to(row.due).repays(money)
    assert str(life.view().next_repayment_amount) == next_amount


@rule(
    "The oldest unpaid row decides `days_past_due`.",
    {
        "before": (plain, "02-14", 0),
        "on the due date": (plain, "02-15", 0),
        "the day after": (plain, "02-16", 1),
        "two rows unpaid": (plain, "03-20", 33),
        "the first paid": (_paid_first, "03-20", 5),
        "over 29 February": (lambda: plain(on("2024-01-15")), "2024-03-01", 15),
        "1 instalment": (_one_row, "2024-02-15", 365),
    },
)
def test_days_past_due(story: Callable[[], Life], day: str, days: int) -> None:
    assert story().goes_to(on(day), daily=False).view().days_past_due == days
