"""Products: what may be created, changed, published and deleted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain import products
from chalicelib.domain.account import DefaultFee
from chalicelib.domain.errors import Invalid, Refused
from chalicelib.domain.products import Product
from chalicelib.models import codec

TERM = {
    "type": "term_loan_equal_instalments",
    "name": "Flexi",
    "max_loan_amount": Decimal("5000.00"),
    "max_interest_rate": Decimal(20),
    "installments": 6,
}
COMPLETE = {**TERM, "repayment_date_type": "day_of_month", "repayment_date_period": 14}
LINE = {**TERM, "type": "line_of_credit", "installments": None}
REVOLVING = {
    **LINE,
    "type": "revolving_credit",
    "repayment_date_type": "last_day_of_month",
    "statement_day": 5,
    "minimum_repayment_amount": Decimal(25),
}
PRINCIPAL, INSTALMENTS = "equal_principal_payments", "equal_instalments"


def make(base: dict[str, Any] = TERM, **more: Any) -> Product:
    return products.create("p1", {**base, **more}).state


def flaws(base: dict[str, Any] = TERM, **more: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        make(base, **more)
    return {flaw.field: flaw.code for flaw in caught.value.flaws}


def published(base: dict[str, Any] = COMPLETE, **more: Any) -> Product:
    return products.publish(make(base, **more)).state


# --- type and interest calculation ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "sent", "kind", "calculation"),
    [
        ("term_loan_equal_principal", None, "term_loan", PRINCIPAL),
        ("term_loan_equal_principal", PRINCIPAL, "term_loan", PRINCIPAL),
        ("term_loan_equal_instalments", None, "term_loan", INSTALMENTS),
        ("term_loan", PRINCIPAL, "term_loan", PRINCIPAL),
        ("term_loan", INSTALMENTS, "term_loan", INSTALMENTS),
        ("line_of_credit", None, "line_of_credit", None),
        ("simple_revolving_credit", None, "line_of_credit", None),
        ("revolving_credit", PRINCIPAL, "revolving_credit", PRINCIPAL),
    ],
)
def test_the_type_is_kept_as_sent_and_says_the_rest(
    type_: str, sent: str | None, kind: str, calculation: str | None
) -> None:
    product = make(type=type_, interest_calculation=sent)
    assert (product.type, product.kind) == (type_, kind)
    assert product.interest_calculation == calculation


def test_a_contradiction_is_refused() -> None:
    assert flaws(type="term_loan_equal_principal", interest_calculation=INSTALMENTS) == {
        "interest_calculation": "contradiction"
    }


def test_a_plain_term_loan_needs_a_calculation() -> None:
    assert flaws(type="term_loan") == {"interest_calculation": "required"}


# --- rules between fields -------------------------------------------------------------------------


def test_a_new_product_is_a_draft() -> None:
    assert make().is_draft


def test_a_term_loan_needs_installments_and_the_others_do_not() -> None:
    assert flaws(installments=None) == {"installments": "required"}
    assert make(LINE).installments is None
    assert make({**REVOLVING, "installments": None}).installments is None


def test_defaults_up_to_the_maxima() -> None:
    product = make(default_loan_amount=Decimal(5000), default_interest_rate=Decimal(20))
    assert product.default_loan_amount == 5000
    assert flaws(
        default_loan_amount=Decimal("5000.01"), default_interest_rate=Decimal("20.01")
    ) == {
        "default_loan_amount": "too_large",
        "default_interest_rate": "too_large",
    }


@pytest.mark.parametrize(("grace", "principal_grace"), [(5, 0), (0, 5), (2, 3), (0, 0)])
def test_grace_that_leaves_a_period_to_pay_in(grace: int, principal_grace: int) -> None:
    make(default_grace_instalments=grace, principal_repayment_grace=principal_grace)


@pytest.mark.parametrize(
    ("grace", "principal_grace", "fields"),
    [
        (6, 0, {"default_grace_instalments"}),
        (0, 6, {"principal_repayment_grace"}),
        (3, 3, {"default_grace_instalments", "principal_repayment_grace"}),
    ],
)
def test_too_much_grace(grace: int, principal_grace: int, fields: set[str]) -> None:
    found = flaws(default_grace_instalments=grace, principal_repayment_grace=principal_grace)
    assert found == dict.fromkeys(fields, "too_large")


def test_grace_does_not_concern_a_line_of_credit() -> None:
    make(LINE, installments=1, default_grace_instalments=2)


def fee(name: str, type_: str = "flat", amount: str = "10") -> DefaultFee:
    return DefaultFee(name, type_, Decimal(amount), "manual")


def test_fee_names_are_unique() -> None:
    make(default_fees=(fee("Late"), fee("Letter")))
    found = flaws(default_fees=(fee("Late"), fee("Letter"), fee("Late")))
    assert found == {"default_fees[2].name": "not_unique"}


def test_a_fee_is_money_or_a_percentage() -> None:
    make(default_fees=(fee("a", "percent", "2.125"), fee("b", "percent", "100")))
    assert flaws(default_fees=(fee("a", "percent", "100.01"), fee("b", "flat", "1.125"))) == {
        "default_fees[0].amount": "too_large",
        "default_fees[1].amount": "too_many_decimals",
    }


@pytest.mark.parametrize("order", [(), ("fee",), ("fee", "interest"), ("fee", "fee", "principal")])
def test_an_allocation_names_each_balance_once(order: tuple[str, ...]) -> None:
    assert flaws(repayment_allocation=order) == {"repayment_allocation": "not_an_order"}


def test_every_flaw_at_once() -> None:
    found = flaws(
        type="term_loan", installments=None, default_loan_amount=Decimal(6000),
        repayment_allocation=(), default_fees=(fee("a"), fee("a")),
    )  # fmt: skip
    assert found == {
        "interest_calculation": "required",
        "installments": "required",
        "default_loan_amount": "too_large",
        "default_fees[1].name": "not_unique",
        "repayment_allocation": "not_an_order",
    }


# --- changing -------------------------------------------------------------------------------------


def test_some_values_change_and_the_rest_stays() -> None:
    before = make(COMPLETE, default_fees=(fee("Late"),))
    after = products.change(before, {"name": "Other"}).state
    assert after == replace(before, name="Other")


def test_the_whole_state_is_checked_after_a_change() -> None:
    before = make(default_loan_amount=Decimal(4000))
    with pytest.raises(Invalid) as caught:
        products.change(before, {"max_loan_amount": Decimal(3000)})
    assert [flaw.field for flaw in caught.value.flaws] == ["default_loan_amount"]


@pytest.mark.parametrize(
    ("values", "calculation"),
    [
        ({"type": "term_loan_equal_principal"}, PRINCIPAL),
        ({"type": "term_loan"}, INSTALMENTS),
        ({"type": "term_loan", "interest_calculation": PRINCIPAL}, PRINCIPAL),
        ({"type": "term_loan_equal_principal", "interest_calculation": None}, PRINCIPAL),
        ({"interest_calculation": None}, INSTALMENTS),
        ({"name": "Other"}, INSTALMENTS),
    ],
)
def test_a_new_type_brings_its_calculation(values: dict[str, Any], calculation: str) -> None:
    assert products.change(make(), values).state.interest_calculation == calculation


@pytest.mark.parametrize(
    "values",
    [
        {"interest_calculation": PRINCIPAL},
        {"type": "term_loan_equal_principal", "interest_calculation": INSTALMENTS},
        {"type": "term_loan", "interest_calculation": None},
    ],
)
def test_a_change_may_not_contradict(values: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        products.change(make(), values)
    assert [flaw.field for flaw in caught.value.flaws] == ["interest_calculation"]


# --- publishing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [COMPLETE, LINE, REVOLVING])
def test_what_is_complete_can_be_published(base: dict[str, Any]) -> None:
    draft = make(base)
    assert products.publish(draft).state == replace(draft, is_draft=False)


MINIMUM = {"minimum_repayment_percentage", "minimum_repayment_amount"}


@pytest.mark.parametrize(
    ("base", "changes", "missing"),
    [
        (TERM, {}, {"repayment_date_type"}),
        (COMPLETE, {"repayment_date_period": None}, {"repayment_date_period"}),
        (REVOLVING, {"statement_day": None}, {"statement_day"}),
        (REVOLVING, {"minimum_repayment_amount": None}, MINIMUM),
        (REVOLVING, {"minimum_repayment_amount": Decimal(0)}, MINIMUM),
        (
            {**LINE, "type": "revolving_credit"},
            {},
            {"repayment_date_type", "statement_day", *MINIMUM},
        ),
    ],
)
def test_publishing_lists_every_missing_field(
    base: dict[str, Any], changes: dict[str, Any], missing: set[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        products.publish(make(base, **changes))
    assert {flaw.field for flaw in caught.value.flaws} == missing
    assert {flaw.code for flaw in caught.value.flaws} == {"required"}


@pytest.mark.parametrize("kind", ["first_day_of_month", "last_day_of_month"])
def test_first_and_last_day_need_no_period(kind: str) -> None:
    published(repayment_date_type=kind, repayment_date_period=None)


def test_a_percentage_alone_is_a_minimum() -> None:
    base = {**REVOLVING, "minimum_repayment_amount": None}
    published(base, minimum_repayment_percentage=Decimal("2.5"))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda product: products.change(product, {"name": "Other"}),
        lambda product: products.change(product, {}),
        products.publish,
        products.delete,
    ],
)
def test_a_published_product_never_changes(attempt: Any) -> None:
    with pytest.raises(Refused) as caught:
        attempt(published())
    assert caught.value.code == "product_published"


def test_a_draft_may_be_deleted() -> None:
    products.delete(make())


# --- storage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", [make(), published(COMPLETE, default_fees=(fee("Late"),))])
def test_what_is_stored_comes_back(product: Product) -> None:
    assert codec.loads(Product, codec.dumps(product)) == product
