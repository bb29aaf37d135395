"""Schedules of term loans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chalicelib.domain.money import pence
from chalicelib.domain.schedule import Row, annuity
from tests.rules.plain import EQUAL_INSTALMENTS, EQUAL_PRINCIPAL, D, laid, on, shown, total
from tests.rules.rule import rule

GOLDEN = Path(__file__).parent.parent / "golden"
ZERO_ROW = "0.00 0.00"


def table(rows: tuple[Row, ...] | list[Row]) -> list[str]:
    """Each row's ``principal interest``, as shown."""
    return [" ".join(shown(row.principal, row.interest)) for row in rows]


@rule(
    "N = `installments` periods, the grace included.",
    {
        "no grace": (5, 0, 0, 5, "2023-06-15"),
        "1 instalment": (1, 0, 0, 1, "2023-02-15"),
        "grace of two": (5, 2, 0, 5, "2023-06-15"),
        "both graces": (5, 2, 2, 5, "2023-06-15"),
        "600": (600, 0, 0, 600, "2073-01-15"),
    },
)
def test_periods(count: int, grace: int, interest_only: int, rows: int, last: str) -> None:
    for calculation in (EQUAL_PRINCIPAL, EQUAL_INSTALMENTS):
        found = laid(
            installments=count,
            grace_instalments=grace,
            principal_repayment_grace=interest_only,
            interest_calculation=calculation,
        )
        assert [row.number for row in found] == list(range(1, rows + 1))
        assert found[-1].due == on(last)


@rule(
    "m = rate / 1200.",
    {
        # over one period the payment is B x (1 + m)
        "12 %": ("1000", "12", "1010.0000000000"),
        "6 %": ("1000", "6", "1005.0000000000"),
        "0.12 %": ("1000", "0.12", "1000.1000000000"),
        "10 %: 1 / 120": ("1200", "10", "1210.0000000000"),
        "zero": ("1000", "0", "1000.0000000000"),
    },
)
def test_monthly_rate(balance: str, rate: str, payment: str) -> None:
    assert f"{annuity(D(balance), D(rate), 1):.10f}" == payment


@rule(
    "Row interest = exact interest on the row's opening principal over its actual nights.",
    {
        # 36,500 at 10 % is 10.00 a night, 2.00 less after each row
        "from 15 January": ("2023-01-15", {}, [(31, "310.00"), (28, "224.00"), (31, "186.00"),
                                               (30, "120.00"), (31, "62.00")]),
        "a leap February": ("2024-01-15", {}, [(31, "310.00"), (29, "232.00"), (31, "186.00"),
                                               (30, "120.00"), (31, "62.00")]),
        # 15 April 2023 is a Saturday: that row ends on the 14th, the next begins there
        "moved before": (
            "2023-01-15", {"repayment_holiday_scheduling": "last_business_day_before_the_day"},
            [(31, "310.00"), (28, "224.00"), (30, "180.00"), (31, "124.00"), (31, "62.00")],
        ),
        # ... or on Monday the 17th
        "moved after": (
            "2023-01-15", {"repayment_holiday_scheduling": "first_business_day_after_the_day"},
            [(31, "310.00"), (28, "224.00"), (33, "198.00"), (28, "112.00"), (31, "62.00")],
        ),
        # Good Friday and Easter Monday are free in row 3, three holidays in row 4
        "holidays free": (
            "2023-01-15", {"calculate_interest_on_holidays": False},
            [(31, "310.00"), (28, "224.00"), (29, "174.00"), (28, "112.00"), (30, "60.00")],
        ),
        "zero rate": ("2023-01-15", {"rate": D(0)}, [(31, "0.00"), (28, "0.00"), (31, "0.00"),
                                                     (30, "0.00"), (31, "0.00")]),
        "the next day": ("2023-01-31", {"repayment_date_period": 1, "installments": 1},
                         [(1, "10.00")]),
    },
)  # fmt: skip
def test_row_interest(start: str, given: dict[str, Any], rows: list[tuple[int, str]]) -> None:
    found = laid(on(start), **given)
    assert [(row.nights, *shown(row.interest)) for row in found] == rows


