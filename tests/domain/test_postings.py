"""Double entry: what a transaction posts, and what holds however a loan lives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import loans, postings
from chalicelib.domain.ledger import DIRECTION, Balances, Run, Transaction
from chalicelib.domain.money import PENNY, ZERO
from chalicelib.domain.postings import CHART, POSTINGS, Line
from tests.domain.lives import Life, begins, terms
from tests.domain.moving import all_products, move, moves
from tests.domain.test_account_properties import START

DAY = date(2018, 2, 9)
Written = list[tuple[str, str, str]]


def made(kind: str, amount: str, split: tuple[str, str, str], **more: object) -> Transaction:
    given: dict[str, object] = {
        "id": "id",
        "loan": "loan",
        "seq": 1,
        "type": kind,
        "status": "applied",
        "amount": Decimal(amount),
        "split": Balances(*map(Decimal, split)),
        "effective_date": DAY,
        "processing_date": DAY,
        "created_at": begins(DAY),
        "after": Balances(),
    }
    return Transaction(**{**given, **more})  # type: ignore[arg-type]


def written(item: Transaction) -> Written:
    return [(line.account, str(line.debit), str(line.credit)) for line in postings.lines(item)]


TABLE: list[tuple[Transaction, Written]] = [
    (
        made("disbursement", "1000.00", ("1000.00", "0", "0")),
        [("loan_principal", "1000.00", "0"), ("cash_clearing", "0", "1000.00")],
    ),
    (
        made("repayment", "100.00", ("70.00", "20.50", "4.50"), overpayment=Decimal("5.00")),
        [
            ("cash_clearing", "100.00", "0"),
            ("loan_principal", "0", "70.00"),
            ("interest_receivable", "0", "20.50"),
            ("fees_receivable", "0", "4.50"),
            ("overpayments_held", "0", "5.00"),
        ],
    ),
    (
        made("repayment", "10.00", ("10.00", "0", "0"), status="pending", origin="partner"),
        [("repayments_in_transit", "10.00", "0"), ("loan_principal", "0", "10.00")],
    ),
    (made("repayment", "10.00", ("10.00", "0", "0"), status="pending", origin="schedule"), []),
    (made("disbursement", "10.00", ("10.00", "0", "0"), status="pending", origin="partner"), []),
    (
        made("interest", "3.9452054795", ("0", "3.9452054795", "0")),
        [("interest_receivable", "3.9452054795", "0"), ("interest_income", "0", "3.9452054795")],
    ),
    (
        made("fee", "12.00", ("0", "0", "12.00")),
        [("fees_receivable", "12.00", "0"), ("fee_income", "0", "12.00")],
    ),
    (
        made("write_off", "111.5", ("100", "10.25", "1.25")),
        [
            ("losses", "111.50", "0"),
            ("loan_principal", "0", "100"),
            ("interest_receivable", "0", "10.25"),
            ("fees_receivable", "0", "1.25"),
        ],
    ),
    (
        made("rounding", "0.00", ("0.003", "-0.001", "0")),
        [
            ("loan_principal", "0.003", "0"),
            ("interest_receivable", "0", "0.001"),
            ("rounding_differences", "0", "0.002"),
        ],
    ),
    (
        made("chargeback", "50.00", ("40.00", "10.00", "0")),
        [
            ("loan_principal", "40.00", "0"),
            ("interest_receivable", "10.00", "0"),
            ("cash_clearing", "0", "50.00"),
        ],
    ),
    (
        made("chargeback", "50.00", ("40.00", "0", "0"), overpayment=Decimal("-10.00")),
        [
            ("loan_principal", "40.00", "0"),
            ("overpayments_held", "10.00", "0"),
            ("cash_clearing", "0", "50.00"),
        ],
    ),
    (
        made("refund", "7.004", ("0", "0", "0"), overpayment=Decimal("-7.004")),
        [
            ("overpayments_held", "7.004", "0"),
            ("cash_clearing", "0", "7.00"),
            ("rounding_differences", "0", "0.004"),
        ],
    ),
    (
        made("allocation", "8.00", ("6", "2.001", "0"), overpayment=Decimal("-8.001")),
        [
            ("overpayments_held", "8.001", "0"),
            ("loan_principal", "0", "6"),
            ("interest_receivable", "0", "2.001"),
        ],
    ),
]


@pytest.mark.parametrize(("item", "expected"), TABLE, ids=lambda one: getattr(one, "type", None))
def test_a_transaction_posts(item: Transaction, expected: Written) -> None:
    found = [(account, Decimal(d), Decimal(c)) for account, d, c in written(item)]
    assert found == [(account, Decimal(d), Decimal(c)) for account, d, c in expected]
    assert sum((line.net for line in postings.lines(item)), ZERO) == 0


def test_every_type_of_transaction_posts_and_is_in_the_table_above() -> None:
    assert set(POSTINGS) == set(DIRECTION) == {item.type for item, _ in TABLE}


@pytest.mark.parametrize("status", ["failed", "reverted"])
@pytest.mark.parametrize("item", [item for item, _ in TABLE], ids=lambda one: one.type)
def test_what_failed_or_was_reverted_posts_nothing(item: Transaction, status: str) -> None:
    assert postings.lines(replace(item, status=status)) == ()


def test_the_nights_of_a_run_post_together_what_they_post_one_by_one() -> None:
    run = Run(DAY, DAY + timedelta(days=9), Decimal("1.23"), Balances(), (DAY,))
    assert postings.night_lines(run) == (
        Line("interest_receivable", Decimal("11.07"), ZERO),
        Line("interest_income", ZERO, Decimal("11.07")),
    )
    assert postings.night_lines(replace(run, reverted_by="revert")) == ()


def test_a_repayment_is_in_transit_until_it_is_applied() -> None:
    life = Life(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    waiting = life.repays("500", confirmed=False)
    assert (nets(life)["repayments_in_transit"], nets(life)["cash_clearing"]) == (500, -12000)
    life.goes_to(date(2018, 2, 22)).tells(loans.apply_repayment, waiting)
    assert (nets(life)["repayments_in_transit"], nets(life)["cash_clearing"]) == (0, -11500)


def test_what_a_failed_repayment_posted_is_gone() -> None:
    life = Life(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    twin = Life(terms(), DAY).disburses("12000").goes_to(date(2018, 3, 1))
    waiting = life.repays("500", confirmed=False)
    life.goes_to(date(2018, 3, 1)).fails(waiting)
    assert nets(life) == nets(twin)


# --- whatever happens -----------------------------------------------------------------------------


def nets(life: Life) -> dict[str, Decimal]:
    """From the transactions as they are shown, every night by itself."""
    return postings.nets(life.transactions(), ())


def check(life: Life) -> None:
    for item in life.transactions():
        found = postings.lines(item)
        assert sum((line.net for line in found), ZERO) == 0, item
        assert all(min(line.debit, line.credit) == 0 for line in found)
        assert all(max(line.debit, line.credit) > 0 for line in found)
        assert {line.account for line in found} <= set(CHART)
        if item.type != "rounding":
            small = [line.net for line in found if line.account == postings.ROUNDING]
            assert all(abs(net) <= PENNY / 2 for net in small), item
    found_nets = nets(life)
    account = life.view().account
    for name, net in postings.held(account.balances, account.overpayment).items():
        assert found_nets[name] == net, name
    assert sum(found_nets.values(), ZERO) == 0
    assert found_nets["losses"] == account.written_off
    assert found_nets["repayments_in_transit"] == sum(
        item.amount for item in life.transactions() if item.counts and item.status == "pending"
    )
    runs = [run for batch in life.batches for run in batch.runs]
    if account.run:
        runs.append(account.run)
    journal = [item for item in life.transactions() if item.seq]
    assert postings.nets(journal, runs) == found_nets


@settings(max_examples=100, deadline=None)
@given(all_products, moves, st.booleans())
def test_books_balance_and_agree_with_the_loan_after_every_step(
    agreed: object, acts: list[tuple[str, int, int]], daily: bool
) -> None:
    life = Life(agreed, START).disburses("10000.01")  # type: ignore[arg-type]
    check(life)
    for what, days, share in acts:
        life.goes_to(life.day + timedelta(days=days), daily=daily)
        if move(life, what, share):
            check(life)
