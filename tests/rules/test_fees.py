"""Fees."""

from __future__ import annotations

from chalicelib.domain import loans
from tests.rules.plain import balances, bills, fee, kept, lasts, line, on, plain, shown
from tests.rules.rule import rule


@rule(
    "Flat, or a percentage of the account's total balance at that moment.",
    {
        "flat": ("flat", "25", 0, "25.0000000000"),
        "a penny": ("flat", "0.01", 0, "0.0100000000"),
        "2 % of 3,650": ("percent", "2", 0, "73.0000000000"),
        # ten nights of 1.00
        "2 % of 3,660": ("percent", "2", 10, "73.2000000000"),
        "0.333 % of 3,660": ("percent", "0.333", 10, "12.1878000000"),
        "100 %": ("percent", "100", 1, "3651.0000000000"),
    },
)
def test_amount(kind: str, amount: str, nights: int, expected: str) -> None:
    life = lasts(line(), nights).fee(amount, kind)
    assert kept(life.account.fee) == (expected,)


@rule(
    "Flat, or a percentage of the account's total balance at that moment.",
    {
        # 10 % of 3,650, then of 3,650 + 365, of 3,650 + 365 + 401.5
        "fees count too": (["10", "10", "10"], ["365.00", "401.50", "441.65"]),
        "after one repayment": (["10"], ["365.00"]),
    },
    part="the account's total balance at that moment",
)
def test_percentage_of_everything(percents: list[str], charged: list[str]) -> None:
    life = line()
    for percent in percents:
        life.fee(percent, "percent")
    made = sorted(life.of("fee"), key=lambda item: item.seq)
    assert [shown(item.amount)[0] for item in made] == charged


@rule(
    "Applied at once.",
    {
        "on the first day": ("01-15", "36500.00 0.00 25.00", []),
        "between rows": ("01-20", "36500.00 50.00 25.00", []),
        # billed with the next row, not with the one that is out
        "on a due date": ("02-15", "36500.00 310.00 25.00", ["1 7300.00 310.00 0.00"]),
        "when late": ("02-20", "36500.00 360.00 25.00", ["1 7300.00 310.00 0.00"]),
    },
)
def test_at_once(day: str, owed: str, rows: list[str]) -> None:
    life = plain().goes_to(on(day)).fee("25")
    (item,) = life.of("fee")
    assert (item.status, item.effective_date, balances(life)) == ("applied", on(day), owed)
    assert bills(life) == rows


ENTERS = (
    "Fees of event `arrears` and `default` are charged once each time the loan enters that status."
)


@rule(
    ENTERS,
    {
        # due 15 February; in arrears on the 23rd, in default more than 10 days later, on 6 March
        "not yet": ("02-22", []),
        "arrears": ("02-23", ["02-23 15.00"]),
        "once": ("03-05", ["02-23 15.00"]),
        "default": ("03-06", ["02-23 15.00", "03-06 40.00"]),
        "once each": ("06-30", ["02-23 15.00", "03-06 40.00"]),
    },
)
def test_on_entering(day: str, fees: list[str]) -> None:
    life = plain(
        default_tolerance=10,
        default_fees=(fee("15", "arrears", name="A"), fee("40", "default", name="D")),
    ).goes_to(on(day))
    assert [f"{t.effective_date:%m-%d} {t.amount:.2f}" for t in reversed(life.of("fee"))] == fees


@rule(
    ENTERS,
    {
        # cured on 1 March: row 1's 7,610 (its fee is billed with row 2, due 15 March)
        "a second time": ("03-24", ["02-23", "03-23"]),
        "not before": ("03-22", ["02-23"]),
    },
    part="each time the loan enters that status",
)
def test_again(day: str, fees: list[str]) -> None:
    life = plain(default_fees=(fee("15", "arrears"),)).goes_to(on("03-01"))
    life.repays("7610")
    assert life.account.status == "active"
    life.goes_to(on(day))
    assert [f"{item.effective_date:%m-%d}" for item in reversed(life.of("fee"))] == fees


@rule(
    ENTERS,
    {
        "arrears": ("make_arrears", ["15.00"]),
        "default passes arrears over": ("make_default", ["40.00"]),
    },
    part="enters that status",
)
def test_by_hand(command: str, fees: list[str]) -> None:
    life = lasts(
        plain(default_fees=(fee("15", "arrears", name="A"), fee("40", "default", name="D"))), 5
    )
    life.tells(loans.set_status, command)
    assert [shown(item.amount)[0] for item in lasts(life, 5).of("fee")] == fees


@rule(
    ENTERS,
    {
        # 36,500 + 39 nights of 10.00 on 23 February
        "1 % of what is owed that day": ("1", "368.90"),
        "0 %": ("0", None),
    },
    part="charged",
)
def test_percentage_on_entering(percent: str, amount: str | None) -> None:
    life = plain(default_fees=(fee(percent, "arrears", "percent"),)).goes_to(on("03-01"))
    assert [shown(item.amount)[0] for item in life.of("fee")] == ([amount] if amount else [])
