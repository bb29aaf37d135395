"""Repayments collected through the payments provider, in a partner's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app import app
from tests.http_support import Api
from tests.scenarios.collecting import Collector, interest, last, repayments
from tests.scenarios.paying import Paying, paying

GOLDEN = Path(__file__).parent.parent / "golden"
HOOKS = {"url": "http://127.0.0.1:9/hooks"}
NO_RETRIES = {"collection_retries": 0}


@pytest.fixture
def pays(tmp_path: Path) -> Iterator[Paying]:
    with paying(tmp_path) as made:
        yield made
        made.works()
        later = made.world.wall + timedelta(days=1)
        assert made.world.store.pending_messages(later) == [], "what was sent stays in the outbox"


@pytest.fixture
def at(pays: Paying) -> Collector:
    """Loans are paid out on 9 February 2018, as in the documentation; the first row is due on
    14 March, a Wednesday, the second on 13 April.
    """
    return Collector(pays, "2018-02-03")


def told(at: Collector, event: str) -> list[Any]:
    """What partners have heard, oldest first."""
    found = at.pays.partner.get(f"/webhook/?event={event}&limit=200")["results"]
    return [row["data"] for row in reversed(found)]


def test_a_loan_that_is_collected_on_time(at: Collector) -> None:
    """Exactly the documented table, on its dates."""
    at.pays.partner.post("/webhook_endpoint/", HOOKS)
    documented = json.loads((GOLDEN / "equal_instalments.json").read_text())
    loan = at.loan()
    at.goes_to("2018-03-09")
    made = last(loan)
    assert (made["status"], made["origin"]) == ("pending", "schedule")
    assert (made["provider"], str(made["amount"])) == ("gocardless", "2070.58")
    loan.shows(pending_principal="1940.39", pending_interest="130.19", principal="12000.00")
    payment = at.payment(made)
    assert (payment["amount"], payment["charge_date"]) == (207058, "2018-03-14")
    assert payment["metadata"] == {"transaction": made["id"], "loan": loan.id}
    at.goes_to("2018-08-20")
    rows = documented["schedule"]
    found = [(row["effective_date"], str(row["amount"])) for row in reversed(repayments(loan))]
    assert found == [(row["due_date"], row["total_amount"]) for row in rows]
    assert interest(loan).quantize(Decimal("0.01")) == Decimal(documented["totals"]["interest"])
    loan.shows(status="closed", close_substatus="paid_in_full", principal="0.00").folds()
    created, results = told(at, "repayment_created"), told(at, "repayment_result")
    assert [one["provider_transaction_id"] for one in created] == [
        one["provider_transaction_id"] for one in results
    ]
    assert {one["status"] for one in results} == {"applied"} and len(results) == len(rows)
    assert told(at, "loan_is_late") == []


# --- failures -------------------------------------------------------------------------------------


def test_failures_are_retried_as_long_as_that_may_help(at: Collector) -> None:
    fickle, poor, disputed, dead, early = at.loans_of(5, installments=2)
    at.goes_to("2018-03-14")
    causes = {fickle: "ARUDD-0", poor: "ARUDD-6", disputed: "ARUDD-B", dead: "ARUDD-2"}
    for loan, code in causes.items():
        at.happens("failed", last(loan), reason_code=code)
    reasons = [last(loan)["failure_reason"] for loan in (disputed, dead)]
    assert reasons == ["bank_account_closed", "bank_account_closed"]
    borrower = at.pays.partner.get(f"/end_user/{dead.now['end_user']}/")
    assert borrower["sensitive"] is True and not at.account(dead).mandate_usable
    for loan in (fickle, poor):
        again = last(loan)
        assert (again["status"], again["failure_reason"]) == ("pending", "")
        assert at.payment(again)["charge_date"] == "2018-03-19", "three working days later"
    at.passes(1)
    for loan in causes:
        loan.shows(status="late", late_since="2018-03-15", days_past_due="1")
    early.shows(status="active", days_past_due="0")
    at.goes_to("2018-03-19")
    at.happens("failed", last(poor), reason_code="ARUDD-6")
    assert at.payment(last(poor))["charge_date"] == "2018-03-22"
    at.goes_to("2018-03-22")
    applied = last(fickle)
    assert (applied["status"], applied["effective_date"]) == ("applied", "2018-03-19")
    fickle.shows(status="active", late_since="None").folds()
    at.happens("failed", last(poor), reason_code="ARUDD-6")
    gone = last(poor)
    assert (gone["status"], gone["failure_reason"]) == ("failed", "other"), "twice is enough"
    poor.shows(status="arrears", days_past_due="8").folds()
    assert len(repayments(poor)) == 1 and len(at.payments(poor)) == 1
    tried = at.pays.asked("POST /payments/*/actions/retry")
    assert len(tried) == 3
    at.goes_to("2018-04-16")
    assert len(repayments(dead)) == 1, "nothing is collected from the dead"
    early.shows(status="closed", principal="0.00")


def test_a_failed_repayment_by_hand_might_never_have_been(at: Collector) -> None:
    loan, twin = at.loans_of(2, installments=2, **NO_RETRIES)
    at.goes_to("2018-02-20")
    made = loan.transaction("repayment", "3000.00").ok(201)
    assert made["provider"] == "gocardless"
    at.hears()
    assert last(loan)["provider_transaction_id"].startswith("PM")
    loan.shows(principal="9043.40")
    at.passes(2)
    at.happens("failed", last(loan))
    assert last(loan)["failure_reason"] == "refer_to_payer"
    at.goes_to("2018-02-28")
    assert same(loan.now) == same(twin.now)
    assert interest(loan) == interest(twin)
    rows = [same(at.pays.partner.get(f"/loan/{one.id}/schedule/")) for one in (loan, twin)]
    assert rows[0] == rows[1]
    loan.folds()
    retry = f"/transaction/{made['id']}/retry/"
    again = at.pays.partner.post(retry)
    assert (again["id"], again["status"]) == (made["id"], "pending")
    assert again["effective_date"] == "2018-02-28"
    at.pays.partner.http.request("POST", retry).refused("invalid_status")
    at.goes_to("2018-03-07")
    assert last(loan)["status"] == "applied" and len(at.payments(loan)) == 1
    loan.folds()


def same(loan: Any) -> dict[str, Any]:
    """A loan, or its schedule, but for what is its own."""
    own = ("id", "loan", "application", "end_user", "mandate", "created_at", "updated_at")
    return {name: value for name, value in loan.items() if name not in own}


def test_what_cannot_be_retried(at: Collector) -> None:
    loan = at.loan(mandate=False)
    made = loan.transaction("repayment", "100.00").ok(201)
    assert made["provider"] is None
    retry = f"/transaction/{made['id']}/retry/"
    at.pays.partner.http.request("POST", retry).refused("invalid_status")
    loan.confirmed()
    at.pays.partner.http.request("POST", retry).refused("invalid_status")
    disbursement = loan.all_transactions()[-1]["id"]
    at.pays.partner.http.request("POST", f"/transaction/{disbursement}/retry/").refused(
        "invalid_status"
    )
    nowhere = f"/transaction/{loan.id[:24]}000000000999/retry/"
    at.pays.partner.http.request("POST", nowhere).refused("not_found", 404)


# --- late failures and chargebacks ----------------------------------------------------------------


def test_a_closed_loan_whose_money_goes_back(at: Collector) -> None:
    at.pays.partner.post("/webhook_endpoint/", HOOKS)
    late, back = at.loans_of(2, installments=1, **NO_RETRIES)
    at.goes_to("2018-03-19")
    for loan in (late, back):
        loan.shows(status="closed", principal="0.00")
    paid = last(back)
    at.happens("failed", last(late))
    assert (last(late)["status"], last(late)["failure_reason"]) == ("failed", "refer_to_payer")
    late.shows(status="late", principal="12000.00", late_since="2018-03-15", days_past_due="5")
    assert interest(late) == Decimal("3.9452054795") * 38, "as if it had never been"
    at.happens("charged_back", paid)
    for message in list(at.pays.org.records["events"].values())[-1:]:
        at.again(message.doc)
    chargebacks = [one for one in back.all_transactions() if one["type"] == "chargeback"]
    assert [one["effective_date"] for one in chargebacks] == ["2018-03-19"]
    assert str(chargebacks[0]["amount"]) == str(paid["amount"])
    back.shows(status="late", principal="12000.00", interest="130.19", days_past_due="5").folds()
    assert last(back)["status"] == "applied", "the original stays as it is"
    at.passes(3)
    back.shows(interest="142.03")
    assert len(at.payments(back)) == 1, "no automatic retry after a chargeback"
    at.happens("chargeback_cancelled", paid)
    back.shows(status="closed", principal="0.00", interest="0.00", days_past_due="0").folds()
    [taken] = told(at, "repayment_charged_back")
    assert (taken["loan"], taken["id"], taken["repayment"]) == (
        back.id,
        chargebacks[0]["id"],
        paid["id"],
    )
    sent = at.pays.partner.get("/webhook/?limit=200")["results"]
    heard = [one["event"] for one in reversed(sent) if back.id in one["data"].values()]
    assert heard[-7:] == [
        *("repayment_result", "loan_closed"),
        *("repayment_charged_back", "loan_is_late", "loan_is_arrears"),
        *("repayment_result", "loan_closed"),
    ]


def test_a_late_failure_is_collected_again(at: Collector) -> None:
    loan = at.loan(installments=1)
    at.goes_to("2018-03-19")
    at.happens("failed", last(loan))
    assert last(loan)["status"] == "pending"
    loan.shows(status="late", principal="12000.00")
    at.goes_to("2018-03-26")
    assert last(loan)["effective_date"] == "2018-03-22"
    loan.shows(status="arrears", principal="31.56", days_past_due="12").folds()


def test_events_in_the_worst_order(at: Collector) -> None:
    """A chargeback and its end arrive ahead of the confirmation, all at once and reversed."""
    loan = at.loan(installments=1)
    at.goes_to("2018-03-14")
    paid = last(loan)
    links = {"payment": paid["provider_transaction_id"]}
    for action in ("confirmed", "paid_out", "charged_back", "chargeback_cancelled"):
        at.tells("payments", action, links, {})
    at.pays.control("faults", {"match": "webhooks", "kind": "reorder_webhooks", "times": 1})
    at.hears()
    loan.shows(status="closed", principal="0.00").folds()
    found = [(one["type"], one["status"]) for one in loan.all_transactions()[:6]]
    assert ("chargeback", "reverted") in found
    events = at.pays.partner.get("/provider_event/?limit=200")["results"]
    assert all(event["outcome"] != "waiting" for event in events)


# --- asking for less ------------------------------------------------------------------------------


def test_a_repayment_by_hand_makes_a_collection_smaller(at: Collector) -> None:
    half, whole, late = at.loans_of(3, installments=2)
    at.goes_to("2018-03-09")
    first = {loan: last(loan) for loan in (half, whole, late)}
    by_hand = {"collect": False}
    half.transaction("repayment", "1000.00", **by_hand).ok(201)
    whole.transaction("repayment", first[whole]["amount"], **by_hand).ok(201)
    at.hears()
    for loan in (half, whole):
        shown = at.pays.partner.get(f"/transaction/{first[loan]['id']}/")
        assert (shown["status"], shown["failure_reason"]) == ("failed", "payment_cancelled")
        assert at.payment(first[loan])["status"] == "cancelled"
    made = last(half)
    assert made["amount"] == half.now["next_repayment_amount"] and made["status"] == "pending"
    assert made["amount"] < first[half]["amount"] - 1000, "less principal, less interest"
    assert len(at.payments(whole)) == 1
    at.goes_to("2018-03-13")
    late.transaction("repayment", "1000.00", **by_hand).ok(201)
    at.hears()
    assert at.payment(first[late])["status"] == "submitted", "too late to change it"
    at.goes_to("2018-03-20")
    for loan in (half, whole, late):
        for waiting in repayments(loan):
            if waiting["status"] == "pending":
                at.pays.partner.post(f"/transaction/{waiting['id']}/apply/", {})
        loan.shows(status="active", days_past_due="0").folds()
    assert [str(at.payment(made)["amount"]), at.payment(made)["status"]] == [
        str(int(made["amount"] * 100)),
        "paid_out",
    ]
    assert late.now["overpayment"] == 0 or late.now["principal"] < whole.now["principal"]


def test_what_is_applied_by_hand_is_not_collected_as_well(at: Collector) -> None:
    loan = at.loan(installments=2)
    made = loan.transaction("repayment", "500.00").ok(201)
    at.hears()
    loan.confirmed()
    at.hears()
    assert [one["status"] for one in at.payments(loan)] == ["cancelled"]
    at.passes(5)
    shown = at.pays.partner.get(f"/transaction/{made['id']}/")
    assert (shown["status"], shown["failure_reason"]) == ("applied", "")
    loan.folds()


def test_a_death_is_heard_of_whatever_has_become_of_the_repayment(at: Collector) -> None:
    loan = at.loan(installments=2)
    made = loan.transaction("repayment", "500.00").ok(201)
    at.passes(2)
    loan.confirmed()  # too late: the banks have it
    at.happens("failed", at.pays.partner.get(f"/transaction/{made['id']}/"), reason_code="ARUDD-2")
    assert at.pays.partner.get(f"/transaction/{made['id']}/")["status"] == "applied"
    assert at.pays.partner.get(f"/end_user/{loan.now['end_user']}/")["sensitive"] is True
    assert not at.account(loan).mandate_usable


def test_a_mandate_that_is_cancelled_with_payments_on_their_way(at: Collector) -> None:
    sent, waiting = at.loans_of(2, installments=2)
    at.goes_to("2018-03-13")
    payment = at.payment(last(sent))
    assert payment["status"] == "submitted"
    for loan in (sent, waiting):
        links = {"mandate": at.payment(last(loan))["links"]["mandate"]}
        at.tells("mandates", "cancelled", links, {})
    at.hears()
    assert not at.account(sent).mandate_usable
    at.goes_to("2018-03-16")
    shown = last(sent)
    assert (shown["status"], shown["failure_reason"]) == ("failed", "mandate_cancelled")
    sent.shows(status="late", days_past_due="2")
    refused = at.pays.partner.http.request("POST", f"/transaction/{shown['id']}/retry/")
    refused.refused("mandate_not_usable")
    at.goes_to("2018-04-16")
    assert len(at.payments(sent)) == 1, "a mandate that is gone takes no new payments"


# --- other products -------------------------------------------------------------------------------


def test_a_line_of_credit_is_late_by_a_failed_collection(at: Collector) -> None:
    product = {"type": "line_of_credit", "installments": None, "repayment_date_type": None,
               "repayment_date_period": None, "repayment_holiday_scheduling": None}  # fmt: skip
    loan = at.loan("1000.00", **{**product, **NO_RETRIES})
    loan.transaction("repayment", "400.00").ok(201)
    at.hears()
    loan.shows(status="active", principal="600.00")
    at.passes(3)
    at.happens("failed", last(loan))
    loan.shows(status="late", principal="1000.00").folds()
    loan.transaction("repayment", "400.00", collect=False).ok(201)
    loan.shows(status="active")


def test_the_minimum_of_revolving_credit_is_collected(at: Collector) -> None:
    product = {
        "type": "revolving_credit",
        "installments": None,
        "statement_day": 20,
        "minimum_repayment_percentage": "5",
        "minimum_repayment_amount": "25.00",
    }
    loan = at.loan("1000.00", **product)
    at.goes_to("2018-03-20")
    [_, statement] = at.pays.partner.get(f"/statement/?loan={loan.id}")["results"]
    made = last(loan)
    assert made["amount"] == statement["minimum_repayment"] and made["status"] == "applied"
    assert statement["status"] == "paid"
    loan.folds()


def test_two_partners_know_nothing_of_each_other(at: Collector) -> None:
    mine = at.loan(installments=2)
    other = Api(app, at.pays.partner.post("/sandbox/partner/")["api_key"])
    theirs = other.get("/sandbox/simulators/").ok()["gocardless"]
    at.goes_to("2018-03-14")
    made = last(mine)
    other.post(f"/transaction/{made['id']}/retry/").refused("not_found", 404)
    event = {"id": "EV1", "resource_type": "payments", "action": "failed", "details": {},
             "links": {"payment": made["provider_transaction_id"]},
             "created_at": "2018-03-14T12:00:00.000Z"}  # fmt: skip
    from tests.scenarios.test_mandates import sends

    sends(at.pays, [event], secret=theirs["webhook_secret"])
    at.pays.works()
    assert last(mine)["status"] == "pending"
    at.passes(2)
    mine.shows(status="active")
    assert last(mine)["status"] == "applied"
    assert other.get("/provider_event/").ok()["results"][0]["outcome"] == "ignored"


# --- dated back -----------------------------------------------------------------------------------


def test_a_repayment_dated_back_is_collected_only_where_that_is_asked_for(at: Collector) -> None:
    loan = at.loan()
    at.goes_to("2018-02-20")
    dated = {"effective_date": "2018-02-15"}
    elsewhere = loan.transaction("repayment", "100.00", **dated).ok(201)
    assert (elsewhere["collect"], elsewhere["provider"]) == (False, None)
    asked = loan.transaction("repayment", "200.00", collect=True, **dated).ok(201)
    assert (asked["collect"], asked["provider"]) == (True, "gocardless")
    at.hears()
    assert [one["amount"] for one in at.payments(loan)] == [20000]
    at.goes_to("2018-03-05")
    done = {one["id"]: one for one in repayments(loan)}
    assert (done[asked["id"]]["status"], done[asked["id"]]["effective_date"]) == (
        "applied",
        "2018-02-15",
    )
    assert done[elsewhere["id"]]["status"] == "pending"
    loan.folds()