@rule(
    "**Equal principal**: each paying row repays principal / n.",
    {
        "36,500 / 5": ("36500", 5, 0, ["7300.0000000000"] * 5),
        "10,000 / 3": ("10000", 3, 0, ["3333.3333333333"] * 3),
        "100.01 / 2": ("100.01", 2, 0, ["50.0050000000"] * 2),
        "1 instalment": ("36500", 1, 0, ["36500.0000000000"]),
        "after grace, 36,500 / 4": ("36500", 5, 1, ["0.0000000000"] + ["9125.0000000000"] * 4),
    },
)
def test_equal_principal(amount: str, count: int, grace: int, principal: list[str]) -> None:
    found = laid(amount=D(amount), installments=count, grace_instalments=grace)
    assert [f"{row.principal:.10f}" for row in found] == principal
    assert total(row.principal for row in found) == D(amount)


EQUAL = (
    "**Equal instalments**: payment = B·m / (1 − (1+m)^−n) (B / n at 0 %), of which the interest "
    "is taken first and the rest is principal; the last row pays all that is left."
)


@rule(
    EQUAL,
    {
        # 1 - 1.01^-2 = 0.0201 / 1.0201
        "2 rows: 20,100 x 0.01 x 1.0201 / 0.0201": ("20100", "12", 2, "10201.0000000000"),
        # 1 - 1.01^-3 = 0.030301 / 1.030301
        "3 rows: 30,301 x 0.01 x 1.030301 / 0.030301": ("30301", "12", 3, "10303.0100000000"),
        # m = 1: 1 - 1/2^3 = 7 / 8
        "3 rows at 1200 %: 700 x 8 / 7": ("700", "1200", 3, "800.0000000000"),
        "0 %: 1,200 / 12": ("1200", "0", 12, "100.0000000000"),
        "0 %: 100 / 3": ("100", "0", 3, "33.3333333333"),
    },
    part="payment = B·m / (1 − (1+m)^−n) (B / n at 0 %)",
)
def test_payment(amount: str, rate: str, count: int, payment: str) -> None:
    assert f"{annuity(D(amount), D(rate), count):.10f}" == payment
    found = laid(
        amount=D(amount), rate=D(rate), installments=count, interest_calculation=EQUAL_INSTALMENTS
    )
    assert {f"{row.total:.10f}" for row in found[:-1]} == {payment}


@rule(
    EQUAL,
    {
        # row 1: 20,100 x 12 x 31 / 36,500 = 204.8547945205; 10,201 - that = 9,996.1452054795
        # row 2: 10,103.8547945205 is left; x 12 x 28 / 36,500 = 93.0108441632
        "2 rows": ("20100", "12", 2, ["9996.15 204.85", "10103.85 93.01"]),
        # row 1: 30,301 x 12 x 31 / 36,500 = 308.8211506849; 10,303.01 - that = 9,994.1888493151
        # row 2: 20,306.8111506849 x 12 x 28 / 36,500 = 186.9339985816; ... = 10,116.0760014184
        # row 3: 10,190.7351492665 x 12 x 31 / 36,500 = 103.8617007...
        "3 rows": ("30301", "12", 3, ["9994.19 308.82", "10116.08 186.93", "10190.74 103.86"]),
        # all that is left: 31 nights of 12.00, not the 365.00 of 36,500 x m
        "1 row": ("36500", "12", 1, ["36500.00 372.00"]),
        "0 %: the last row has the rest": ("100", "0", 3, ["33.33 0.00"] * 3),
    },
    part="of which the interest is taken first and the rest is principal; the last row pays all "
    "that is left",
)
def test_equal_instalments(amount: str, rate: str, count: int, rows: list[str]) -> None:
    found = laid(
        amount=D(amount), rate=D(rate), installments=count, interest_calculation=EQUAL_INSTALMENTS
    )
    assert table(found) == rows
    assert total(row.principal for row in found) == D(amount)


