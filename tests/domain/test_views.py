"""The schedule of a running loan: which of its rows are shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.domain.lives import Life
from tests.rules.plain import EQUAL_INSTALMENTS, EQUAL_PRINCIPAL, lasts, on, plain


def rows(life: Life) -> list[str]:
    return [f"{row.number} {row.status}" for row in life.schedule()]


@pytest.mark.parametrize("calculation", [EQUAL_PRINCIPAL, EQUAL_INSTALMENTS])
def test_rows_that_bill_nothing_stay_in_the_schedule(calculation: str) -> None:
    life = plain(rate=Decimal(0), principal_repayment_grace=2, interest_calculation=calculation)
    assert rows(life) == ["1 upcoming", "2 upcoming", "3 upcoming", "4 upcoming", "5 upcoming"]
    life.goes_to(on("02-20"))
    assert rows(life) == ["1 paid", "2 upcoming", "3 upcoming", "4 upcoming", "5 upcoming"]
    life.goes_to(on("04-16"))
    assert rows(life) == ["1 paid", "2 paid", "3 overdue", "4 upcoming", "5 upcoming"]


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("01-25", []),
        ("02-25", ["1 paid"]),
        ("03-25", ["1 paid", "2 paid"]),
        ("04-20", ["1 paid", "2 paid", "3 paid"]),
    ],
)
def test_a_settled_loans_rows_to_come_disappear_those_in_grace_too(
    day: str, left: list[str]
) -> None:
    life = plain(grace_instalments=2).goes_to(on(day))
    life.repays(life.view().account.balances.total)
    assert life.account.status == "closed"
    assert rows(life) == left
    assert rows(lasts(life, 200)) == left


def test_rows_that_early_repayments_leave_without_principal_disappear() -> None:
    life = plain().goes_to(on("02-01"))
    life.repays("14770")  # 170.00 of interest, and the last two rows
    assert rows(life) == ["1 upcoming", "2 upcoming", "3 upcoming"]
    assert rows(lasts(life, 20)) == ["1 overdue", "2 upcoming", "3 upcoming"]
