"""``/product/`` over HTTP, on the real use cases and an embedded table."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.http_support import Api
from tests.served import Served, serve

TERM = {
    "type": "term_loan_equal_instalments",
    "name": "Flexi",
    "max_loan_amount": "5000.00",
    "max_interest_rate": "20",
    "installments": 6,
}
COMPLETE = {**TERM, "repayment_date_type": "day_of_month", "repayment_date_period": 14}
FEE = {"name": "Letter", "type": "flat", "amount": "12.50", "event": "manual"}


@pytest.fixture
def served() -> Iterator[Served]:
    with serve() as up:
        yield up


@pytest.fixture
def api(served: Served) -> Api:
    return served.api


def make(api: Api, base: dict[str, Any] = COMPLETE, **more: Any) -> dict[str, Any]:
    return dict(api.post("/product/", {**base, **more}).ok(201))


def published(api: Api) -> str:
    product = make(api)
    api.post(f"/product/{product['id']}/publish/").ok(201)
    return str(product["id"])


# --- creating and reading -------------------------------------------------------------------------


def test_a_new_product_is_a_draft_with_every_default(api: Api) -> None:
    made = make(api, TERM)
    assert made.pop("id") and made.pop("created_at") == made.pop("updated_at")
    assert made == {
        **TERM,
        "max_loan_amount": Decimal("5000.00"),
        "max_interest_rate": 20,
        "is_draft": True,
        "default_loan_amount": None,
        "default_interest_rate": None,
        "default_grace_instalments": 0,
        "principal_repayment_grace": 0,
        "default_fees": [],
        "arrears_tolerance": 7,
        "default_tolerance": None,
        "interest_calculation": "equal_instalments",
        "early_repayment_recalculation": "from_last_instalment",
        "repayment_holiday_scheduling": "on_day",
        "calculate_interest_on_holidays": True,
        "repayment_date_type": None,
        "repayment_date_period": None,
        "statement_day": None,
        "minimum_repayment_percentage": None,
        "minimum_repayment_amount": None,
        "repayment_allocation": ["fee", "interest", "principal"],
        "automatic_collection": True,
        "collection_retries": 2,
        "sell_to_blackmoon": False,
    }


EVERYTHING = {
    "type": "revolving_credit",
    "name": "Cash advance",
    "max_loan_amount": 1000,
    "default_loan_amount": "600.5",
    "max_interest_rate": "15.50",
    "default_interest_rate": 10,
    "installments": "6",
    "default_grace_instalments": "2",
    "principal_repayment_grace": "2",
    "default_fees": [FEE, {"name": "A", "type": "percent", "amount": "1.250", "event": "default"}],
    "arrears_tolerance": "9",
    "default_tolerance": 90,
    "interest_calculation": "equal_principal_payments",
    "early_repayment_recalculation": "reduced_instalments",
    "repayment_holiday_scheduling": "last_business_day_before_the_day",
    "calculate_interest_on_holidays": False,
    "repayment_date_type": "last_day_of_month",
    "repayment_date_period": 10,
    "statement_day": 31,
    "minimum_repayment_percentage": "2.5",
    "minimum_repayment_amount": "25",
    "repayment_allocation": ["principal", "interest", "fee"],
    "automatic_collection": False,
    "collection_retries": 0,
    "sell_to_blackmoon": True,
}


def test_every_field_is_kept_and_money_shows_two_decimals(api: Api) -> None:
    answer = api.post("/product/", EVERYTHING)
    made = answer.ok(201)
    for money in ('"max_loan_amount":1000.00', '"default_loan_amount":600.50',
                  '"minimum_repayment_amount":25.00', '"amount":12.50', '"amount":1.25,',
                  '"max_interest_rate":15.5,', '"default_interest_rate":10,'):  # fmt: skip
        assert money in answer.text
    assert (made["installments"], made["arrears_tolerance"]) == (6, 9)
    same = set(EVERYTHING) - {
        "max_loan_amount", "default_loan_amount", "max_interest_rate", "default_interest_rate",
        "installments", "default_grace_instalments", "principal_repayment_grace", "default_fees",
        "arrears_tolerance", "minimum_repayment_percentage", "minimum_repayment_amount",
    }  # fmt: skip
    assert {name: made[name] for name in same} == {name: EVERYTHING[name] for name in same}
    assert api.get(f"/product/{made['id']}/").ok() == made


def test_the_documented_example_is_taken_with_all_its_quirks(api: Api) -> None:
    made = make(
        api,
        {
            "id": "'ec0ebaf1-525b-48e8-9738-e6a592962d87'",
            "type": "simple_revolving_credit",
            "is_draft": True,
            "max_loan_amount": 1000,
            "default_loan_amount": 600,
            "max_interest_rate": 15,
            "default_interest_rate": 10,
            "name": "Cash advance",
            "installments": 6,
            "default_grace_instalments": "2",
            "principal_repayment_grace": "2",
            "default_fees": {
                "name": '"Disbursement Fee"',
                "type": "percent",
                "Amount": 1,
                "Event": "arrears",
            },
            "arrears_tolerance": "7",
            "interest_calculation": "equal_principal_payments",
            "early_repayment_recalculation": "reduced_instalments",
            "repayment_holiday_scheduling": "on_day",
            "calculate_interest_on_holidays": True,
            "repayment_date_type": "last_day_of_month",
            "repayment_date_period": 10,
        },
    )
    assert made["type"] == "simple_revolving_credit"
    assert made["default_fees"] == [
        {"name": '"Disbursement Fee"', "type": "percent", "amount": 1, "event": "arrears"}
    ]
    assert made["default_grace_instalments"] == 2
    assert made["id"] != "'ec0ebaf1-525b-48e8-9738-e6a592962d87'"


def test_the_alias_serves_the_same(api: Api) -> None:
    made = api.post("/products/product/", COMPLETE).ok(201)
    assert api.get(f"/products/product/{made['id']}").ok() == made
    assert api.get(f"/product/{made['id']}").ok() == made
    assert api.get("/products/product").ok()["count"] == 1
    api.post(f"/products/product/{made['id']}/publish/").ok(201)


def test_what_was_read_may_be_sent_back(api: Api) -> None:
    made = make(api, EVERYTHING)
    again = api.put(f"/product/{made['id']}/", made).ok()
    assert again == made


def test_pages_newest_first(served: Served, api: Api) -> None:
    ids = [make(api, name=f"P{number}")["id"] for number in range(5)]
    first = api.get("/product/?limit=2").ok()
    assert (first["count"], first["previous"]) == (5, None)
    seen, page = [], first
    while True:
        seen += [each["id"] for each in page["results"]]
        if page["next"] is None:
            break
        page = api.get(page["next"].partition("/api/v1")[2]).ok()
    assert sorted(seen) == sorted(ids) and len(seen) == 5
    assert [each["id"] for each in api.get("/product/?limit=2&offset=3").ok()["results"]] == seen[
        3:
    ]
    assert served.other.get("/product/").ok()["results"] == []


# --- bad values -----------------------------------------------------------------------------------


BAD = [
    ({"type": "mortgage"}, "type"),
    ({"type": None}, "type"),
    ({"name": ""}, "name"),
    ({"name": 5}, "name"),
    ({"max_loan_amount": 0}, "max_loan_amount"),
    ({"max_loan_amount": -1}, "max_loan_amount"),
    ({"max_loan_amount": "1000.001"}, "max_loan_amount"),
    ({"max_loan_amount": "1234567890123"}, "max_loan_amount"),
    ({"max_loan_amount": "NaN"}, "max_loan_amount"),
    ({"max_loan_amount": True}, "max_loan_amount"),
    ({"max_interest_rate": -1}, "max_interest_rate"),
    ({"max_interest_rate": "many"}, "max_interest_rate"),
    ({"default_loan_amount": "5000.01"}, "default_loan_amount"),
    ({"default_interest_rate": "20.01"}, "default_interest_rate"),
    ({"installments": 0}, "installments"),
    ({"installments": 601}, "installments"),
    ({"installments": "1.5"}, "installments"),
    ({"installments": None}, "installments"),
    ({"default_grace_instalments": -1}, "default_grace_instalments"),
    ({"default_grace_instalments": 6}, "default_grace_instalments"),
    ({"principal_repayment_grace": 6}, "principal_repayment_grace"),
    ({"arrears_tolerance": -1}, "arrears_tolerance"),
    ({"arrears_tolerance": None}, "arrears_tolerance"),
    ({"default_tolerance": "soon"}, "default_tolerance"),
    ({"interest_calculation": "equal_principal_payments"}, "interest_calculation"),
    ({"interest_calculation": "flat"}, "interest_calculation"),
    ({"early_repayment_recalculation": "never"}, "early_repayment_recalculation"),
    ({"repayment_holiday_scheduling": "later"}, "repayment_holiday_scheduling"),
    ({"calculate_interest_on_holidays": 1}, "calculate_interest_on_holidays"),
    ({"repayment_date_type": "monthly"}, "repayment_date_type"),
    ({"repayment_date_period": 0}, "repayment_date_period"),
    ({"repayment_date_period": 32}, "repayment_date_period"),
    ({"statement_day": 32}, "statement_day"),
    ({"minimum_repayment_percentage": 101}, "minimum_repayment_percentage"),
    ({"minimum_repayment_amount": -1}, "minimum_repayment_amount"),
    ({"repayment_allocation": "fee"}, "repayment_allocation"),
    ({"repayment_allocation": ["fee", "interest"]}, "repayment_allocation"),
    ({"repayment_allocation": ["fee", "interest", "interest"]}, "repayment_allocation"),
    ({"repayment_allocation": ["fee", "interest", "tax"]}, "repayment_allocation[2]"),
    ({"automatic_collection": "yes"}, "automatic_collection"),
    ({"collection_retries": 11}, "collection_retries"),
    ({"sell_to_blackmoon": None}, "sell_to_blackmoon"),
    ({"default_fees": "none"}, "default_fees"),
    ({"default_fees": None}, "default_fees"),
    ({"default_fees": [FEE, FEE]}, "default_fees[1].name"),
    ({"default_fees": {**FEE, "type": "share"}}, "default_fees[0].type"),
    ({"default_fees": {**FEE, "event": "birthday"}}, "default_fees[0].event"),
    ({"default_fees": {**FEE, "amount": -1}}, "default_fees[0].amount"),
    ({"default_fees": {**FEE, "amount": "0.001"}}, "default_fees[0].amount"),
    ({"default_fees": {**FEE, "type": "percent", "amount": 101}}, "default_fees[0].amount"),
    ({"default_fees": {**FEE, "Amount": 3}}, "default_fees[0].Amount"),
    ({"default_fees": {**FEE, "colour": "red"}}, "default_fees[0].colour"),
    ({"default_fees": [5]}, "default_fees[0]"),
    ({"default_fees": [{**FEE, "name": str(n)} for n in range(51)]}, "default_fees"),
    ({"colour": "red"}, "colour"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "field"), BAD)
def test_bad_values_are_named_and_nothing_is_made(
    api: Api, values: dict[str, Any], field: str
) -> None:
    answer = api.post("/product/", {**COMPLETE, **values}).refused("validation_error", 400)
    assert set(answer.fields) == {field}
    assert api.get("/product/").ok()["count"] == 0


@pytest.mark.parametrize("name", ["type", "name", "max_loan_amount", "max_interest_rate"])
def test_what_a_draft_needs(api: Api, name: str) -> None:
    body = {key: value for key, value in TERM.items() if key != name}
    answer = api.post("/product/", body).refused("validation_error", 400)
    assert answer.fields == {name: "required"}


def test_every_bad_field_at_once(api: Api) -> None:
    bad = {"name": "", "max_loan_amount": "x", "default_fees": {**FEE, "event": "?"}}
    answer = api.post("/product/", {**TERM, **bad}).refused("validation_error", 400)
    assert set(answer.fields) == {"name", "max_loan_amount", "default_fees[0].event"}


# --- changing -------------------------------------------------------------------------------------


def test_a_patch_changes_what_it_says(api: Api) -> None:
    made = make(api, default_fees=FEE, default_loan_amount=100)
    after = api.patch(f"/product/{made['id']}/", {"name": "Other"}).ok()
    assert after == {**made, "name": "Other"}
    assert api.get(f"/product/{made['id']}/").ok() == after
    cleared = api.patch(f"/product/{made['id']}/", {"default_loan_amount": None}).ok()
    assert cleared["default_loan_amount"] is None


def test_a_put_replaces_everything(api: Api) -> None:
    made = make(api, default_fees=FEE, default_loan_amount=100, arrears_tolerance=3)
    after = api.put(f"/product/{made['id']}/", {**COMPLETE, "name": "Other"}).ok()
    assert (after["name"], after["id"]) == ("Other", made["id"])
    assert (after["default_fees"], after["default_loan_amount"]) == ([], None)
    assert after["arrears_tolerance"] == 7
    api.put(f"/product/{made['id']}/", {"name": "Other"}).refused("validation_error", 400)


def test_a_refused_change_changes_nothing(api: Api) -> None:
    made = make(api, default_loan_amount=4000)
    where = f"/product/{made['id']}/"
    answer = api.patch(where, {"max_loan_amount": 3000}).refused("validation_error", 400)
    assert answer.fields == {"default_loan_amount": "too_large"}
    api.patch(where, {"type": "term_loan_equal_principal"}).ok()
    api.patch(where, {"interest_calculation": "equal_instalments"}).refused("validation_error", 400)
    assert api.get(where).ok()["max_loan_amount"] == 5000


def test_a_later_change_moves_updated_at_alone(served: Served, api: Api) -> None:
    made = make(api)
    served.world.today = served.world.today.replace(day=9)
    after = api.patch(f"/product/{made['id']}/", {"name": "Other"}).ok()
    assert after["created_at"] == made["created_at"] < after["updated_at"]


# --- publishing and deleting ----------------------------------------------------------------------


def test_publishing(api: Api) -> None:
    made = make(api)
    after = api.post(f"/product/{made['id']}/publish/").ok(201)
    assert after == {**made, "is_draft": False}
    assert api.get(f"/product/{made['id']}/").ok() == after


def test_publishing_lists_what_is_missing(api: Api) -> None:
    made = make(api, {**TERM, "type": "revolving_credit"})
    answer = api.post(f"/product/{made['id']}/publish/").refused("validation_error", 400)
    assert set(answer.fields) == {
        "statement_day",
        "repayment_date_type",
        "minimum_repayment_percentage",
        "minimum_repayment_amount",
    }
    assert api.get(f"/product/{made['id']}/").ok()["is_draft"] is True


def test_a_published_product_never_changes(api: Api) -> None:
    where = f"/product/{published(api)}/"
    before = api.get(where).ok()
    api.put(where, COMPLETE).refused("product_published")
    api.patch(where, {"name": "Other"}).refused("product_published")
    api.delete(where).refused("product_published")
    api.post(f"{where}publish/").refused("product_published")
    assert api.get(where).ok() == before


def test_a_draft_can_be_deleted(api: Api) -> None:
    where = f"/product/{make(api)['id']}/"
    answer = api.delete(where)
    assert (answer.status, answer.text) == (204, "")
    api.get(where).refused("not_found", 404)
    api.delete(where).refused("not_found", 404)
    assert api.get("/product/").ok()["count"] == 0


def test_a_repeated_request_with_its_key_makes_one(api: Api) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = api.post("/product/", COMPLETE, headers=key)
    second = api.post("/product/", COMPLETE, headers=key)
    assert (second.status, second.json) == (201, first.json)
    assert second.headers["idempotent-replayed"] == "true"
    api.post("/product/", TERM, headers=key).refused("idempotency_key_reused")
    assert api.get("/product/").ok()["count"] == 1


def test_another_partners_product_does_not_exist(served: Served, api: Api) -> None:
    where = f"/product/{make(api)['id']}/"
    nowhere = f"/product/{uuid4()}/"
    for path in (where, nowhere):
        served.other.get(path).refused("not_found", 404)
        served.other.put(path, COMPLETE).refused("not_found", 404)
        served.other.patch(path, {"name": "Mine"}).refused("not_found", 404)
        served.other.delete(path).refused("not_found", 404)
        served.other.post(f"{path}publish/").refused("not_found", 404)
        served.other.get(f"{path}quote/").refused("not_found", 404)
    assert api.get(where).ok()["name"] == "Flexi"


# --- methods --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/product/", "GET, POST"),
        ("POST", "/product/{id}/", "GET, PUT, PATCH, DELETE"),
        ("GET", "/product/{id}/publish/", "POST"),
        ("POST", "/product/{id}/quote/", "GET"),
    ],
)
def test_other_methods(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.request(method, path.format(id=uuid4()))
    assert answer.refused("method_not_allowed", 405).headers["allow"] == allowed
