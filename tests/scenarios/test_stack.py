"""The whole stack as a partner meets it: many requests at once, and processes that die."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from backbone_client import NoAnswer
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.stack_client import new_partner
from tests.stack import Stack

AT_ONCE = 50


@pytest.fixture
def partner(stack: Stack) -> Partner:
    return new_partner(stack)


def line_of_credit(partner: Partner, amount: str) -> Loan:
    product = partner.publishes(type="line_of_credit")
    return partner.opens_loan(product, amount=amount)


def test_50_disbursements_at_once_never_exceed_the_limit(partner: Partner) -> None:
    loan = line_of_credit(partner, "1000.00")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(
            pool.map(lambda _: loan.transaction("disbursement", "30.00"), range(AT_ONCE))
        )
    made = [answer for answer in answers if answer.status == 201]
    refused = Counter(answer.json["code"] for answer in answers if answer.status != 201)
    assert len(made) == 33, refused
    assert refused == {"credit_limit_exceeded": AT_ONCE - 33}
    loan.shows(pending_principal="990.00", principal="0.00")
    assert len(loan.all_transactions()) == 33
    assert loan.transaction("disbursement", "10.00").status == 201
    loan.transaction("disbursement", "0.01").refused("credit_limit_exceeded")


def test_50_equal_requests_at_once_make_one_transaction(partner: Partner) -> None:
    loan = line_of_credit(partner, "1000.00").disburses("500.00").confirmed()
    body = {"loan": loan.id, "type": "repayment", "amount": "7.00", "idempotency_key": "one"}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(
            pool.map(lambda _: partner.http.request("POST", "/transaction/", body), range(AT_ONCE))
        )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    replayed = [answer.headers.get("idempotent-replayed") for answer in answers]  # type: ignore[attr-defined]
    assert Counter(replayed) == {None: 1, "true": AT_ONCE - 1}
    loan.shows(principal="493.00").folds()
    assert len(loan.all_transactions()) == 2


def test_killed_in_a_burst_everything_acknowledged_is_there(stack: Stack, partner: Partner) -> None:
    loan = line_of_credit(partner, "1000.00").disburses("1000.00").confirmed()
    acknowledged: list[str] = []
    lost = 0

    def repay(number: int) -> None:
        nonlocal lost
        body = {"loan": loan.id, "type": "repayment", "amount": "1.00",
                "idempotency_key": f"burst-{number}"}  # fmt: skip
        for _ in range(40):
            try:
                answer = partner.http.request("POST", "/transaction/", body)
            except NoAnswer:
                lost += 1
                continue
            if answer.status in (409, 503):
                continue
            acknowledged.append(answer.ok(201)["id"])
            return

    killer = threading.Timer(0.4, stack.kill_application)
    killer.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(repay, range(AT_ONCE)))
    killer.join()
    assert len(set(acknowledged)) == AT_ONCE
    there = {item["id"] for item in loan.all_transactions() if item["type"] == "repayment"}
    assert there == set(acknowledged)
    loan.shows(principal="950.00").folds()
    assert lost, "the application died too late for this test to say anything"


def test_killed_in_a_long_clock_move_every_day_is_done_once(stack: Stack, partner: Partner) -> None:
    partner.goes_to("2023-12-15")
    product = partner.publishes(
        default_fees=[{"name": "Arrears", "type": "flat", "amount": 12, "event": "arrears"}]
    )
    loans = [partner.opens_loan(product).disburses("5000").confirmed() for _ in range(3)]
    killers = [threading.Timer(delay, stack.kill_application) for delay in (0.5, 2.5)]
    for killer in killers:
        killer.start()
    while True:
        try:
            partner.goes_to("2024-02-20")
            break
        except NoAnswer:
            continue
    for killer in killers:
        killer.join()
    partner.goes_to("2024-02-20")
    for loan in loans:
        items = loan.all_transactions()
        nights = [item["effective_date"] for item in items if item["type"] == "interest"]
        assert len(nights) == len(set(nights)) == 67
        assert [item["effective_date"] for item in items if item["type"] == "fee"] == ["2024-01-20"]
        loan.folds().shows(status="arrears", late_since="2024-01-13", days_past_due="39")


def test_stopped_and_started_again_it_is_the_same(stack: Stack, partner: Partner) -> None:
    partner.goes_to("2024-02-09")
    loan = partner.opens_loan(partner.publishes()).disburses("750.00").confirmed()
    partner.goes_to("2024-02-29")
    before, items = loan.now, loan.all_transactions()
    assert stack.stop() == 0
    stack.start()
    assert loan.now == before
    assert loan.all_transactions() == items
    partner.goes_to("2024-03-01")
    assert loan.now["interest"] > before["interest"]
    assert Decimal(loan.now["principal"]) == Decimal("750.00")
