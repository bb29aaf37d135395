"""Repayments, the fourth stage: principal that is repaid early."""

from __future__ import annotations

from tests.domain.lives import Life
from tests.rules.plain import D, bills, on, plain, planned, split
from tests.rules.rule import rule


def _repaid_early(mode: str, day: str, amount: str, first: str | None) -> Life:
    life = plain(early_repayment_recalculation=mode)
    if first:
        life.goes_to(on("02-15")).repays(first)
    life.goes_to(on(day)).repays(amount)
    return life


@rule(
    "principal: an **early repayment** —",
    {
        "a pound": ("51", "1.00 50.00 0.00 0.00"),
        "a penny": ("50.01", "0.01 50.00 0.00 0.00"),
        "nearly all": ("36549", "36499.00 50.00 0.00 0.00"),
        "nothing": ("50", "0.00 50.00 0.00 0.00"),
    },
)
def test_early(amount: str, expected: str) -> None:
    life = plain().goes_to(on("01-20"))
    done = life.repays(amount)
    assert split(done) == expected
    assert life.account.principal == D(36500) - done.split.principal


FROM_LAST = (
    "`from_last_instalment`: taken off the principal of the last row, then of the one before, …; "
    "rows left without principal disappear; the others keep their planned principal and interest "
    "(what is finally billed is never more than the interest that accrued)."
)
PLAN = ["1 7300.00 310.00", "2 7300.00 224.00", "3 7300.00 186.00", "4 7300.00 120.00",
        "5 7300.00 62.00"]  # fmt: skip


@rule(
    FROM_LAST,
    {
        # on 20 January 50.00 of interest are paid first
        "half of row 5": ("3700", [*PLAN[:4], "5 3650.00 62.00"]),
        "all of row 5": ("7350", PLAN[:4]),
        "a penny of row 4 too": ("7350.01", [*PLAN[:3], "4 7299.99 120.00"]),
        "row 5 and half of row 4": ("11000", [*PLAN[:3], "4 3650.00 120.00"]),
        "all but row 1": ("29250", PLAN[:1]),
        "and half of that": ("32900", ["1 3650.00 310.00"]),
    },
    part="taken off the principal of the last row, then of the one before, …; rows left without "
    "principal disappear; the others keep their planned principal and interest",
)
def test_from_last(amount: str, rows: list[str]) -> None:
    assert planned(_repaid_early("from_last_instalment", "01-20", amount, None)) == rows


@rule(
    FROM_LAST,
    {
        # 26 nights of 9.00, of 8.00, of 2.00
        "half of row 5": ("3700", ["1 7300.00 234.00 0.00"]),
        "all of row 5": ("7350", ["1 7300.00 208.00 0.00"]),
        "all but row 1": ("29250", ["1 7300.00 52.00 0.00"]),
    },
    part="what is finally billed is never more than the interest that accrued",
)
def test_billed_after_early(amount: str, rows: list[str]) -> None:
    life = _repaid_early("from_last_instalment", "01-20", amount, None)
    assert bills(life.goes_to(on("02-15"))) == rows


REDUCED = (
    "`reduced_instalments`: the rows that remain keep their dates and number, and are computed "
    "anew, as a new loan on the day of the repayment (when the next row has just been prepaid by "
    "stage 3: on that row's due date), for the principal that is left."
)


@rule(
    REDUCED,
    {
        # 18,250 left: 5.00 a night, from 20 January; five rows of 3,650
        "half, on 20 January": ("01-20", "18300", None, [
            "1 3650.00 130.00", "2 3650.00 112.00", "3 3650.00 93.00", "4 3650.00 60.00",
            "5 3650.00 31.00"]),
        # 40.00 of interest; 14,600 left over four rows: 4.00 a night, 23 nights of it in row 2
        "half, after row 1": ("02-20", "14640", "7610", [
            "1 7300.00 310.00", "2 3650.00 92.00", "3 3650.00 93.00", "4 3650.00 60.00",
            "5 3650.00 31.00"]),
        "half, with row 1 on its date": ("02-15", "22210", None, [
            "1 7300.00 310.00", "2 3650.00 112.00", "3 3650.00 93.00", "4 3650.00 60.00",
            "5 3650.00 31.00"]),
    },
    part="computed anew, as a new loan on the day of the repayment",
)  # fmt: skip
def test_reduced(day: str, amount: str, first: str | None, rows: list[str]) -> None:
    assert planned(_repaid_early("reduced_instalments", day, amount, first)) == rows


