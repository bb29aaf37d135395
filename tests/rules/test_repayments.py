"""Repayments: how one pays, stage by stage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain import loans
from chalicelib.domain.errors import Refused
from tests.domain.lives import Life
from tests.rules.plain import (
    D,
    balances,
    bills,
    lasts,
    latest,
    line,
    on,
    plain,
    shown,
    split,
)
from tests.rules.rule import rule

SETTLES = (
    "A repayment that, with `overpayment`, covers all that is outstanding settles the loan; what "
    "is left of `overpayment` at closing is a `refund`."
)


def _ahead(amount: str = "7600") -> Life:
    """On 10 February: 260 of interest, 7,300 of principal, the rest waits in ``overpayment``."""
    life = plain().goes_to(on("02-10"))
    life.repays(amount)
    return life


@rule(
    SETTLES,
    {
        "on the first day": (plain, "01-15", "36500", "closed"),
        "with five nights": (plain, "01-20", "36550", "closed"),
        "a penny less": (plain, "01-20", "36549.99", "active"),
        # 36,500 - 7,300 less the 40.00 that wait
        "with overpayment": (_ahead, "02-10", "29160", "closed"),
        "a penny less, with overpayment": (_ahead, "02-10", "29159.99", "active"),
        "overdue": (plain, "03-20", "37140", "closed"),
    },
    part="covers all that is outstanding settles the loan",
)
def test_settling(story: Callable[[], Life], day: str, amount: str, status: str) -> None:
    life = story().goes_to(on(day))
    life.repays(amount)
    assert life.account.status == status
    if status == "closed":
        assert balances(life) == "0.00 0.00 0.00" and not life.account.overpayment


@rule(
    SETTLES,
    {
        "40.00 waited": ("7600", ["40.00"]),
        "50.00 waited": ("7610", ["50.00"]),
        "nothing waited": ("7560", []),
    },
    part="what is left of `overpayment` at closing is a `refund`",
)
def test_refund(repaid: str, refunds: list[str]) -> None:
    life = _ahead(repaid)
    life.tells(loans.close, "gone", "written_off")
    made = life.of("refund")
    assert [shown(item.amount)[0] for item in made] == refunds
    assert [item.overpayment for item in made] == [-item.amount for item in made]
    assert not life.account.overpayment


BILLED_FIRST = (
    "what has been billed and not paid, over all rows together: by `repayment_allocation` "
    "(default: fees, then interest, then principal), oldest row first within each — so that paying "
    "exactly what was billed cures a loan;"
)
FIP = ("fee", "interest", "principal")
PIF = ("principal", "interest", "fee")
IFP = ("interest", "fee", "principal")


@rule(
    BILLED_FIRST,
    {
        # rows 1 and 2 are unpaid on 15 March: 7,300 + 310 + 25 and 7,300 + 280
        "part of the fee": (FIP, "20", ["1 7300.00 310.00 5.00", "2 7300.00 280.00 0.00"]),
        "fee, then interest": (FIP, "300", ["1 7300.00 35.00 0.00", "2 7300.00 280.00 0.00"]),
        "interest of both rows": (FIP, "400", ["1 7300.00 0.00 0.00", "2 7300.00 215.00 0.00"]),
        "then principal": (FIP, "5615", ["1 2300.00 0.00 0.00", "2 7300.00 0.00 0.00"]),
        "row 1 is paid": (FIP, "7915", ["2 7300.00 0.00 0.00"]),
        "a penny less than all": (FIP, "15214.99", ["2 0.01 0.00 0.00"]),
        "all": (FIP, "15215", []),
        "principal first": (PIF, "8000", ["1 0.00 310.00 25.00", "2 6600.00 280.00 0.00"]),
        "principal, then interest": (PIF, "15000", ["1 0.00 0.00 25.00", "2 0.00 190.00 0.00"]),
        "interest first": (IFP, "600", ["1 7300.00 0.00 15.00", "2 7300.00 0.00 0.00"]),
    },
    part="by `repayment_allocation` (default: fees, then interest, then principal), oldest row "
    "first within each",
)
def test_billed_first(order: tuple[str, ...], amount: str, left: list[str]) -> None:
    life = plain(repayment_allocation=order).goes_to(on("02-01")).fee("25").goes_to(on("03-15"))
    life.repays(amount)
    assert bills(life) == left


@rule(
    BILLED_FIRST,
    {
        "one day late": ("02-16", "7610", "late"),
        "in arrears": ("03-01", "7610", "arrears"),
        "two rows": ("03-20", "15190", "arrears"),
        "in default": ("05-01", "22800", "default"),
    },
    part="paying exactly what was billed cures a loan",
)
def test_cured(day: str, amount: str, status: str) -> None:
    # two rows bill 7,610 + 7,580; the third, also at 10.00 a night, 7,300 + 310
    life = plain(default_tolerance=30).goes_to(on(day))
    assert life.account.status == status
    life.repays(amount)
    assert (life.account.status, life.view().days_past_due, bills(life)) == ("active", 0, [])


@rule(
    "fees and interest owed but not billed yet;",
    {
        # row 1 is paid on 15 February; on 1 March 14 nights of 8.00 and a fee of 10.00 are owed
        "part of the fee": (FIP, "4", "0.00 0.00 4.00 0.00"),
        "fee, then interest": (FIP, "100", "0.00 90.00 10.00 0.00"),
        "both": (FIP, "122", "0.00 112.00 10.00 0.00"),
        "a pound more is principal": (FIP, "123", "1.00 112.00 10.00 0.00"),
        "interest first": (IFP, "115", "0.00 112.00 3.00 0.00"),
        "principal comes later in any order": (PIF, "122", "0.00 112.00 10.00 0.00"),
    },
)
def test_owed_then(order: tuple[str, ...], amount: str, expected: str) -> None:
    life = plain(repayment_allocation=order).goes_to(on("02-15"))
    life.repays("7610")
    life.goes_to(on("03-01")).fee("10")
    assert split(life.repays(amount)) == expected


NEAR = (
    "when the next due date is at most 5 days away: towards that row, so that stages 1 to 3 "
    "together take at most what is billed plus what that row will bill."
)


@rule(
    NEAR,
    {
        # the row bills 7,300 + 310; 10.00 a night are owed already
        "6 days away: early": ("02-09", "7600", "7350.00 250.00 0.00 0.00"),
        "exactly 5 days away": ("02-10", "7600", "7300.00 260.00 0.00 40.00"),
        "1 day away": ("02-14", "7605", "7300.00 300.00 0.00 5.00"),
        "part of its principal": ("02-10", "300", "40.00 260.00 0.00 0.00"),
        "all that it will bill": ("02-10", "7610", "7300.00 260.00 0.00 50.00"),
        "10.00 more are early": ("02-10", "7620", "7310.00 260.00 0.00 50.00"),
        # row 1 is unpaid: 7,300 + 310 billed, 23 nights owed, row 2 bills 7,300 + 280
        "behind a billed row, 6 days": ("03-09", "15190", "14660.00 530.00 0.00 0.00"),
        "behind a billed row, 5 days": ("03-10", "15190", "14600.00 540.00 0.00 50.00"),
        "no more than both": ("03-10", "15290", "14700.00 540.00 0.00 50.00"),
        "on the due date it is billed": ("02-15", "7610", "7300.00 310.00 0.00 0.00"),
    },
)
def test_near_row(day: str, amount: str, expected: str) -> None:
    life = plain().goes_to(on(day))
    assert split(life.repays(amount)) == expected


@rule(
    NEAR,
    {
        # grace: no row pays before 15 March
        "a grace row is no due date": ("02-10", "7600", "7340.00 260.00 0.00 0.00"),
        # 31 + 23 nights of 10.00 are owed; the row bills 9,125 + 590
        "the row after it is": ("03-10", "9715", "9125.00 540.00 0.00 50.00"),
    },
    part="at most 5 days away",
)
def test_near_row_after_grace(day: str, amount: str, expected: str) -> None:
    life = plain(grace_instalments=1).goes_to(on(day))
    assert split(life.repays(amount)) == expected


@rule(
    "Its planned principal is paid at once; what then remains waits in `overpayment` until the row "
    "is billed, and pays it by a system transaction `allocation`;",
    {
        # 7,300 are paid on the 10th, so that 5 nights of 8.00 are billed on the 15th
        "exactly enough": ("7600", "29200.00 0.00 0.00", ["40.00"], "0.00", []),
        "too much": ("7610", "29200.00 0.00 0.00", ["40.00"], "10.00", []),
        "too little": ("7590", "29200.00 10.00 0.00", ["30.00"], "0.00", ["1 0.00 10.00 0.00"]),
        "nothing waits": ("7560", "29200.00 40.00 0.00", [], "0.00", ["1 0.00 40.00 0.00"]),
        # 40.00 of the principal: the night is 9.9890410959, 5 of them 49.9452054795
        "part of the principal": ("300", "36460.00 49.95 0.00", [], "0.00",
                                  ["1 7260.00 49.95 0.00"]),
    },
)  # fmt: skip
def test_waiting(
    repaid: str, owed: str, allocations: list[str], left: str, unpaid: list[str]
) -> None:
    life = _ahead(repaid)
    assert life.of("allocation") == []
    life.goes_to(on("02-15"))
    made = life.of("allocation")
    assert [shown(item.amount)[0] for item in made] == allocations
    assert {item.origin for item in made} <= {"system"}
    assert (balances(life), shown(life.account.overpayment)[0]) == (owed, left)
    assert bills(life) == unpaid


@rule(
    "Its planned principal is paid at once; what then remains waits in `overpayment` until the row "
    "is billed, and pays it by a system transaction `allocation`;",
    {"the 10.00 that were too much": ("7610", ["10.00", "40.00"], ["2 7300.00 214.00 0.00"])},
    part="waits in `overpayment` until the row is billed",
)
def test_waiting_on(repaid: str, allocations: list[str], unpaid: list[str]) -> None:
    life = _ahead(repaid).goes_to(on("03-15"))
    assert [shown(item.amount)[0] for item in life.of("allocation")] == allocations
    assert bills(life) == unpaid


@rule(
    "Any other pays, in this order:",
    {
        # on 10 March: row 1 billed with a fee, 7,300 + 310 + 25; 23 nights of 10.00 and a fee of
        # 15.00 owed; row 2 will bill 7,300 + 280 + 15
        "1: the fee billed": ("25", "0.00 0.00 25.00 0.00"),
        "1: its interest": ("335", "0.00 310.00 25.00 0.00"),
        "1: its principal": ("7635", "7300.00 310.00 25.00 0.00"),
        "2: the fee owed": ("7650", "7300.00 310.00 40.00 0.00"),
        "2: the interest owed": ("7880", "7300.00 540.00 40.00 0.00"),
        "3: the near row's principal": ("15180", "14600.00 540.00 40.00 0.00"),
        "3: what waits for it": ("15230", "14600.00 540.00 40.00 50.00"),
        "4: early": ("16230", "15600.00 540.00 40.00 50.00"),
    },
)
def test_the_order(amount: str, expected: str) -> None:
    life = plain().goes_to(on("02-01")).fee("25").goes_to(on("03-10")).fee("15")
    assert split(life.repays(amount)) == expected


@rule(
    "Lines of credit and revolving credit have no rows: there it is the allocation order over the "
    "whole account.",
    {
        # 3,650 at 1.00 a night; after ten nights 10.00 of interest and a fee of 20.00
        "fee": (FIP, "5", "0.00 0.00 5.00 0.00"),
        "fee, interest": (FIP, "25", "0.00 5.00 20.00 0.00"),
        "fee, interest, principal": (FIP, "100", "70.00 10.00 20.00 0.00"),
        "principal first": (PIF, "100", "100.00 0.00 0.00 0.00"),
        "principal, interest": (PIF, "3655", "3650.00 5.00 0.00 0.00"),
        "interest, fee, principal": (IFP, "29", "0.00 10.00 19.00 0.00"),
        "all": (FIP, "3680", "3650.00 10.00 20.00 0.00"),
    },
)
def test_lines(order: tuple[str, ...], amount: str, expected: str) -> None:
    life = lasts(line(repayment_allocation=order), 10).fee("20")
    assert split(life.repays(amount)) == expected


def _half_penny() -> Life:
    """36.505 owed: a night of 36.50 at 5 %."""
    return lasts(line(drawn="36.50", amount=D("36.50"), rate=D(5)), 1)


@rule(
    "More than is outstanding (the exact total rounded half up, less `overpayment`): "
    "`409 exceeds_outstanding`.",
    {
        "all": (lambda: lasts(plain(), 5), "36550.00", True),
        "a penny more": (lambda: lasts(plain(), 5), "36550.01", False),
        "half a penny is rounded up": (_half_penny, "36.51", True),
        "but not further": (_half_penny, "36.52", False),
        "less what waits": (_ahead, "29160.00", True),
        "a penny more than that": (_ahead, "29160.01", False),
        "on the first day": (plain, "36500.01", False),
    },
)
def test_exceeds(story: Callable[[], Life], amount: str, taken: bool) -> None:
    life = story()
    before = life.account
    if taken:
        assert life.repays(amount).amount == D(amount)
        return
    with pytest.raises(Refused) as refused:
        life.repays(amount)
    assert refused.value.code == "exceeds_outstanding"
    assert life.account == before


@rule(
    "**Manual** repayments (made by the partner or end user) change the balances at once, while "
    "still `pending` at the provider, so that no interest accrues on money on its way.",
    {
        # 50.00 of interest are paid first; then 9.00, 5.00, 10.00 a night
        "3,650 of principal": ("3700", "32850.00 0.00 0.00", "9.00"),
        "half of it": ("18300", "18250.00 0.00 0.00", "5.00"),
        "interest only": ("50", "36500.00 0.00 0.00", "10.00"),
        "all of it": ("36550", "0.00 0.00 0.00", "0.00"),
    },
)
def test_manual(amount: str, owed: str, night: str) -> None:
    life = plain().goes_to(on("01-20"))
    waiting = life.repays(amount, confirmed=False)
    assert (waiting.status, balances(life)) == ("pending", owed)
    assert shown(lasts(life, 1).account.interest) == (night,)
    life.tells(loans.apply_repayment, latest(life, waiting))
    assert latest(life, waiting).status == "applied"
    assert shown(life.account.interest) == (night,)
