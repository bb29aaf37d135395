"""Refunds of collected payments."""

from __future__ import annotations

from local.gocardless import bacs, payouts
from local.gocardless.checks import Fields
from local.gocardless.errors import Json, invalid_state
from local.gocardless.moves import move
from local.gocardless.organisation import Organisation, Record
from local.gocardless.payments import NO_FX

REFUNDABLE = frozenset({"confirmed", "paid_out"})
#: Money that a refund did not take away after all.
UNDONE = frozenset({"failed", "funds_returned"})


def create(org: Organisation, body: object) -> Record:
    """``POST /refunds``."""
    fields = Fields(body, "/refunds")
    amount = fields.pence("amount")
    total = fields.pence("total_amount_confirmation", required=False)
    payment = fields.link(org, "payment", "payments")
    reference = fields.text("reference", most=10)
    metadata = fields.metadata()
    if payment is not None and not fields.errors:
        refunded = int(payment.doc["amount_refunded"])
        if payment.status not in REFUNDABLE:
            message = f"Payment is {payment.status} and cannot be refunded"
            raise invalid_state("refund_payment_invalid_state", message)
        if total and total != refunded + amount:
            fields.wrong("total_amount_confirmation", "total_amount_confirmation_invalid")
        if refunded + amount > payment.doc["amount"]:
            fields.wrong("amount", "is more than is left of the payment")
    fields.done()
    assert payment is not None
    record = org.add(
        "refunds",
        {
            "amount": amount,
            "currency": "GBP",
            "status": "pending_submission",
            "reference": reference,
            "metadata": metadata,
            "fx": NO_FX,
            "links": {"payment": payment.id, "mandate": payment.links["mandate"]},
        },
        due=bacs.add(org.today, 1).isoformat(),
    )
    org.change(payment, amount_refunded=payment.doc["amount_refunded"] + amount)
    details: Json = {"origin": "api", "cause": "refund_created", "description": "Refund made."}
    org.emit(record, "created", details, {"refund": record.id})
    return record


def change(org: Organisation, record: Record, action: str, details: Json | None = None) -> Record:
    """Moves a refund along its table, with what that means for its payment and the next payout."""
    before = org.get("refunds", record.id)
    record = move(org, record, action, details, hidden={"due": None})
    if action == "paid":
        payouts.owe(org, record, "refund")
    elif action == "submitted":
        record = org.change(record, {"due": bacs.add(org.today, 1).isoformat()})
    elif action in UNDONE and before.status != "bounced":
        payment = org.get("payments", record.links["payment"])
        left = payment.doc["amount_refunded"] - record.doc["amount"]
        org.change(payment, amount_refunded=left)
    return record


def on_day(org: Organisation, record: Record) -> None:
    """What a date brings: sent to the banks, then paid."""
    steps = {"pending_submission": "submitted", "submitted": "paid"}
    if record.status in steps:
        change(org, record, steps[record.status])
    else:
        org.change(record, {"due": None})
