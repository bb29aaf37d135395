"""What may become of a resource: one table a kind, and the one function that moves along it.

A row says from which statuses an action leads to which, and what its event says when nobody says
otherwise (GoCardless's API reference, "Events").  ``same`` keeps the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from local.gocardless.errors import Json, invalid_state
from local.gocardless.organisation import Organisation, Record

SAME = "same"
SINGULAR: Mapping[str, str] = {
    "billing_requests": "billing_request",
    "mandates": "mandate",
    "outbound_payments": "outbound_payment",
    "payments": "payment",
    "payouts": "payout",
    "refunds": "refund",
}


class Move(NamedTuple):
    """From one of ``sources`` to ``target``; origin, cause and words of the event."""

    sources: str
    target: str
    origin: str
    cause: str
    words: str


_WAITING = "pending_customer_approval pending_submission"
_INACTIVE = "cancelled expired failed"
_LIVE = f"{_WAITING} submitted active suspended_by_payer"

MANDATES: Mapping[str, Move] = {
    "submitted": Move(
        "pending_submission",
        "submitted",
        "gocardless",
        "mandate_submitted",
        "The mandate has been sent to the banks.",
    ),
    "active": Move(
        "submitted",
        "active",
        "gocardless",
        "mandate_activated",
        "The banks had their time to refuse the mandate and did not.",
    ),
    "reinstated": Move(
        "submitted cancelled expired",
        "active",
        "gocardless",
        "mandate_reinstated",
        "The mandate is active again.",
    ),
    "failed": Move(
        f"{_WAITING} submitted active",
        "failed",
        "bank",
        "invalid_bank_details",
        "The customer's bank could not set the mandate up.",
    ),
    "cancelled": Move(
        _LIVE,
        "cancelled",
        "bank",
        "mandate_cancelled",
        "The mandate was cancelled at the customer's bank.",
    ),
    "expired": Move(
        "active",
        "expired",
        "gocardless",
        "mandate_expired",
        "Nothing was collected for so long that the mandate has expired.",
    ),
    "blocked": Move(_LIVE, "blocked", "gocardless", "mandate_blocked", "The mandate was blocked."),
    "consumed": Move(
        "active",
        "consumed",
        "gocardless",
        "mandate_consumed",
        "The mandate was for one payment, which has been made.",
    ),
    "suspended_by_payer": Move(
        "active",
        "suspended_by_payer",
        "bank",
        "mandate_suspended_by_payer",
        "The payer has suspended the mandate.",
    ),
    "transferred": Move(
        "submitted active",
        SAME,
        "bank",
        "bank_account_transferred",
        "The customer has moved to another bank account.",
    ),
    "replaced": Move(
        "pending_submission submitted active",
        "cancelled",
        "gocardless",
        "scheme_identifier_changed",
        "Another mandate has taken the place of this one.",
    ),
    "resubmission_requested": Move(
        _INACTIVE,
        "pending_submission",
        "api",
        "resubmission_requested",
        "It was asked to reinstate the mandate.",
    ),
    "customer_approval_granted": Move(
        "pending_customer_approval",
        "pending_submission",
        "customer",
        "customer_approval_granted",
        "The other signatory has approved the mandate.",
    ),
    "customer_approval_skipped": Move(
        "pending_customer_approval",
        "pending_submission",
        "customer",
        "customer_approval_skipped",
        "No other signatory was needed for the mandate.",
    ),
}

PAYMENTS: Mapping[str, Move] = {
    "submitted": Move("pending_submission", "submitted", "gocardless", "payment_submitted",
                      "The payment has been sent to the banks."),
    "confirmed": Move("submitted", "confirmed", "gocardless", "payment_confirmed",
                      "The banks had their time to refuse the payment and did not."),
    "paid_out": Move("confirmed", "paid_out", "gocardless", "payment_paid_out",
                     "The payment is part of a payout."),
    "failed": Move("submitted confirmed paid_out", "failed", "bank", "refer_to_payer",
                   "The customer's bank could not pay, most likely for lack of funds."),
    "charged_back": Move("confirmed paid_out", "charged_back", "bank", "authorisation_disputed",
                         "The customer's bank has given the money back."),
    "chargeback_cancelled": Move("charged_back", SAME, "bank", "payment_confirmed",
                                 "The bank has withdrawn the chargeback."),
    "chargeback_settled": Move("charged_back", SAME, "gocardless", "chargeback_settled",
                               "The chargeback was taken from a payout."),
    "late_failure_settled": Move("failed", SAME, "gocardless", "late_failure_settled",
                                 "The late failure was taken from a payout."),
    "cancelled": Move(_WAITING, "cancelled", "api", "payment_cancelled",
                      "The payment was cancelled before it went to the banks."),
    "resubmission_requested": Move("failed", "pending_submission", "api", "payment_retried",
                                   "It was asked to collect the payment again."),
    "customer_approval_granted": Move("pending_customer_approval", "pending_submission", "customer",
                                      "customer_approval_granted",
                                      "The other signatory has approved the payment."),
    "customer_approval_denied": Move("pending_customer_approval", "customer_approval_denied",
                                     "customer", "customer_approval_denied",
                                     "The other signatory has refused the payment."),
}  # fmt: skip

REFUNDS: Mapping[str, Move] = {
    "submitted": Move(
        "pending_submission",
        "submitted",
        "gocardless",
        "refund_submitted",
        "The refund has been sent to the banks.",
    ),
    "paid": Move(
        "pending_submission submitted",
        "paid",
        "gocardless",
        "refund_paid",
        "The refund has reached the customer's bank.",
    ),
    "failed": Move(
        "pending_submission submitted paid",
        "bounced",
        "bank",
        "refund_failed",
        "The customer's bank did not take the refund.",
    ),
    "funds_returned": Move(
        "pending_submission submitted paid bounced",
        "funds_returned",
        "gocardless",
        "refund_funds_returned",
        "The refund's money is back in your balance.",
    ),
    "refund_settled": Move(
        "paid", SAME, "gocardless", "refund_settled", "The refund was taken from a payout."
    ),
}

PAYOUTS: Mapping[str, Move] = {
    "paid": Move(
        "pending",
        "paid",
        "gocardless",
        "payout_paid",
        "The payout has been sent to your bank account.",
    ),
    "bounced": Move(
        "paid", "bounced", "bank", "payout_bounced", "Your bank did not take the payout."
    ),
}

OUTBOUND: Mapping[str, Move] = {
    "set_to_pending_approval": Move("verifying", "pending_approval", "gocardless",
                                    "outbound_payment_set_to_pending_approval",
                                    "The outbound payment waits for an approval."),
    "scheduled": Move("verifying pending_approval", "scheduled", "gocardless",
                      "outbound_payment_scheduled", "The outbound payment waits for its date."),
    "set_to_executing": Move("scheduled", "executing", "gocardless",
                             "outbound_payment_set_to_executing", "The bank is paying."),
    "executed": Move("executing", "executed", "gocardless", "outbound_payment_executed",
                     "The money has reached the recipient's bank."),
    "failed": Move("verifying pending_approval scheduled executing executed", "failed", "bank",
                   "outbound_payment_failed", "The outbound payment could not be made."),
    "cancelled": Move("verifying pending_approval scheduled", "cancelled", "api",
                      "outbound_payment_cancelled", "The outbound payment was cancelled."),
}  # fmt: skip

BILLING_REQUESTS: Mapping[str, Move] = {
    "cancelled": Move(
        "pending ready_to_fulfil",
        "cancelled",
        "api",
        "billing_request_cancelled",
        "The billing request was cancelled.",
    ),
    "failed": Move(
        "pending ready_to_fulfil fulfilling",
        "cancelled",
        "gocardless",
        "billing_request_failed",
        "The billing request has failed.",
    ),
    "fulfilled": Move(
        "ready_to_fulfil",
        "fulfilled",
        "api",
        "billing_request_fulfilled",
        "The billing request was fulfilled.",
    ),
}

MACHINES: Mapping[str, Mapping[str, Move]] = {
    "billing_requests": BILLING_REQUESTS,
    "mandates": MANDATES,
    "outbound_payments": OUTBOUND,
    "payments": PAYMENTS,
    "payouts": PAYOUTS,
    "refunds": REFUNDS,
}

#: Statuses that change without an event of their own.
SILENT = frozenset({("refunds", "submitted"), ("outbound_payments", "scheduled")})

#: Bacs's own reason codes and what they mean (Bacs's ARUDD, ADDACS, AUDDIS and DDICA reports).
CAUSES: Mapping[str, str] = {
    "ARUDD-0": "refer_to_payer",
    "ARUDD-1": "mandate_cancelled",
    "ARUDD-2": "bank_account_closed",
    "ARUDD-3": "bank_account_transferred",
    "ARUDD-4": "authorisation_disputed",
    "ARUDD-5": "invalid_bank_details",
    "ARUDD-6": "other",
    "ARUDD-7": "authorisation_disputed",
    "ARUDD-B": "bank_account_closed",
    "ARUDD-E": "invalid_bank_details",
    "ARUDD-Y": "invalid_bank_details",
    "ADDACS-0": "mandate_cancelled",
    "ADDACS-1": "mandate_cancelled",
    "ADDACS-2": "bank_account_closed",
    "ADDACS-3": "bank_account_transferred",
    "ADDACS-B": "bank_account_closed",
    "ADDACS-C": "bank_account_transferred",
    "ADDACS-D": "authorisation_disputed",
    "ADDACS-E": "bank_account_transferred",
    "AUDDIS-2": "bank_account_closed",
    "AUDDIS-3": "bank_account_transferred",
    "AUDDIS-5": "invalid_bank_details",
    "AUDDIS-B": "bank_account_closed",
    "AUDDIS-C": "bank_account_transferred",
    "AUDDIS-F": "direct_debit_not_enabled",
    "AUDDIS-G": "direct_debit_not_enabled",
    "AUDDIS-N": "direct_debit_not_enabled",
    **{f"DDICA-{number}": "authorisation_disputed" for number in (1, 2, 4, 5, 6, 8)},
}
#: The same code says another thing about a mandate than about a payment.
MANDATE_CAUSES: Mapping[str, str] = {"ARUDD-6": "refer_to_payer"}

#: The code of an event that has one, unless another is given.
USUAL_CODES: Mapping[tuple[str, str], str] = {
    ("mandates", "cancelled"): "ADDACS-1",
    ("mandates", "failed"): "AUDDIS-5",
    ("payments", "charged_back"): "DDICA-1",
    ("payments", "failed"): "ARUDD-0",
}


def move(
    org: Organisation,
    record: Record,
    action: str,
    details: Mapping[str, Any] | None = None,
    links: Mapping[str, Any] | None = None,
    metadata: Json | None = None,
    hidden: Mapping[str, Any] | None = None,
    target: str = "",
) -> Record:
    """The record in its next status, with the event; 422 where it cannot go there.

    ``target`` is for the moves whose end the table cannot know (``chargeback_cancelled``).
    """
    record = org.get(record.kind, record.id)
    row = MACHINES[record.kind][action]
    if record.status not in row.sources.split():
        singular = SINGULAR[record.kind].replace("_", " ").capitalize()
        raise invalid_state(
            f"{action}_not_possible", f"{singular} is {record.status}: {action} is not possible"
        )
    status = target or (record.status if row.target == SAME else row.target)
    record = org.change(record, hidden, status=status)
    if (record.kind, action) not in SILENT:
        told = details_of(record.kind, action, row, details or {})
        own = {SINGULAR[record.kind]: record.id, **dict(links or {})}
        org.emit(record, action, told, own, metadata)
    return record


def details_of(kind: str, action: str, row: Move, given: Mapping[str, Any]) -> Json:
    """An event's details: what is given, and for the rest what the row and Bacs's codes say."""
    told: Json = {"origin": row.origin, "cause": row.cause, "description": row.words}
    code = given.get("reason_code")
    if code is None and given.get("origin", row.origin) == "bank" and "cause" not in given:
        code = USUAL_CODES.get((kind, action))
    if code is not None:
        causes = {**CAUSES, **MANDATE_CAUSES} if kind == "mandates" else CAUSES
        told |= {
            "origin": "bank",
            "cause": causes.get(code, row.cause),
            "scheme": "bacs",
            "reason_code": code,
        }
    elif given.get("origin", row.origin) == "bank":
        told["scheme"] = "bacs"
    if (kind, action) == ("payments", "failed"):
        told |= {"will_attempt_retry": False, "not_retried_reason": "other"}
    return told | dict(given)
