"""The rows of the data sets: what an account alone says, and how nothing is written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from chalicelib.domain.account import Account, Terms
from chalicelib.domain.data_windows import takes_loan, window
from chalicelib.domain.datasets import (
    REPAYMENTS,
    Known,
    loan_row,
    tells_what_was_paid_out,
    texts,
)
from chalicelib.domain.schedule import Basis
from tests.domain.lives import Life, terms

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


#: However a product was written, its loans are of one of the API's four types.
TYPES = [
    ("term_loan", "equal_instalments", "term_loan_equal_instalments"),
    ("term_loan", "equal_principal_payments", "term_loan_equal_principal"),
    ("line_of_credit", "equal_instalments", "line_of_credit"),
    ("revolving_credit", "equal_instalments", "revolving_credit"),
]


@pytest.mark.parametrize(("kind", "calculation", "told"), TYPES)
def test_an_investor_reads_how_a_loan_is_repaid(kind: str, calculation: str, told: str) -> None:
    rate = Decimal(12)
    agreed = Terms("l", "a", "e", "p", kind, LENT, rate, interest_calculation=calculation)
    row = loan_row(Known(agreed, Account("l", "e"), PAID_OUT, PAID_OUT), "GBP")
    assert row["product_type"] == told


def test_a_loan_that_a_chargeback_had_reopened_is_closed_anew_when_it_is_given_back() -> None:
    """Else the files that have told that it is open would never tell of its end."""
    life = Life(terms(installments=1), date(2018, 2, 9)).disburses("12000").with_mandate()
    (made,) = life.goes_to(date(2018, 3, 16)).automatic()
    life.confirms(made, date(2018, 3, 14))
    assert _closed_on(life) == date(2018, 3, 16)
    taken = life.goes_to(date(2018, 4, 20)).charges_back(life.now(made))
    assert _closed_on(life) is None
    life.goes_to(date(2018, 4, 25)).cancels_chargeback(taken)
    assert _closed_on(life) == date(2018, 4, 25)
    told = takes_loan(window(date(2018, 4, 26)), life.account.status, _closed_on(life), ceded=False)
    assert told


def _closed_on(life: Life) -> date | None:
    opened = date(2018, 2, 9)
    return Known(life.terms, life.account, life.day, opened, batches=tuple(life.batches)).closed_on
