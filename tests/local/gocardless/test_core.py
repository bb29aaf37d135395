"""What may become of a resource, and what a refused request leaves: nothing."""

from __future__ import annotations

from copy import deepcopy
from datetime import date

import pytest

from local.gocardless import (
    accounts,
    days,
    happenings,
    magic,
    mandates,
    moves,
    payments,
    payouts,
    refunds,
    scenarios,
)
from local.gocardless.checks import Fields
from local.gocardless.errors import ApiError
from local.gocardless.organisation import Organisation, Record
from tests.local.gocardless.support import (
    BANK,
    active_mandate,
    mandate_of,
    organisation,
    payment_body,
    told,
)


def paid(org: Organisation, status: str, amount: int = 1000) -> Record:
    """A payment that has come as far as ``status``."""
    payment = payments.create(org, payment_body(active_mandate(org), amount))
    return payment if status == "pending_submission" else payments.bring(org, payment, status)


def last_event(org: Organisation) -> dict[str, object]:
    found: dict[str, object] = list(org.all("events"))[-1].doc
    return found


def test_a_refused_request_changes_nothing() -> None:
    org = organisation()
    mandate_of(org)
    before = deepcopy((org.records, org.head, org.keys, org.dues, org.waiting))

    def refused() -> None:
        with org.changing():
            other = mandate_of(org)
            org.remember("mandates", "key", other.id)
            mandates.cancel(org, other.id, None)
            days.send(org, date(2026, 2, 1))
            payments.create(org, payment_body(other))

    with pytest.raises(ApiError):
        refused()
    assert (org.records, org.head, org.keys, org.dues, org.waiting) == before
    assert org.changed() == ([], [])


@pytest.mark.parametrize("kind", sorted(moves.MACHINES))
def test_every_move_from_every_status_goes_or_is_refused(kind: str) -> None:
    rows = moves.MACHINES[kind]
    statuses = {s for row in rows.values() for s in (*row.sources.split(), row.target)} - {"same"}
    for status in sorted(statuses):
        for action, row in rows.items():
            org = organisation()
            record = org.add(kind, {"status": status, "metadata": {}, "links": {}})
            if status in row.sources.split():
                moved = moves.move(org, record, action)
                assert moved.status == (status if row.target == "same" else row.target)
            else:
                with pytest.raises(ApiError) as refusal:
                    moves.move(org, record, action)
                assert refusal.value.status == 422
                assert org.get(kind, record.id) == record


@pytest.mark.parametrize(
    ("kind", "action", "code", "cause"),
    [
        ("payments", "failed", "ARUDD-0", "refer_to_payer"),
        ("payments", "failed", "ARUDD-2", "bank_account_closed"),
        ("payments", "failed", "ARUDD-6", "other"),
        ("payments", "charged_back", "DDICA-4", "authorisation_disputed"),
        ("mandates", "failed", "ARUDD-6", "refer_to_payer"),
        ("mandates", "failed", "AUDDIS-F", "direct_debit_not_enabled"),
        ("mandates", "cancelled", "ADDACS-2", "bank_account_closed"),
        ("mandates", "cancelled", "ADDACS-3", "bank_account_transferred"),
    ],
)
def test_a_reason_code_says_its_cause(kind: str, action: str, code: str, cause: str) -> None:
    row = moves.MACHINES[kind][action]
    details = moves.details_of(kind, action, row, {"reason_code": code})
    assert (details["origin"], details["scheme"]) == ("bank", "bacs")
    assert (details["cause"], details["reason_code"]) == (cause, code)


def test_a_failed_payment_says_why_and_that_nobody_tries_again() -> None:
    org = organisation()
    payments.change(org, paid(org, "submitted"), "failed")
    event = last_event(org)
    assert event["action"] == "failed"
    details = event["details"]
    assert isinstance(details, dict)
    assert details.pop("description")
    assert details == {
        "origin": "bank",
        "cause": "refer_to_payer",
        "scheme": "bacs",
        "reason_code": "ARUDD-0",
        "will_attempt_retry": False,
        "not_retried_reason": "other",
    }


