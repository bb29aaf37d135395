"""Applications over HTTP, from what the product says to a decision that explains itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain import scoring
from chalicelib.models.keys import DECISION
from chalicelib.usecases.keyring import key_hash
from tests.handlers.risk_support import NOWHERE, Lender, do, lending
from tests.served import KEY, Served


@pytest.fixture
def world() -> Iterator[tuple[Lender, Served]]:
    with lending() as (lender, served):
        yield lender, served


@pytest.fixture
def lender(world: tuple[Lender, Served]) -> Lender:
    return world[0]


def test_a_new_application_takes_what_is_missing_from_the_product(lender: Lender) -> None:
    product, borrower = lender.product(), lender.borrower()
    body = {"product": product["id"], "end_user": borrower["id"]}
    made = lender.api.post("/application/", body).ok(201)
    assert {
        name: made[name] for name in made if name not in ("id", "created_at", "updated_at")
    } == {
        "status": "incomplete",
        "product": product["id"],
        "end_user": borrower["id"],
        "amount": "1000.00",
        "installments": "4",
        "rate": "10",
        "custom_fields": {},
        "reason": "",
        "decision": None,
        "loan": None,
    }
    assert lender.read("application", made) == made
    assert lender.api.get("/application/").ok()["results"] == [made]


def test_what_is_asked_for_stands(lender: Lender) -> None:
    fields = {"purpose": "roof", "score": Decimal("1.50"), "tags": [1, None, {"deep": True}]}
    made = lender.application(
        amount=2500,
        installments="12",
        rate="7.5",
        custom_fields=fields,
        id=NOWHERE,
        status="approved",
    )
    assert (made["amount"], made["installments"], made["rate"]) == ("2500.00", "12", "7.5")
    assert made["custom_fields"] == fields
    assert (made["status"], made["id"] != NOWHERE) == ("incomplete", True)


def test_a_line_of_credit_has_no_instalments(lender: Lender) -> None:
    line = lender.product(type="line_of_credit", installments=None)
    made = lender.application(line)
    assert made["installments"] is None
    assert lender.api.put(f"/application/{made['id']}/", made).ok()["amount"] == "1000.00"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "5000.01"}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": "10.001"}, "amount"),
        ({"rate": "20.5"}, "rate"),
        ({"rate": -1}, "rate"),
        ({"installments": 0}, "installments"),
        ({"installments": 601}, "installments"),
        ({"installments": "4.5"}, "installments"),
        ({"product": NOWHERE}, "product"),
        ({"product": "flexi"}, "product"),
        ({"end_user": NOWHERE}, "end_user"),
        ({"custom_fields": []}, "custom_fields"),
        ({"custom_fields": {"a": "x" * 20_000}}, "custom_fields"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_applications_are_refused(lender: Lender, change: dict[str, Any], field: str) -> None:
    right = {"product": lender.product()["id"], "end_user": lender.borrower()["id"]}
    refused = lender.api.post("/application/", {**right, **change})
    assert list(refused.refused("validation_error", 400).fields) == [field]
    assert lender.api.get("/application/").ok()["count"] == 0
    lender.api.post("/application/", right).ok(201)


def test_the_product_must_be_published(lender: Lender) -> None:
    draft = lender.product(published=False)
    body = {"product": draft["id"], "end_user": lender.borrower()["id"]}
    lender.api.post("/application/", body).refused("product_is_draft")
    lender.api.post(f"/product/{draft['id']}/publish/").ok(201)
    lender.api.post("/application/", body).ok(201)


def test_another_partners_things_are_unknown(world: tuple[Lender, Served]) -> None:
    lender, served = world
    foreign = Lender(served.other)
    body = {"product": foreign.product()["id"], "end_user": foreign.borrower()["id"]}
    refused = lender.api.post("/application/", body).refused("validation_error", 400)
    assert refused.fields == {"product": "unknown", "end_user": "unknown"}
    theirs = foreign.application()
    acts = [("POST", "complete/"), ("POST", "reopen/"), ("POST", "withdraw/")]
    for method, path in [("GET", ""), ("PATCH", ""), *acts]:
        refused = lender.api.request(method, f"/application/{theirs['id']}/{path}", {})
        refused.refused("not_found", 404)


def test_borrower_and_product_never_change(lender: Lender) -> None:
    made = lender.application()
    path = f"/application/{made['id']}/"
    for change in ({"end_user": lender.borrower()["id"]}, {"product": lender.product()["id"]}):
        lender.api.patch(path, change).refused("end_user_immutable", 400)
        lender.api.put(path, {**made, **change}).refused("end_user_immutable", 400)
    assert lender.read("application", made) == made


def test_it_can_be_changed_only_while_it_is_incomplete(lender: Lender) -> None:
    made = lender.application(amount=700)
    path = f"/application/{made['id']}/"
    assert lender.api.patch(path, {"installments": 6}).ok()["amount"] == "700.00"
    replaced = lender.api.put(path, {"product": made["product"], "end_user": made["end_user"]})
    assert (replaced.ok()["amount"], replaced.json["installments"]) == ("1000.00", "4")
    do(lender, made, "withdraw").ok()
    lender.api.patch(path, {"installments": 7}).refused("invalid_status")
    do(lender, made, "withdraw").refused("invalid_status")
    do(lender, made, "complete").refused("invalid_status")
    assert lender.read("application", made)["installments"] == "4"
    assert do(lender, made, "reopen").ok()["status"] == "incomplete"
    do(lender, made, "reopen").refused("invalid_status")
    lender.api.patch(path, {"installments": 7}).ok()


# --- deciding -------------------------------------------------------------------------------------


def test_the_whole_way_to_an_approval(world: tuple[Lender, Served]) -> None:
    lender, served = world
    salary = lender.source("salary", "float")
    lender.source("country", "string", default="GB")
    card = lender.card(
        "{{salary}} / 12 >= 1000",
        "500 if {{country}} == ‘GB’ and {{end_user_age}} >= 18 else 0",
        threshold=250,
    )
    engine, product = lender.engine(card, version="2026-1"), lender.product()
    lender.selector(product, engine)
    application = lender.application(product)
    lender.point(salary, application, "24000.00")

    approved = do(lender, application, "complete").ok()
    assert (approved["status"], approved["reason"]) == ("approved", "")
    decision = lender.api.get(f"/decision/{approved['decision']}/").ok()
    assert (decision["application"], decision["risk_engine_version"]) == (
        application["id"],
        "2026-1",
    )
    [scored] = decision["result"]["scorecards"]
    assert (decision["result"]["decision"], scored["decision"]) == ("accept", "pass")
    assert (scored["score"], scored["threshold"]) == (Decimal("250.5"), 250)
    assert scored["rules"][0]["inputs"] == {"salary": Decimal("24000.00")}
    assert scored["rules"][0]["value"] is True
    assert scored["rules"][1]["inputs"] == {"country": "GB", "end_user_age": 35}
    assert (scored["rules"][1]["value"], scored["rules"][1]["passed"]) == (500, True)
    assert lender.api.get("/decision/").ok()["count"] == 1

    partner = served.world.identify(key_hash(KEY))
    assert partner is not None
    stored = served.world.store.get(DECISION, partner.id, approved["decision"])
    assert stored is not None
    assert scoring.recompute(stored.value.result) == stored.value.result
    lender.api.post("/loan/", {"application": application["id"]}).ok(201)
    for action in ("complete", "reopen", "withdraw"):
        do(lender, application, action).refused("application_immutable")
    path = f"/application/{application['id']}/"
    lender.api.patch(path, {"amount": 5}).refused("application_immutable")
    assert lender.read("application", application)["loan"] is not None


def test_a_decline_says_why(lender: Lender) -> None:
    salary = lender.source("salary")
    card = lender.card(
        "{{salary}} / {{end_user_open_loans}} > 1", "1", name="Means", threshold="0.6"
    )
    product = lender.product()
    lender.selector(product, lender.engine(lender.card("1"), card))
    application = lender.application(product)
    lender.point(salary, application, 100)
    declined = do(lender, application, "complete").ok()
    assert declined["status"] == "declined"
    assert "Means" in declined["reason"]
    assert "division by zero" in declined["reason"]
    result = lender.api.get(f"/decision/{declined['decision']}/").ok()["result"]
    assert result["decision"] == "decline"
    assert [card["decision"] for card in result["scorecards"]] == ["pass", "fail"]
    failed = result["scorecards"][1]["rules"][0]
    assert (failed["value"], failed["passed"], failed["evaluated"]) == (None, False, True)


def test_stop_on_first_fail_leaves_the_rest(lender: Lender) -> None:
    product = lender.ready("0", "1", stop_on_first_fail=True, threshold=0)
    declined = do(lender, lender.application(product), "complete").ok()
    [card] = lender.api.get(f"/decision/{declined['decision']}/").ok()["result"]["scorecards"]
    assert (declined["status"], card["decision"]) == ("declined", "fail")
    assert [rule["evaluated"] for rule in card["rules"]] == [True, False]


def test_without_a_selector_nothing_is_decided(lender: Lender) -> None:
    application = lender.application()
    do(lender, application, "complete").refused("risk_engine_not_configured")
    assert lender.read("application", application) == application


def test_missing_data_points_are_named(lender: Lender) -> None:
    salary, rent = lender.source("salary"), lender.source("rent")
    lender.source("known", default=1)
    product = lender.ready("{{salary}} > {{rent}} + {{known}}")
    application = lender.application(product)
    refused = do(lender, application, "complete").refused("data_points_missing")
    assert "rent" in refused.json["detail"]
    assert "salary" in refused.json["detail"]
    assert "known" not in refused.json["detail"]
    lender.point(salary, application, 9)
    assert "salary" not in do(lender, application, "complete").refused("data_points_missing").text
    assert lender.read("application", application)["status"] == "incomplete"
    assert lender.api.get("/decision/").ok()["count"] == 0
    lender.point(rent, application, 1)
    assert do(lender, application, "complete").ok()["status"] == "approved"


def test_preconfigured_inputs_are_the_details_of_the_day(world: tuple[Lender, Served]) -> None:
    lender, served = world
    names = {
        "end_user_age": 36,
        "end_user_type": "individual",
        "end_user_country": "GB",
        "end_user_regulated": True,
        "end_user_open_loans": 0,
        "end_user_outstanding": 0,
        "end_user_worst_days_past_due": 0,
        "application_amount": Decimal("1234.50"),
        "application_installments": 9,
        "application_rate": Decimal("12.5"),
        "product_type": "term_loan_equal_instalments",
    }
    text = " and ".join(f"{{{{{name}}}}} != 'x'" for name in names)
    product = lender.ready(f"1 if {text} else 0")
    borrower = lender.borrower()
    application = lender.application(product, end_user=borrower["id"], amount=5)
    change = {"amount": "1234.50", "installments": 9, "rate": "12.5"}
    lender.api.patch(f"/application/{application['id']}/", change).ok()
    lender.api.patch(f"/end_user/{borrower['id']}/", {"country": "GB"}).ok()
    served.world.today = date(2026, 3, 3)  # the borrower's birthday
    done = do(lender, application, "complete").ok()
    decision = lender.api.get(f"/decision/{done['decision']}/").ok()
    assert decision["result"]["scorecards"][0]["rules"][0]["inputs"] == names


def test_what_the_borrower_owes_is_looked_up(lender: Lender) -> None:
    owed = "{{end_user_open_loans}} + {{end_user_outstanding}} + {{end_user_worst_days_past_due}}"
    product, borrower = lender.ready(f"{owed} < 1"), lender.borrower()["id"]
    first = lender.application(product, end_user=borrower, amount=750)
    do(lender, first, "complete").ok()
    loan = lender.api.post("/loan/", {"application": first["id"]}).ok(201)
    body = {"loan": loan["id"], "type": "disbursement", "amount": 750, "idempotency_key": "k"}
    paid_out = lender.api.post("/transaction/", body).ok(201)
    lender.api.post(f"/transaction/{paid_out['id']}/apply/").ok(201)
    second = lender.application(product, end_user=borrower, amount=1)
    declined = do(lender, second, "complete").ok()
    assert declined["status"] == "declined"
    decision = lender.api.get(f"/decision/{declined['decision']}/").ok()
    assert decision["result"]["scorecards"][0]["rules"][0]["inputs"] == {
        "end_user_open_loans": 1,
        "end_user_outstanding": 750,
        "end_user_worst_days_past_due": 0,
    }


def test_a_company_has_no_age(lender: Lender) -> None:
    product = lender.ready("{{end_user_age}} == None and {{end_user_type}} == 'limited_company'")
    company = lender.api.post(
        "/end_user/", {"type": "limited_company", "company_name": "Example Ltd"}
    ).ok(201)
    application = lender.application(product, end_user=company["id"])
    assert do(lender, application, "complete").ok()["status"] == "approved"


def test_the_selector_chooses_by_the_applications_id(lender: Lender) -> None:
    card, product = lender.card("1"), lender.product()
    lender.selector(product, lender.engine(card, version="a"), lender.engine(card, version="b"))
    borrower = lender.borrower()["id"]
    versions: dict[str, str] = {}
    for _ in range(12):
        application = lender.application(product, end_user=borrower)
        done = do(lender, application, "complete").ok()
        decision = lender.api.get(f"/decision/{done['decision']}/").ok()
        versions[application["id"]] = decision["risk_engine_version"]
        do(lender, application, "reopen").ok()
        again = do(lender, application, "complete").ok()
        second = lender.api.get(f"/decision/{again['decision']}/").ok()
        assert second["risk_engine_version"] == decision["risk_engine_version"]
        assert second["id"] != decision["id"]
    assert set(versions.values()) == {"a", "b"}  # 1 in 2048 ids would not


def test_what_has_decided_is_frozen(lender: Lender) -> None:
    card, product = lender.card("1"), lender.product()
    engine = lender.engine(card)
    selector = lender.selector(product, engine)
    done = do(lender, lender.application(product), "complete").ok()
    rules = [{"statement": "0", "weight": 1, "threshold": 1}]
    for path, change in (
        (f"/scorecard/{card['id']}/", {"rules": rules}),
        (f"/scorecard/{card['id']}/", {"threshold": 0}),
        (f"/scorecard/{card['id']}/", {"name": "Other"}),
        (f"/risk_engine/{engine['id']}/", {"version": "other"}),
        (f"/risk_engine/{engine['id']}/", {"scorecards": [lender.card("0")["id"]]}),
    ):
        lender.api.patch(path, change).refused("invalid_status")
    successor = lender.engine(lender.card("0"))
    shares = [{"version": successor["version"], "weight": 1}]
    lender.api.patch(f"/risk_engine_selector/{selector['id']}/", {"risk_engines": shares}).ok()
    lender.api.patch(f"/risk_engine/{engine['id']}/", {"is_active": False}).ok()
    assert do(lender, lender.application(product), "complete").ok()["status"] == "declined"
    assert lender.read("application", done)["status"] == "approved"


def test_a_decision_outlives_what_comes_after(lender: Lender) -> None:
    salary = lender.source("salary")
    product = lender.ready("{{salary}} > 10")
    application = lender.application(product)
    point = lender.point(salary, application, 5)
    declined = do(lender, application, "complete").ok()
    first = lender.api.get(f"/decision/{declined['decision']}/").ok()
    reopened = do(lender, application, "reopen").ok()
    assert (reopened["status"], reopened["reason"], reopened["decision"]) == (
        "incomplete",
        "",
        None,
    )
    lender.api.patch(f"/data_point/{point['id']}/", {"value": 50}).ok()
    assert do(lender, application, "complete").ok()["status"] == "approved"
    assert lender.api.get(f"/decision/{first['id']}/").ok() == first
    assert lender.api.get("/decision/").ok()["count"] == 2
