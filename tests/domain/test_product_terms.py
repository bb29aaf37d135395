"""What a loan takes from its product: figures within the limits, and the terms."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain import products
from chalicelib.domain.account import DefaultFee
from chalicelib.domain.errors import Invalid
from chalicelib.domain.products import Figures, Product

COMPLETE = {
    "type": "term_loan_equal_instalments",
    "name": "Flexi",
    "max_loan_amount": Decimal("5000.00"),
    "max_interest_rate": Decimal(20),
    "installments": 6,
    "repayment_date_type": "day_of_month",
    "repayment_date_period": 14,
}
LINE = {**COMPLETE, "type": "line_of_credit"}
FEE = DefaultFee("Late", "flat", Decimal(10), "manual")


def make(base: dict[str, Any]) -> Product:
    return products.create("p1", base).state


def published(base: dict[str, Any]) -> Product:
    return products.publish(make(base)).state


OFFER = {
    **COMPLETE,
    "default_loan_amount": Decimal(1000),
    "default_interest_rate": Decimal(10),
    "default_grace_instalments": 1,
    "principal_repayment_grace": 2,
}


def test_figures_come_from_the_product_where_they_are_not_asked_for() -> None:
    assert make(OFFER).figures({}) == Figures(Decimal(1000), Decimal(10), 6, 1, 2)
    assert make(OFFER).figures({"amount": None, "rate": None}).amount == 1000


def test_figures_that_are_asked_for() -> None:
    asked = {
        "amount": Decimal(5000), "rate": Decimal(20), "installments": 4,
        "grace_instalments": 0, "principal_repayment_grace": 3,
    }  # fmt: skip
    assert make(OFFER).figures(asked)._asdict() == asked


def test_zero_is_a_figure() -> None:
    assert make(OFFER).figures({"rate": Decimal(0), "grace_instalments": 0})[1:4] == (0, 6, 0)


@pytest.mark.parametrize(
    ("asked", "bad"),
    [
        ({"amount": Decimal("5000.01")}, {"amount": "too_large"}),
        ({"rate": Decimal("20.5")}, {"rate": "too_large"}),
        ({"installments": 3}, {"grace_instalments", "principal_repayment_grace"}),
        ({"grace_instalments": 4}, {"grace_instalments", "principal_repayment_grace"}),
        ({"grace_instalments": 0, "principal_repayment_grace": 6}, {"principal_repayment_grace"}),
        ({"amount": Decimal(6000), "rate": Decimal(21)}, {"amount", "rate"}),
    ],
)
def test_figures_beyond_the_product(asked: dict[str, Any], bad: Any) -> None:
    with pytest.raises(Invalid) as caught:
        make(OFFER).figures(asked)
    assert {flaw.field for flaw in caught.value.flaws} == set(bad)
    assert {flaw.code for flaw in caught.value.flaws} == {"too_large"}


def test_figures_that_nobody_says() -> None:
    with pytest.raises(Invalid) as caught:
        make(COMPLETE).figures({})
    assert {flaw.field: flaw.code for flaw in caught.value.flaws} == {
        "amount": "required",
        "rate": "required",
    }


@dataclass(frozen=True)
class Applied:
    id: str = "a1"
    end_user: str = "u1"
    amount: Decimal | None = Decimal(800)
    rate: Decimal | None = Decimal(9)
    installments: int | None = 5


def terms(base: dict[str, Any] = OFFER, applied: Applied = Applied(), **asked: Any) -> Any:
    return published(base).terms(
        loan_id="l1", application=applied, asked=asked, calendar="GB-SCT", shard=3
    )


def test_terms_say_what_was_approved() -> None:
    agreed = terms()
    assert (agreed.id, agreed.application, agreed.end_user) == ("l1", "a1", "u1")
    assert (agreed.product, agreed.kind) == ("p1", "term_loan")
    assert (agreed.amount, agreed.rate, agreed.installments) == (800, 9, 5)
    assert (agreed.grace_instalments, agreed.principal_repayment_grace) == (1, 2)
    assert (agreed.calendar, agreed.shard, agreed.due_dates) == ("GB-SCT", 3, ())


def test_terms_say_what_was_asked_for_on_opening() -> None:
    agreed = terms(
        amount=Decimal(700), rate=Decimal(20), installments=12, grace_instalments=0,
        principal_repayment_grace=0, arrears_tolerance=0,
    )  # fmt: skip
    assert (agreed.amount, agreed.rate, agreed.installments) == (700, 20, 12)
    assert (agreed.grace_instalments, agreed.principal_repayment_grace) == (0, 0)
    assert agreed.arrears_tolerance == 0


def test_terms_take_over_every_rule_of_the_product() -> None:
    rules = {
        "arrears_tolerance": 3,
        "default_tolerance": 30,
        "early_repayment_recalculation": "reduced_instalments",
        "calculate_interest_on_holidays": False,
        "repayment_date_type": "last_day_of_month",
        "repayment_date_period": 9,
        "repayment_holiday_scheduling": "first_business_day_after_the_day",
        "repayment_allocation": ("principal", "interest", "fee"),
        "default_fees": (FEE,),
    }
    agreed = terms({**OFFER, "type": "term_loan_equal_principal", **rules})
    assert {name: getattr(agreed, name) for name in rules} == rules
    assert agreed.interest_calculation == "equal_principal_payments"


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"amount": Decimal("800.01")}, "amount"), ({"rate": Decimal("20.1")}, "rate")],
)
def test_terms_stay_within_what_was_approved(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        terms(**asked)
    assert [flaw.field for flaw in caught.value.flaws] == [field]


def test_a_line_of_credit_has_no_rows() -> None:
    agreed = terms({**LINE, "default_grace_instalments": 2}, installments=7)
    assert (agreed.kind, agreed.has_rows) == ("line_of_credit", False)
    assert (agreed.installments, agreed.grace_instalments) == (0, 0)