@pytest.mark.parametrize("status", ["pending_submission", "submitted", "confirmed", "paid_out"])
@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("payment_failed", "failed"),
        ("payment_charged_back", "charged_back"),
        ("payment_late_failure", "failed"),
        ("payment_chargeback_settled", "charged_back"),
        ("payment_late_failure_settled", "failed"),
        ("payment_paid_out", "paid_out"),
        ("payment_confirmed", "confirmed"),
    ],
)
def test_scenarios_of_payments(status: str, name: str, end: str) -> None:
    org = organisation()
    payment = paid(org, status)
    allowed = status in scenarios.SCENARIOS[name].sources.split()
    if not allowed:
        with pytest.raises(ApiError):
            scenarios.run(org, name, {"links": {"resource": payment.id}})
        assert org.get("payments", payment.id).status == status
        return
    assert scenarios.run(org, name, {"links": {"resource": payment.id}}) == {"id": name}
    assert org.get("payments", payment.id).status == end
    actions = told(org, payment)
    assert actions[:2] == ["created", "submitted"]
    assert actions.count("submitted") == 1
    if "settled" in name:
        assert actions[-1].endswith("_settled")
    days.send(org, date(2026, 3, 1))
    after = {"confirmed": "paid_out"}.get(end, end)
    assert org.get("payments", payment.id).status == after, "no date undoes it"


def test_charged_back_is_to_be_had_from_confirmed_and_paid_out() -> None:
    for status in ("confirmed", "paid_out"):
        assert status in scenarios.SCENARIOS["payment_charged_back"].sources.split()


def test_a_scenario_needs_an_active_mandate() -> None:
    org = organisation()
    payment = payments.create(org, payment_body(mandate_of(org)))
    with pytest.raises(ApiError, match="active mandate"):
        scenarios.run(org, "payment_failed", {"links": {"resource": payment.id}})


@pytest.mark.parametrize(
    ("name", "mandate", "payment"),
    [
        ("Successful", ["submitted", "active"], ["submitted", "confirmed", "paid_out"]),
        ("Penniless", ["submitted", "active"], ["submitted", "failed"]),
        (
            "Fickle",
            ["submitted", "active"],
            ["submitted", "confirmed", "paid_out", "charged_back"],
        ),
        ("Late", ["submitted", "active"], ["submitted", "confirmed", "failed"]),
        ("Invalid", ["submitted", "failed"], None),
        ("Expired", ["submitted", "active", "expired"], None),
        ("Frank", [], []),
    ],
)
def test_magic_first_names(name: str, mandate: list[str], payment: list[str] | None) -> None:
    org = organisation()
    made = mandate_of(org, name)
    magic.on_mandate(org, made)
    assert told(org, made) == ["created", *mandate]
    if payment is None:
        with pytest.raises(ApiError, match="failed, cancelled or expired"):
            payments.create(org, payment_body(made))
        return
    collected = payments.create(org, payment_body(made))
    magic.on_payment(org, collected)
    assert told(org, collected) == ["created", *payment]


def test_a_retry_is_collected_again_and_three_are_the_most() -> None:
    org = organisation()
    payment = payments.change(org, paid(org, "submitted"), "failed")
    for _ in range(payments.MOST_RETRIES):
        before = org.today
        payment = payments.retry(org, payment.id, {"metadata": {"try": "again"}})
        assert last_event(org)["action"] == "resubmission_requested"
        assert last_event(org)["metadata"] == {"try": "again"}
        assert payment.doc["charge_date"] > before.isoformat()
        days.send(org, date.fromisoformat(payment.doc["charge_date"]))
        assert org.get("payments", payment.id).status == "submitted"
        payment = payments.change(org, payment, "failed", {"reason_code": "ARUDD-0"})
    with pytest.raises(ApiError) as refusal:
        payments.retry(org, payment.id, None)
    assert refusal.value.errors[0]["reason"] == "retry_failed"


def test_what_is_not_failed_is_not_retried_and_what_has_left_is_not_cancelled() -> None:
    org = organisation()
    payment = paid(org, "submitted")
    with pytest.raises(ApiError) as refusal:
        payments.retry(org, payment.id, None)
    assert refusal.value.errors[0]["reason"] == "retry_failed"
    with pytest.raises(ApiError) as refusal:
        payments.cancel(org, payment.id, None)
    assert refusal.value.errors[0]["reason"] == "cancellation_failed"


def test_a_mandates_end_cancels_what_has_not_left_for_the_same_cause() -> None:
    org = organisation()
    mandate = active_mandate(org)
    waiting = payments.create(org, payment_body(mandate))
    left = payments.bring(org, payments.create(org, payment_body(mandate)), "submitted")
    mandates.change(org, mandate, "cancelled", {"reason_code": "ADDACS-2"})
    assert org.get("payments", waiting.id).status == "cancelled"
    assert last_event(org)["details"]["cause"] == "bank_account_closed"  # type: ignore[index]
    days.send(org, date(2026, 1, 20))
    assert org.get("payments", left.id).status == "failed"
    assert [e for e in told(org, left) if e == "failed"] == ["failed"]