@rule(
    "`grace_instalments` g: the first g rows pay nothing; their interest is owed, without "
    "compounding.",
    {
        # 10.00 a night for 31, 28, 31 nights
        "g = 1": (1, ["310.00"]),
        "g = 2": (2, ["310.00", "590.00"]),
        "g = 3": (3, ["310.00", "590.00", "900.00"]),
        "g = 4, all but the last": (4, ["310.00", "590.00", "900.00", "1200.00"]),
    },
)
def test_full_grace(grace: int, owed: list[str]) -> None:
    for calculation in (EQUAL_PRINCIPAL, EQUAL_INSTALMENTS):
        rows = laid(grace_instalments=grace, interest_calculation=calculation)[:grace]
        assert table(rows) == [ZERO_ROW] * grace
        assert [shown(row.deferred)[0] for row in rows] == owed


@rule(
    "Equal principal: it is paid in row g+1.",
    {
        # what the grace owes and the row's own interest: 310 + 280; then 27.375 a month less
        "g = 1": (1, 0, [ZERO_ROW, "9125.00 590.00", "9125.00 232.50", "9125.00 150.00",
                         "9125.00 77.50"]),
        # 310 + 280 + 310
        "g = 2": (2, 0, [ZERO_ROW, ZERO_ROW, "12166.67 900.00", "12166.67 200.00",
                         "12166.67 103.33"]),
        "row g+1 pays interest only": (1, 1, [ZERO_ROW, "0.00 590.00", "12166.67 310.00",
                                              "12166.67 200.00", "12166.67 103.33"]),
        # 310 + 280 + 310 + 300 + 310
        "row g+1 is the last": (4, 0, [ZERO_ROW] * 4 + ["36500.00 1510.00"]),
        "no grace": (0, 0, ["7300.00 310.00", "7300.00 224.00", "7300.00 186.00",
                            "7300.00 120.00", "7300.00 62.00"]),
    },
)  # fmt: skip
def test_grace_of_equal_principal(grace: int, interest_only: int, rows: list[str]) -> None:
    found = laid(grace_instalments=grace, principal_repayment_grace=interest_only)
    assert table(found) == rows


CARRY = (
    "Equal instalments: it is part of B and paid from row g+p+1 on, where a payment goes to "
    "interest owed first; a payment that does not cover the interest owed carries the rest, and "
    "none is more than what is left (later rows are then zero)."
)


def graced(rate: str, count: int, grace: int, interest_only: int, start: str) -> tuple[Row, ...]:
    return laid(
        on(start),
        rate=D(rate),
        installments=count,
        grace_instalments=grace,
        principal_repayment_grace=interest_only,
        interest_calculation=EQUAL_INSTALMENTS,
    )


@rule(
    CARRY,
    {
        # 36,500 at 12 % is 12.00 a night; B = 36,500 + 31 x 12, n = 2:
        # the payment is 36,872 x 0.01 x 1.0201 / 0.0201 = 18,712.9986069652
        # row 2: 372 + 28 x 12 = 708 of interest, the rest is principal
        # row 3: 18,495.0013930348 is left, x 12 x 31 / 36,500 = 188.4970...
        "g = 1": (3, 1, 0, [ZERO_ROW, "18005.00 708.00", "18495.00 188.50"]),
        # row 2 pays its own 336; B is 36,872 still; row 3: 372 + 31 x 12 = 744
        # row 4: 18,531.0013930348 x 12 x 30 / 36,500 = 182.7715...
        "g = 1, p = 1": (4, 1, 1, [ZERO_ROW, "0.00 336.00", "17969.00 744.00",
                                   "18531.00 182.77"]),
        # the last row pays all: 12 x (31 + 28)
        "g = 1, one row left": (2, 1, 0, [ZERO_ROW, "36500.00 708.00"]),
        "g = 1, p = 1, one row left": (3, 1, 1, [ZERO_ROW, "0.00 336.00", "36500.00 744.00"]),
    },
    part="it is part of B and paid from row g+p+1 on, where a payment goes to interest owed first",
)  # fmt: skip
def test_grace_of_equal_instalments(
    count: int, grace: int, interest_only: int, rows: list[str]
) -> None:
    assert table(graced("12", count, grace, interest_only, "2023-01-15")) == rows


