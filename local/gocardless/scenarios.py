"""``POST /scenario_simulators/{name}/actions/run``: GoCardless's own names, done at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from local.gocardless import mandates, payments, payouts, refunds
from local.gocardless.checks import Fields
from local.gocardless.errors import Json, invalid_state, not_found
from local.gocardless.moves import move
from local.gocardless.organisation import Organisation, Record

Run = Callable[[Organisation, Record], Any]
#: A payment may have to go a part of the way first; it may not be ahead.
WAITING, SENT, SURE, OUT = "pending_submission", "submitted", "confirmed", "paid_out"


class Scenario(NamedTuple):
    """What it is about, in which statuses it may begin, and what it does."""

    kind: str
    sources: str
    run: Run


def _to(status: str) -> Run:
    return lambda org, payment: payments.bring(org, payment, status)


def _failed(org: Organisation, payment: Record) -> Record:
    return payments.change(org, payments.bring(org, payment, SENT), "failed")


def _late_failure(org: Organisation, payment: Record) -> Record:
    if payment.status != SURE:
        payment = payments.bring(org, payment, OUT)
    return payments.change(org, payment, "failed")


def _late_failure_of_paid(org: Organisation, payment: Record) -> Record:
    return payments.change(org, payments.bring(org, payment, OUT), "failed")


def _charged_back(org: Organisation, payment: Record) -> Record:
    return payments.change(org, payments.bring(org, payment, OUT), "charged_back")


def _settled(before: Run) -> Run:
    def run(org: Organisation, payment: Record) -> None:
        if payment.status not in ("charged_back", "failed"):
            before(org, payment)
        payouts.pay(org, [])

    return run


def _mandate(*actions: str) -> Run:
    """From ``pending_submission`` through the actions; those that lie behind are left out."""

    def run(org: Organisation, mandate: Record) -> None:
        for action in actions:
            mandate = org.get("mandates", mandate.id)
            if action == "submitted" and mandate.status != "pending_submission":
                continue
            if action == "active" and mandate.status == "active":
                continue
            again = action == "active" and mandate.hidden.get("reinstating")
            mandates.change(org, mandate, "reinstated" if again else action)

    return run


def _resubmitted(org: Organisation, mandate: Record) -> None:
    _mandate("submitted", "transferred")(org, mandate)
    mandate = org.change(mandate, status="pending_submission")
    _mandate("submitted", "active")(org, mandate)


def _refund(*actions: str) -> Run:
    def run(org: Organisation, refund: Record) -> None:
        for action in actions:
            known = org.get("refunds", refund.id)
            if action != "paid" or known.status != "paid":
                refunds.change(org, known, action)

    return run


def _refund_settled(org: Organisation, refund: Record) -> None:
    _refund("paid")(org, refund)
    payouts.pay(org, [])


def _bounced(org: Organisation, payout: Record) -> Record:
    return move(org, payout, "bounced", hidden={"due": None})


_PENDING = "pending_submission submitted"
_COLLECTED = f"{WAITING} {SENT} {SURE} {OUT}"

SCENARIOS: Mapping[str, Scenario] = {
    "payment_submitted": Scenario("payments", WAITING, _to(SENT)),
    "payment_confirmed": Scenario("payments", _PENDING, _to(SURE)),
    "payment_paid_out": Scenario("payments", f"{_PENDING} {SURE}", _to(OUT)),
    "payment_failed": Scenario("payments", _PENDING, _failed),
    "payment_charged_back": Scenario("payments", _COLLECTED, _charged_back),
    "payment_chargeback_settled": Scenario(
        "payments", f"{_COLLECTED} charged_back", _settled(_charged_back)
    ),
    "payment_late_failure": Scenario("payments", _COLLECTED, _late_failure),
    "payment_late_failure_settled": Scenario(
        "payments", f"{_COLLECTED} failed", _settled(_late_failure_of_paid)
    ),
    "mandate_activated": Scenario("mandates", _PENDING, _mandate("submitted", "active")),
    "mandate_customer_approval_granted": Scenario(
        "mandates", "pending_customer_approval", _mandate("customer_approval_granted")
    ),
    "mandate_customer_approval_skipped": Scenario(
        "mandates", "pending_customer_approval", _mandate("customer_approval_skipped")
    ),
    "mandate_failed": Scenario("mandates", _PENDING, _mandate("submitted", "failed")),
    "mandate_expired": Scenario(
        "mandates", f"{_PENDING} active", _mandate("submitted", "active", "expired")
    ),
    "mandate_transferred": Scenario(
        "mandates", f"{_PENDING} active", _mandate("submitted", "transferred")
    ),
    "mandate_transferred_with_resubmission": Scenario(
        "mandates", f"{_PENDING} active", _resubmitted
    ),
    "refund_paid": Scenario("refunds", _PENDING, _refund("paid")),
    "refund_settled": Scenario("refunds", f"{_PENDING} paid", _refund_settled),
    "refund_bounced": Scenario("refunds", f"{_PENDING} paid", _refund("failed")),
    "refund_returned": Scenario("refunds", "pending_submission", _refund("funds_returned")),
    "payout_bounced": Scenario("payouts", "paid", _bounced),
}


def run(org: Organisation, name: str, data: object) -> Json:
    """Runs the scenario on the resource that ``links.resource`` names."""
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise not_found()
    fields = Fields({} if data is None else data, None)
    record = fields.link(org, "resource", scenario.kind)
    fields.done()
    assert record is not None
    if record.status not in scenario.sources.split():
        raise invalid_state(
            "simulator_not_applicable",
            f"{name} cannot begin with a resource that is {record.status}",
        )
    if record.kind == "payments" and record.status == WAITING and name != "payment_submitted":
        mandate = org.get("mandates", record.links["mandate"])
        if mandate.status != "active":
            raise invalid_state(
                "simulator_not_applicable",
                f"{name} needs an active mandate; it is {mandate.status}",
            )
    scenario.run(org, record)
    return {"id": name}