@rule(
    REDUCED,
    {
        # 7,610 go to row 1, 14,600 are early: 14,600 left for rows 2 to 5 from 15 February
        "5 days before row 1": ("02-10", "22210", [
            "2 3650.00 112.00", "3 3650.00 93.00", "4 3650.00 60.00", "5 3650.00 31.00"]),
        # 6 days before, 250.00 of interest and 21,900 of principal: 14,600 over all five rows
        "6 days before: row 1 anew too": ("02-09", "22150", [
            "1 2920.00 24.00", "2 2920.00 89.60", "3 2920.00 74.40", "4 2920.00 48.00",
            "5 2920.00 24.80"]),
    },
    part="when the next row has just been prepaid by stage 3: on that row's due date",
)  # fmt: skip
def test_reduced_when_near(day: str, amount: str, rows: list[str]) -> None:
    life = _repaid_early("reduced_instalments", day, amount, None)
    assert planned(life)[-len(rows) :] == rows


PENNY = (
    "Less than a penny comes off the last row in either mode and recomputes nothing; a row left "
    "with less than a penny of principal disappears into the row before."
)


@rule(
    PENNY,
    {
        # 100.01 / 2 = 50.005, paid with 50.01 on its date: 0.005 are early
        "from the last": ("from_last_instalment", "100.01", 2, "50.01", ["50.0050", "50.0000"]),
        "reduced": ("reduced_instalments", "100.01", 2, "50.01", ["50.0050", "50.0000"]),
        # 100.03 / 4 = 25.0075, paid with 25.01: 0.0025; rows 2 and 3 stay as they were
        "reduced, three left": ("reduced_instalments", "100.03", 4, "25.01",
                                ["25.0075", "25.0075", "25.0075", "25.0050"]),
        # paid with 25.02: 0.0125 is no less than a penny: (75.0225 - 0.0125) / 3 = 25.0033...
        "reduced, more than a penny": ("reduced_instalments", "100.03", 4, "25.02",
                                       ["25.0075", "25.0033", "25.0033", "25.0033"]),
    },
    part="Less than a penny comes off the last row in either mode and recomputes nothing",
)  # fmt: skip
def test_less_than_a_penny(
    mode: str, amount: str, count: int, repaid: str, rows: list[str]
) -> None:
    life = plain(
        amount=D(amount), rate=D(0), installments=count, early_repayment_recalculation=mode
    ).goes_to(on("02-15"))
    life.repays(repaid)
    assert [f"{row.principal:.4f}" for row in life.schedule()] == rows


@rule(
    PENNY,
    {
        # 10,000 / 3: 0.0033333333 of row 3 would be left; row 2 takes it
        "0.0033 of the last row": ("3333.33", ["3333.3333", "3333.3367"]),
        "0.0133 of it stay": ("3333.32", ["3333.3333", "3333.3333", "0.0133"]),
        "0.0067 of the last but one": ("6666.66", ["3333.3400"]),
        "0.0167 of it stay": ("6666.65", ["3333.3333", "0.0167"]),
    },
    part="a row left with less than a penny of principal disappears into the row before",
)
def test_disappearing_row(repaid: str, rows: list[str]) -> None:
    life = plain(amount=D(10000), rate=D(0), installments=3).goes_to(on("01-20"))
    life.repays(repaid)
    assert [f"{row.principal:.4f}" for row in life.schedule()] == rows