@rule(
    CARRY,
    {
        # five years of grace from 15 January 2019: 1,826 nights x 12.00 = 21,912 owed; B = 58,412
        # the payment is 58,412 x 0.01 x 1.030301 / 0.030301 = 19,861.3715758556
        # row 61: 21,912 + 31 x 12 = 22,284 are owed: 2,422.6284241444 are carried
        "the first payment is all interest": (61, "0.00 19861.37 2422.63"),
        # row 62: 2,422.6284241444 + 29 x 12 = 2,770.6284241444
        "the second pays the rest of it": (62, "17090.74 2770.63 0.00"),
        # row 63: all that is left, 19,409.2568482888, and x 12 x 31 / 36,500 = 197.8148...
        "the last": (63, "19409.26 197.81 0.00"),
        "the end of the grace": (60, "0.00 0.00 21912.00"),
    },
    part="a payment that does not cover the interest owed carries the rest",
)
def test_carried_interest(number: int, row: str) -> None:
    found = graced("12", 63, 60, 0, "2019-01-15")[number - 1]
    assert " ".join(shown(found.principal, found.interest, found.deferred)) == row


@rule(
    CARRY,
    {
        # 120.00 a night, a year's grace owes 43,800; B = 80,300, n = 24, m = 0.1: each payment is
        # 8,937.3720.  B bore interest in the formula, the interest owed does not: they cover all
        # by row 26
        "interest only while it is carried": (20, "0.00 8937.37"),
        # 10 payments would be 47,384.61 ... here 1,581.02 carried + 30 x 120 = 5,181.02
        "the first with principal": (21, "3756.35 5181.02"),
        "the last whole one": (25, "7502.96 1434.41"),
        "what is left, 7,176.19": (26, "6571.27 604.92"),
        "zero": (27, ZERO_ROW),
        "zero to the end": (36, ZERO_ROW),
    },
    part="none is more than what is left (later rows are then zero)",
)
def test_later_rows_are_zero(number: int, row: str) -> None:
    found = graced("120", 36, 12, 0, "2023-01-15")
    assert table(found)[number - 1] == row
    assert total(one.principal for one in found) == D(36500)
    assert {pence(one.total) for one in found[12:25]} == {D("8937.37")}


@rule(
    "`principal_repayment_grace` p: the next p rows pay interest only.",
    {
        "p = 1": (0, 1, [1]),
        "p = 3": (0, 3, [1, 2, 3]),
        "g = 1, p = 2": (1, 2, [2, 3]),
        "g = 2, p = 2, one row left": (2, 2, [3, 4]),
        "p = 4, one row left": (0, 4, [1, 2, 3, 4]),
    },
)
def test_principal_grace(grace: int, interest_only: int, numbers: list[int]) -> None:
    own = {1: "310.00", 2: "280.00", 3: "310.00", 4: "300.00"}  # 10.00 a night
    found = laid(
        grace_instalments=grace,
        principal_repayment_grace=interest_only,
        interest_calculation=EQUAL_INSTALMENTS,
    )
    only = [row for row in found if row.interest and not row.principal]
    assert [row.number for row in only] == numbers
    assert [shown(row.interest)[0] for row in only] == [own[number] for number in numbers]


@rule(
    "n is what remains.",
    {
        "5": (5, 0, 0, 5, "7300.0000000000"),
        "5 - 1 - 0": (5, 1, 0, 4, "9125.0000000000"),
        "5 - 0 - 1": (5, 0, 1, 4, "9125.0000000000"),
        "5 - 2 - 1": (5, 2, 1, 2, "18250.0000000000"),
        "5 - 2 - 2": (5, 2, 2, 1, "36500.0000000000"),
    },
)
def test_what_remains(count: int, grace: int, only: int, n: int, principal: str) -> None:
    for calculation in (EQUAL_PRINCIPAL, EQUAL_INSTALMENTS):
        found = laid(
            rate=D(0),
            installments=count,
            grace_instalments=grace,
            principal_repayment_grace=only,
            interest_calculation=calculation,
        )
        assert [f"{row.principal:.10f}" for row in found[-n:]] == [principal] * n
        assert not any(row.principal for row in found[:-n])
