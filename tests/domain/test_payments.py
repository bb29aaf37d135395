"""What events of a payment mean for its repayment: by hand, and in every order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from chalicelib.domain import payments
from chalicelib.domain.ledger import Balances, Transaction
from chalicelib.domain.payments import Payment

LOAN = "0d1f7f2e-6f51-4c3e-9d3f-3f1c7a3c1a10"
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
MONDAY = date(2026, 3, 16)


def repayment(seq: int = 3, **given: Any) -> Transaction:
    fields = {
        "id": f"{LOAN[:24]}{seq:012x}",
        "loan": LOAN,
        "seq": seq,
        "type": "repayment",
        "status": "pending",
        "amount": Decimal(100),
        "split": Balances(Decimal(100)),
        "effective_date": MONDAY,
        "processing_date": MONDAY,
        "created_at": NOON,
        "after": Balances(),
        "origin": "schedule",
        "provider": "gocardless",
        "row": 1,
        "due": MONDAY + timedelta(days=4),
    }
    return Transaction(**{**fields, **given})


def payment(status: str = "pending_submission", **given: Any) -> Payment:
    return Payment(repayment().id, LOAN, "PM1", status, Decimal(100), **given)


def test_an_event_in_order_moves_the_payment_and_any_other_makes_us_look() -> None:
    made = payment()
    for action, status in (("submitted", "submitted"), ("confirmed", "confirmed")):
        moved = payments.happened(made, action, NOON)
        assert moved is not None and (moved.status, moved.told_at) == (status, NOON)
        made = moved
    assert payments.happened(made, "submitted", NOON) is None, "it is past that"
    assert payments.happened(made, "paid_out", NOON - timedelta(seconds=1)) is None, "older"
    assert payments.happened(made, "paid_out", None) is None, "nobody knows when"


@pytest.mark.parametrize(
    ("item", "status", "action", "expected"),
    [
        ("pending", "confirmed", "confirmed", "arrive"),
        ("pending", "paid_out", "submitted", "arrive"),
        ("pending", "charged_back", "charged_back", "arrive"),
        ("pending", "failed", "failed", "fail"),
        ("pending", "cancelled", "cancelled", "fail"),
        ("pending", "customer_approval_denied", "customer_approval_denied", "fail"),
        ("pending", "failed", "submitted", "nothing"),
        ("pending", "pending_submission", "failed", "nothing"),
        ("applied", "failed", "failed", "fail"),
        ("applied", "confirmed", "failed", "nothing"),
        ("applied", "paid_out", "confirmed", "nothing"),
        ("applied", "charged_back", "charged_back", "charge_back"),
        ("applied", "confirmed", "chargeback_cancelled", "give_back"),
        ("failed", "failed", "failed", "nothing"),
        ("failed", "pending_submission", "resubmission_requested", "revive"),
        ("failed", "confirmed", "confirmed", "revive"),
        ("failed", "charged_back", "charged_back", "nothing"),
        ("reverted", "charged_back", "charged_back", "nothing"),
        ("reverted", "failed", "failed", "nothing"),
    ],
)
def test_what_follows_for_the_repayment(item: str, status: str, action: str, expected: str) -> None:
    before = payment("confirmed" if item == "applied" else "submitted")
    found = payments.step(repayment(status=item), before, payment(status), action, NOON)
    assert found == expected


@pytest.mark.parametrize("action", ["failed", "cancelled"])
def test_what_was_applied_by_hand_does_not_fail_at_the_provider(action: str) -> None:
    by_hand = repayment(status="applied")
    assert payments.step(by_hand, payment(), payment(action), action, NOON) == "nothing"


def test_a_failure_that_was_known_is_not_another_one() -> None:
    known = payment("failed", failed_at=NOON)
    args = (repayment(attempt=2), known, known, "failed")
    assert payments.step(*args, NOON) == "nothing"
    assert payments.step(*args, NOON + timedelta(days=4)) == "fail"


STORY = ("submitted", "confirmed", "paid_out")


@pytest.mark.parametrize("order", list(permutations(STORY)))
def test_in_every_order_the_payment_ends_where_the_provider_has_it(order: Any) -> None:
    """Each event looked at when it does not fit; the money arrives once."""
    made, item, arrived = payment(), repayment(), 0
    for action in order:
        at = NOON + timedelta(hours=STORY.index(action))
        after = payments.happened(made, action, at)
        after = after or payments.observed(made, "paid_out", MONDAY, at)
        if payments.step(item, made, after, action, at) == "arrive":
            item, arrived = repayment(status="applied"), arrived + 1
        made = after
    assert (made.status, arrived) == ("paid_out", 1)


def test_the_charge_date() -> None:
    due, soon, later = date(2026, 3, 20), date(2026, 3, 19), date(2026, 3, 24)
    first = repayment()
    assert payments.charge_date(first, MONDAY, soon) == due
    assert payments.charge_date(first, MONDAY, later) == later
    assert payments.charge_date(first, MONDAY, None) == due
    assert payments.charge_date(first, later, None) is None, "as soon as possible"
    assert payments.charge_date(repayment(due=None), MONDAY, soon) is None
    again = repayment(attempt=2)
    assert payments.charge_date(again, date(2026, 3, 19), None) == date(2026, 3, 24)
    assert payments.charge_date(again, date(2026, 4, 2), None) == date(2026, 4, 9), "Easter"
    assert payments.charge_date(again, MONDAY, date(2026, 3, 30)) == date(2026, 3, 30)


def test_where_the_money_is() -> None:
    paid = repayment(1, status="applied")
    assert payments.money_of([paid], paid) == (paid, None)
    taken = repayment(2, type="chargeback", status="applied", compensates=paid.id)
    assert payments.money_of([paid, taken], paid) == (paid, taken)
    again = repayment(3, status="applied", compensates=taken.id)
    assert payments.money_of([paid, taken, again], paid) == (again, None)
    twice = repayment(4, type="chargeback", status="applied", compensates=again.id)
    assert payments.money_of([paid, taken, again, twice], paid) == (again, twice)
    withdrawn = repayment(2, type="chargeback", status="reverted", compensates=paid.id)
    assert payments.money_of([paid, withdrawn], paid) == (paid, None)


def test_what_may_pass() -> None:
    assert payments.may_pass("refer_to_payer", "ARUDD-0")
    assert payments.may_pass("insufficient_funds", "")
    assert payments.may_pass("other", "ARUDD-6")
    assert not payments.may_pass("other", "")
    assert not payments.may_pass("mandate_cancelled", "ARUDD-1")


def test_a_reference_fits() -> None:
    assert payments.reference(repayment()) == "0D1F7F2E6F"
