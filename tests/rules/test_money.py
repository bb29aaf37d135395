"""Money inside the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal, localcontext

from chalicelib.domain import loans
from chalicelib.domain.chargebacks import charge_back
from chalicelib.domain.money import pence
from chalicelib.domain.schedule import annuity
from tests.domain.lives import Life
from tests.rules.plain import (
    D,
    arrives,
    automatic,
    kept,
    laid,
    lasts,
    latest,
    line,
    mandated,
    on,
    plain,
    revolving,
)
from tests.rules.rule import rule


@rule(
    "Exact decimals, computed with 40 significant digits.",
    {
        # 100 / 3 and 200 / 3, the last digit rounded half even
        "a third": ("100", 3, "33." + "3" * 38),
        "two thirds": ("200", 3, "66." + "6" * 37 + "7"),
        "a seventh": ("1", 7, "0." + "142857" * 6 + "1429"),
        "no remainder": ("100", 8, "12.5"),
    },
)
def test_forty_digits(amount: str, count: int, principal: str) -> None:
    with localcontext() as context:
        context.prec = 6  # what the caller computes with does not matter
        row = laid(amount=D(amount), rate=D(0), installments=count)[0]
    assert row.principal == D(principal)


@rule(
    "A night's interest is kept to 10 decimals (half even); nothing else is rounded on the way.",
    {
        # principal x rate / 36,500
        "1440 / 365 = 3.94520547945...": ("12000", "12", "3.9452054795"),
        "2 / 3 of the tenth decimal goes up": ("36500", "0.0000000001667", "0.0000000002"),
        "5e-11, half: down to the even 0": ("0.01", "0.0001825", "0.0000000000"),
        "1.5e-10, half: up to the even 2": ("0.01", "0.0005475", "0.0000000002"),
        "2.5e-10, half: down to the even 2": ("0.01", "0.0009125", "0.0000000002"),
        "just over 2.5e-10": ("0.01", "0.00091251", "0.0000000003"),
    },
    part="A night's interest is kept to 10 decimals (half even)",
)
def test_ten_decimals_a_night(principal: str, rate: str, interest: str) -> None:
    life = lasts(line(drawn=principal, amount=D(principal), rate=D(rate)), 1)
    assert kept(life.account.interest) == (interest,)


@rule(
    "A night's interest is kept to 10 decimals (half even); nothing else is rounded on the way.",
    {
        # 3.9452054795 a night
        "3 nights": (3, "11.8356164385"),
        "31 nights": (31, "122.3013698645"),
        "365 nights are not 1,440.00": (365, "1440.0000000175"),
    },
    part="nothing else is rounded on the way",
)
def test_nights_add_up_exactly(nights: int, interest: str) -> None:
    life = line(drawn="12000", amount=D(12000), rate=D(12))
    assert lasts(life, nights, daily=False).view().account.interest == D(interest)


@rule(
    "What is shown is rounded half up to 2 decimals; what is collected is whole pence.",
    {
        "half a penny": ("0.005", "0.01"),
        "half a penny over an even penny": ("2.665", "2.67"),
        "just under": ("0.0049999999", "0.00"),
        "just under by the fortieth digit": ("0.004" + "9" * 40, "0.00"),
        "a third": ("33.3333333333", "33.33"),
        "half a penny below zero goes away from zero": ("-0.005", "-0.01"),
        "no decimals": ("7", "7.00"),
        "twelve digits": ("999999999999.994", "999999999999.99"),
    },
    part="What is shown is rounded half up to 2 decimals",
)
def test_shown_half_up(exact: str, shown: str) -> None:
    assert str(pence(D(exact))) == shown


@rule(
    "What is shown is rounded half up to 2 decimals; what is collected is whole pence.",
    {
        # 10,000 / 3 = 3,333.333...; each row is 3,333.33, the last has what is left: 3,333.34
        "thirds": ("10000", 3, ["3333.33", "3333.33", "3333.34"]),
        # 100.01 / 2 = 50.005
        "half pennies": ("100.01", 2, ["50.01", "50.00"]),
        # 0.01 / 3: two rows of less than half a penny ask for nothing, the last for the penny
        "a penny in three": ("0.01", 3, ["0.01"]),
    },
    part="what is collected is whole pence",
)
def test_collected_in_pence(amount: str, count: int, collected: list[str]) -> None:
    life = plain(amount=D(amount), rate=D(0), installments=count)
    asked = []
    for row in life.terms.due_dates:
        view = life.goes_to(row.due).view()
        if view.next_repayment_date == row.due:
            asked.append(str(view.next_repayment_amount))
            life.repays(str(view.next_repayment_amount))
    assert asked == collected
    assert life.account.status == "closed"


@rule(
    "When a repayment leaves a total balance within half a penny of zero (half a penny included), "
    "a `rounding` transaction brings every balance to exactly zero.",
    {
        # 36.50 at 5 % is 0.005 a night: the total is 36.505 after one, 36.510 after two, ...
        "half a penny too little": ("5", 1, "36.50", "-0.0050000000"),
        "half a penny too much": ("5", 1, "36.51", "0.0050000000"),
        "nothing left, no rounding": ("5", 2, "36.51", None),
        "a penny left": ("5", 2, "36.50", None),
        "a penny and a half left": ("5", 3, "36.50", None),
        # 0.0050000001 a night
        "just more than half a penny left": ("5.0000001", 1, "36.50", None),
        "just less than half a penny too much": ("5.0000001", 1, "36.51", "0.0049999999"),
        # 0.0049999999 a night
        "just less than half a penny left": ("4.9999999", 1, "36.50", "-0.0049999999"),
    },
)
def test_rounding(rate: str, nights: int, repaid: str, rounding: str | None) -> None:
    life = lasts(line(drawn="36.50", amount=D("36.50"), rate=D(rate)), nights)
    owed = life.account.balances.total
    life.repays(repaid)
    made = [kept(item.split.total)[0] for item in life.of("rounding")]
    assert made == ([] if rounding is None else [rounding])
    left = D(0) if rounding is not None else owed - D(repaid)
    assert sum(life.account.balances) == left
    if not left:
        assert life.account.balances == (0, 0, 0)


def _quiet() -> Life:
    return lasts(plain(), 20)


def _every_kind() -> Life:
    """Fees, part payments, money paid ahead and waiting, a pending repayment, a write-off."""
    life = lasts(plain(), 10).fee("12.34").fee("1.5", "percent")
    life.goes_to(on("02-11")).repays("7800")
    life.goes_to(on("02-20")).repays("500.55", confirmed=False)
    life.goes_to(on("04-20")).tells(loans.set_interest, False)
    return lasts(life, 5)


def _written_off() -> Life:
    life = lasts(plain(), 100)
    life.tells(loans.close, "gone", "written_off")
    return life


def _failed() -> Life:
    life = lasts(plain(), 10)
    waiting = life.repays("1000", confirmed=False)
    lasts(life, 30)
    return life.fails(waiting)


def _reverted() -> Life:
    life = lasts(plain(), 10)
    done = life.repays("1000")
    return lasts(lasts(life, 10).reverts(latest(life, done)), 5)


def _rounded() -> Life:
    life = lasts(plain(amount=D("12000.01"), rate=D("11.9")), 17)
    life.repays(pence(life.account.balances.total))
    return life


def _backdated() -> Life:
    life = lasts(line(), 30)
    life.repays_as_of("365", date(2023, 1, 20))
    return life


def _collected() -> Life:
    """Row 1 is collected and confirmed three days later, row 2 is on its way."""
    life = mandated(plain()).goes_to(on("02-18"))
    arrives(life, automatic(life)[0], on("02-15"))
    return life.goes_to(on("03-12"))


def _charged_back() -> Life:
    life = mandated(plain()).goes_to(on("02-20"))
    done = arrives(life, automatic(life)[0], on("02-15"))
    life.tells(charge_back, done, "claimed")
    return lasts(life, 10)


def _with_statements() -> Life:
    life = revolving().goes_to(on("02-10")).fee("9")
    life.repays("300")
    return life.goes_to(on("04-20"), daily=False)


SIGNS = {"disbursement": 1, "interest": 1, "fee": 1, "rounding": 1, "chargeback": 1,
         "repayment": -1, "allocation": -1, "write_off": -1, "refund": 0}  # fmt: skip


@rule(
    "Invariant, always and for every loan: each balance equals the sum of its applied "
    "transactions' splits (for manual repayments, pending ones too).",
    {
        "nothing but nights": _quiet,
        "fees, prepayment, part payment, pending money": _every_kind,
        "written off": _written_off,
        "a failed repayment": _failed,
        "a reverted repayment": _reverted,
        "a backdated repayment": _backdated,
        "settled with a rounding": _rounded,
        "collected": _collected,
        "charged back": _charged_back,
        "revolving credit": _with_statements,
    },
)
def test_balances_are_sums(story: Callable[[], Life]) -> None:
    life = story()
    sums = [Decimal(0)] * 3
    for item in life.transactions():
        manual = item.type == "repayment" and item.origin == "partner"
        if item.status == "applied" or (manual and item.status == "pending"):
            sums = [s + SIGNS[item.type] * x for s, x in zip(sums, item.split, strict=True)]
    assert sums == list(life.view().account.balances)


@rule(
    "Everything here is a pure function of the product, the loan, its transactions, the calendar "
    "and a date: no clock, no store, no network.",
    {
        "five rows": ("36500", "10", 5),
        "one row": ("1000", "12", 1),
        "six hundred rows": ("250000", "4.5", 600),
    },
)
def test_the_same_again(amount: str, rate: str, count: int) -> None:
    given = {"amount": D(amount), "rate": D(rate), "installments": count}
    lives = [lasts(plain(**given), 100, daily=daily) for daily in (True, False, True)]
    first, second, third = (life.view() for life in lives)
    assert first == second == third
    assert lives[0].schedule() == lives[2].schedule()


@rule(
    "The same functions serve the quote, the account, the daily jobs and the tests.",
    {
        # m = 0.01 over two rows: 20,100 x 0.01 x 1.0201 / 0.0201 = 10,201.00
        "two rows": ("20100", "12", 2, "10201.00"),
        # three rows: 30,301 x 0.01 x 1.030301 / 0.030301 = 10,303.01
        "three rows": ("30301", "12", 3, "10303.01"),
        "one row": ("1000", "12", 1, "1010.00"),
    },
)
def test_one_set_of_functions(amount: str, rate: str, count: int, payment: str) -> None:
    with localcontext() as context:
        context.prec = 40
        assert pence(annuity(D(amount), D(rate), count)) == D(payment)
    given = {"amount": D(amount), "rate": D(rate), "installments": count,
             "interest_calculation": "equal_instalments"}  # fmt: skip
    quoted = [(r.number, r.due, pence(r.principal), pence(r.interest)) for r in laid(**given)]
    account = plain(**given)
    shown = [
        (r.number, r.due_date, pence(r.principal), pence(r.interest)) for r in account.schedule()
    ]
    assert shown == quoted
    if count > 1:
        assert quoted[0][2] + quoted[0][3] == D(payment)
