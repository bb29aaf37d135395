"""The examples of the original documentation, sent as they stand with living ids for theirs.

Quirks included: quoted ids and names, numbers as strings, ``default_fees`` as one object with
``Amount`` and ``Event``, read-only fields sent back.  The one that lacks a comma has it here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.partner import Partner

QUOTED_ID = "'ec0ebaf1-525b-48e8-9738-e6a592962d87'"


def product(kind: str, fee: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": QUOTED_ID,
        "type": kind,
        "is_draft": True,
        "max_loan_amount": 1000,
        "default_loan_amount": 600,
        "max_interest_rate": 15,
        "default_interest_rate": 10,
        "name": "Cash advance",
        "installments": 6,
        "default_grace_instalments": "2",
        "principal_repayment_grace": "2",
        "default_fees": {"name": '"Disbursement Fee"', **fee},
        "arrears_tolerance": "7",
        "interest_calculation": "equal_principal_payments",
        "early_repayment_recalculation": "from_last_instalment",
        "repayment_holiday_scheduling": "last_business_day_before_the_day",
        "calculate_interest_on_holidays": True,
        "repayment_date_type": "last_day_of_month",
        "repayment_date_period": 10,
        **more,
    }


FLAT = {"type": "flat", "Amount": 1, "Event": "arrears"}
PRODUCTS = [
    product("revolving_credit", FLAT, repayment_date_type="day_of_month"),
    product(
        "simple_revolving_credit",
        {"type": "percent", "Amount": 1, "Event": "arrears"},
        early_repayment_recalculation="reduced_instalments",
        repayment_holiday_scheduling="on_day",
    ),
    product(
        "simple_revolving_credit",
        {"type": "percent", "Amount": 1, "Event": "default"},
        repayment_holiday_scheduling="first_business_day_after_the_day",
    ),
    product(
        "revolving_credit",
        {"type": "percent", "Amount": 1, "Event": "default"},
        interest_calculation="equal_instalments",
    ),
]
BLOND = {
    "first_name": "John",
    "last_name": "Blond",
    "birth_date": "1980-04-23",
    "address_line_1": "Example Mension",
    "address_line_2": "3 Example Lane",
    "address_line_3": "",
    "city": "Example Town",
    "postal_code": "CD2 4HD",
    "country": "GB",
    "bank_account_number": "123456678",
    "sort_code": "124354",
    "mobile_number": "",
    "email": "",
}
CASTLE = {
    "id": QUOTED_ID,
    "first_name": "cersei",
    "last_name": "lannister",
    "birth_date": "1967-09-12",
    "address_line_1": "Red Keep Castle",
    "address_line_2": "1 Castle way",
    "address_line_3": "",
    "city": "King's landing",
    "postal_code": "N2 4FY",
    "country": "GB",
    "bank_account_number": "12345678",
    "sort_code": "123456",
    "mobile_number": "",
    "email": "",
}
END_USERS = [
    {"id": QUOTED_ID, **BLOND},
    {**BLOND, "type": "individual"},
    CASTLE,
    {**CASTLE, "type": "individual"},
]


@pytest.mark.parametrize("body", PRODUCTS, ids=range(len(PRODUCTS)))
def test_a_product_as_documented(partner: Partner, body: dict[str, Any]) -> None:
    made = partner.post("/product/", body)
    assert made["type"] == body["type"]
    assert made["default_fees"][0]["amount"] == Decimal("1.00")
    assert made["default_fees"][0]["event"] == body["default_fees"]["Event"]
    again = partner.http.request("PUT", f"/products/product/{made['id']}/", body).ok(200)
    assert again["id"] == made["id"] != body["id"]


@pytest.mark.parametrize("body", END_USERS, ids=range(len(END_USERS)))
def test_an_end_user_as_documented(partner: Partner, body: dict[str, Any]) -> None:
    made = partner.post("/end_user/", body)
    assert made["type"] == "individual"
    assert made["email"] == made["mobile_number"] == ""
    for method in ("PUT", "PATCH"):
        partner.http.request(method, f"/end_user/{made['id']}/", body).ok(200)


def application(product_id: str, end_user: str) -> dict[str, Any]:
    return {
        "id": "babca911-e530-47c1-b376-5d32f92cdeeb",
        "status": "incomplete",
        "product": product_id,
        "end_user": end_user,
        "amount": "1000.00",
        "installments": "4",
        "rate": "10",
        "reason": "",
    }


def test_applications_and_loans_as_documented(partner: Partner) -> None:
    product_id, end_user = partner.publishes(), partner.borrower()
    wanted = {"product": product_id, "end_user": end_user}
    figures = {"amount": "10000", "installments": "5", "rate": "10"}
    assert partner.post("/application/", {**wanted, **figures})["amount"] == "10000.00"
    body = application(product_id, end_user)
    made = partner.post("/application/", body)
    for method in ("PUT", "PATCH"):
        partner.http.request(method, f"/application/{made['id']}/", body).ok(200)
    shown = partner.post(f"/application/{made['id']}/complete/", status=200)
    assert {name: shown[name] for name in ("status", "amount", "installments", "rate")} == {
        "status": "approved", "amount": "1000.00", "installments": "4", "rate": "10",
    }  # fmt: skip
    loan = {
        "id": "6f025741-3a92-4e28-8869-b362b51d6b5f",
        "application": made["id"],
        "end_user": "aac5091e-be2a-4e41-b814-8726ca364853",
        "amount": 1,
        "rate": 1,
        "installments": 10,
        "grace_instalments": 5,
        "principal_repayment_grace": 0,
        "arrears_tolerance": 7,
        "status": "inactive",
        "principal": Decimal("1000.00"),
        "interest": Decimal("1.00"),
        "fee": 0,
        "pending_principal": 0,
        "pending_interest": 0,
        "pending_fee": 0,
        "is_interest_calculation_enabled": True,
        "close_reason": "",
        "close_substatus": "",
    }
    opened = partner.post("/loan/", loan)
    assert opened["end_user"] == end_user
    assert (opened["amount"], opened["installments"], opened["grace_instalments"]) == (1, 10, 5)
    assert opened["principal"] == 0
