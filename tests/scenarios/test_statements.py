"""Revolving credit over HTTP: statements, minimum repayments, what a closed period refuses."""

from __future__ import annotations

import itertools
from typing import Any

from tests.receiver import receiving
from tests.scenarios.partner import Loan, Partner

REVOLVING = {
    "type": "revolving_credit",
    "name": "Card",
    "installments": None,
    "default_interest_rate": "36.5",  # a pound a night on every thousand
    "default_loan_amount": "5000.00",
    "statement_day": 5,
    "repayment_date_period": 25,
    "repayment_holiday_scheduling": "on_day",
    "minimum_repayment_percentage": "5",
    "minimum_repayment_amount": "25",
}


def opened(partner: Partner, **given: Any) -> Loan:
    return partner.goes_to("2026-01-10").opens_loan(partner.publishes(**{**REVOLVING, **given}))


def statements(loan: Loan) -> Any:
    return loan.partner.get(f"/statement/?loan={loan.id}")["results"]


def test_a_card_through_three_months(partner: Partner) -> None:
    loan = opened(partner).disburses("1000.00").confirmed()
    loan.shows(installments="None", next_repayment_date="None")
    partner.goes_to("2026-02-05")
    (first,) = statements(loan)
    assert {name: str(first[name]) for name in ("number", "period_start", "period_end", "due_date",
        "opening_balance", "closing_balance", "principal", "interest", "minimum_repayment",
        "repaid", "status")} == {
        "number": "1",
        "period_start": "2026-01-10",
        "period_end": "2026-02-04",
        "due_date": "2026-02-25",
        "opening_balance": "0.00",
        "closing_balance": "1025.00",  # 25 nights at a pound
        "principal": "1000.00",
        "interest": "25.00",
        "minimum_repayment": "75.00",  # 5 % of 1,000 and the interest
        "repaid": "0.00",
        "status": "open",
    }  # fmt: skip
    listed = {item["id"]: item for item in loan.all_transactions()}
    assert len(first["transactions"]) == 26
    assert {listed[one]["type"] for one in first["transactions"]} == {"disbursement", "interest"}
    assert partner.get(f"/statement/{first['id']}/") == first
    loan.shows(next_repayment_date="2026-02-25", next_repayment_amount="75.00")

    loan.disburses("500.00").confirmed()
    loan.repays("30.00").confirmed()
    assert [str(one["repaid"]) for one in statements(loan)] == ["30.00"]
    partner.goes_to("2026-02-26")
    loan.shows(status="late", days_past_due="1", late_since="2026-02-26")
    assert statements(loan)[0]["status"] == "missed"
    loan.repays("45.00").confirmed().shows(status="active", days_past_due="0")
    assert (statements(loan)[0]["status"], str(statements(loan)[0]["repaid"])) == ("paid", "75.00")

    partner.goes_to("2026-03-05")
    second, again = statements(loan)
    assert (again["id"], second["number"]) == (first["id"], 2)
    assert second["opening_balance"] == first["closing_balance"]
    assert second["period_start"] == "2026-02-05"
    loan.folds()


def test_a_closed_statements_transactions_cannot_be_reverted(partner: Partner) -> None:
    loan = opened(partner).disburses("1000.00").confirmed()
    inside = loan.last
    partner.goes_to("2026-02-06")
    partner.http.request("POST", f"/transaction/{inside}/revert/", {}).refused("statement_closed")
    back = {"effective_date": "2026-02-01"}
    loan.transaction("repayment", "10.00", **back).refused("statement_closed")
    loan.transaction("repayment", "10.00", effective_date="2026-02-05").ok(201)
    partner.post(f"/transaction/{loan.last}/apply/", {})
    partner.post(f"/transaction/{loan.last}/revert/", {})
    loan.shows(principal="1000.00")


def test_statement_ready_tells_the_statement(partner: Partner) -> None:
    with receiving() as receiver:
        partner.post("/webhook_endpoint/", {"url": receiver.url, "events": ["statement_ready"]})
        loan = opened(partner).disburses("1000.00").confirmed()
        partner.goes_to("2026-02-05")
        (statement,) = statements(loan)
    (told,) = receiver.got
    assert told.json["data"] == statement


def test_a_year_that_nobody_looked_at_has_its_twelve_statements(partner: Partner) -> None:
    loan = opened(partner).disburses("1000.00").confirmed()
    partner.goes_to("2027-01-06")
    found = statements(loan)
    assert [one["number"] for one in found] == list(range(12, 0, -1))
    for later, earlier in itertools.pairwise(found):
        assert later["opening_balance"] == earlier["closing_balance"]
    assert {one["status"] for one in found} == {"missed", "open"}
