"""The rows of the data sets: what an account alone says, and how nothing is written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.datasets import REPAYMENTS, tells_what_was_paid_out, texts
from chalicelib.domain.schedule import Basis

PAID_OUT = date(2026, 1, 17)
LENT, LEFT = Decimal(1500), Decimal("1289.99")

#: Where a plan begins: at the disbursement (principal taken off its end changes nothing of that),
#: or with what an early repayment under ``reduced_instalments`` has put in its place.
BEGINNINGS = [
    (Basis(1, PAID_OUT, LENT), True),
    (Basis(1, PAID_OUT, LENT, trimmed=Decimal(200), open_from=1), True),
    (Basis(1, date(2026, 1, 19), LEFT, last=6), False),
    (Basis(1, PAID_OUT, LEFT, last=6), False),  # repaid on the day itself
    (Basis(3, date(2026, 3, 2), LEFT, last=6), False),
]


@pytest.mark.parametrize(("basis", "told"), BEGINNINGS)
def test_whether_an_account_tells_what_was_paid_out(basis: Basis, told: bool) -> None:
    account = Account("l", "e", disbursed_on=PAID_OUT, bases=(basis,))
    assert tells_what_was_paid_out(account) is told


def test_an_account_without_a_plan_tells_of_no_disbursement() -> None:
    assert tells_what_was_paid_out(Account("l", "e"))
    assert not tells_what_was_paid_out(Account("l", "e", disbursed_on=PAID_OUT))


def test_nothing_has_no_sign() -> None:
    columns = [one for one in REPAYMENTS if one.name in ("amount", "fee", "interest")]
    row = {"amount": Decimal("-0.01"), "interest": Decimal("-0.00"), "fee": Decimal("0.00")}
    assert texts(columns, row) == ["-0.01", "0.00", "0.00"]