def test_a_chargeback_is_taken_from_the_next_payout_and_given_back_when_cancelled() -> None:
    org = organisation()
    payment = payments.change(org, paid(org, "paid_out"), "charged_back")
    payout = payouts.pay(org, [paid(org, "confirmed", 5000)])
    assert payout.doc["amount"] == 5000 - 70 - 1000
    assert told(org, payment)[-1] == "chargeback_settled"
    payment = payments.change(org, payment, "chargeback_cancelled")
    assert payment.status == "paid_out"
    assert payouts.pay(org, []).doc["amount"] == 1000


def test_refunds() -> None:
    org = organisation()
    payment = paid(org, "paid_out")
    links = {"links": {"payment": payment.id}}
    first = refunds.create(org, {"amount": 400, "total_amount_confirmation": 400, **links})
    assert org.get("payments", payment.id).doc["amount_refunded"] == 400
    for wrong in ({"amount": 400, "total_amount_confirmation": 400}, {"amount": 601}):
        with pytest.raises(ApiError):
            refunds.create(org, {**wrong, **links})
    days.send(org, date(2026, 1, 7))
    assert org.get("refunds", first.id).status == "paid"
    assert told(org, first) == ["created", "paid"]
    refunds.change(org, first, "funds_returned")
    assert org.get("payments", payment.id).doc["amount_refunded"] == 0
    with pytest.raises(ApiError, match="cannot be refunded"):
        refunds.create(org, {"amount": 1, "links": {"payment": paid(org, "submitted").id}})


def test_happenings_move_and_tell_with_any_cause() -> None:
    org = organisation()
    payment = paid(org, "paid_out")
    events = happenings.happen(
        org,
        {
            "resource_type": "payments",
            "action": "failed",
            "links": {"payment": payment.id},
            "details": {"reason_code": "ARUDD-2"},
        },
    )
    assert [event.doc["action"] for event in events] == ["failed"]
    assert events[0].doc["details"]["cause"] == "bank_account_closed"
    assert org.get("payments", payment.id).status == "failed"
    only = happenings.happen(
        org,
        {
            "resource_type": "payments",
            "action": "surcharge_fee_debited",
            "links": {"payment": payment.id},
        },
    )
    assert [event.doc["action"] for event in only] == ["surcharge_fee_debited"]
    assert org.get("payments", payment.id).status == "failed"
    mandate = active_mandate(org)
    waiting = payments.create(org, payment_body(mandate))
    happenings.happen(
        org, {"resource_type": "mandates", "action": "replaced", "links": {"mandate": mandate.id}}
    )
    replaced = org.get("mandates", mandate.id)
    assert replaced.status == "cancelled"
    assert org.get("payments", waiting.id).links["mandate"] == replaced.links["new_mandate"]
    assert last_event(org)["links"] == {
        "mandate": mandate.id,
        "new_mandate": replaced.links["new_mandate"],
    }


def test_mandates_that_need_an_approval() -> None:
    org = organisation()
    object.__setattr__(org.head, "mandates_need_approval", True)
    mandate = mandate_of(org)
    payment = payments.create(org, payment_body(mandate))
    days.send(org, date(2026, 1, 20))
    assert org.get("mandates", mandate.id).status == "pending_customer_approval"
    assert org.get("payments", payment.id).status == "pending_customer_approval"
    run = {"links": {"resource": mandate.id}}
    scenarios.run(org, "mandate_customer_approval_granted", run)
    days.send(org, date(2026, 1, 22))
    assert org.get("mandates", mandate.id).status == "active"
    assert org.get("payments", payment.id).status == "submitted"
    assert org.get("payments", payment.id).doc["charge_date"] == "2026-01-26"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"account_number": "12345678"}, "account_number"),
        ({"account_number": "5577991"}, "account_number"),
        ({"account_number": "5577 991x"}, "account_number"),
        ({"branch_code": "2000"}, "branch_code"),
        ({"branch_code": "ABCDEF"}, "branch_code"),
        ({"branch_code": "400000"}, "account_number"),
        ({"account_holder_name": ""}, "account_holder_name"),
        ({"account_holder_name": "Frank {"}, "account_holder_name"),
        ({"country_code": "FR"}, "country_code"),
        ({"iban": "GB00BARC20000055779911"}, "iban"),
    ],
)
def test_bank_details_that_are_refused(wrong: dict[str, str], field: str) -> None:
    fields = Fields({**BANK, **wrong}, "/x")
    accounts.details(fields)
    assert field in [error["field"] for error in fields.errors]


def test_bank_details_that_work() -> None:
    for right in ({}, {"branch_code": "20-00-00"}, {"iban": "GB60 BARC 2000 0055 7799 11"}):
        fields = Fields({**BANK, **right}, "/x")
        shown = accounts.details(fields)
        assert fields.errors == []
        assert shown["account_number_ending"] == "11"
        assert shown["account_holder_name"] == "FRANK OSBORNE"
        assert "55779911" not in str(shown)
