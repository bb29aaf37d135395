"""Payments: made under a mandate, charged on a working day, and everything that may follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from local.gocardless import bacs, payouts
from local.gocardless.checks import Fields, action_fields, action_metadata
from local.gocardless.errors import Json, invalid_state
from local.gocardless.moves import move
from local.gocardless.organisation import Organisation, Record

MOST_RETRIES = 3
LONGEST_REFERENCE = 10
USABLE = frozenset({"pending_customer_approval", "pending_submission", "submitted", "active"})
NO_FX: Json = {
    "fx_currency": "GBP",
    "fx_amount": None,
    "exchange_rate": None,
    "estimated_exchange_rate": None,
}
#: Which actions lead from the start to a status, for those who cannot wait for the days.
STEPS = ("submitted", "confirmed", "paid_out")


def create(org: Organisation, body: object) -> Record:
    """``POST /payments``."""
    fields = Fields(body, "/payments")
    amount = fields.pence("amount")
    fields.choice("currency", {"GBP"})
    mandate = fields.link(org, "mandate", "mandates")
    reference = fields.text("reference", most=LONGEST_REFERENCE, pattern=r"[A-Za-z0-9 /.&-]+")
    description = fields.text("description", most=100)
    metadata = fields.metadata()
    retry = fields.flag("retry_if_possible")
    wanted = fields.day("charge_date")
    if mandate is not None and not fields.errors:
        if mandate.status not in USABLE:
            raise invalid_state("mandate_is_inactive", "Mandate is failed, cancelled or expired")
        charged = charge_date(org, mandate, wanted, fields)
    fields.done()
    assert mandate is not None
    approved = mandate.status != "pending_customer_approval"
    record = org.add(
        "payments",
        {
            "charge_date": charged.isoformat(),
            "amount": amount,
            "amount_refunded": 0,
            "currency": "GBP",
            "description": description,
            "reference": reference,
            "status": "pending_submission" if approved else "pending_customer_approval",
            "scheme": "bacs",
            "retry_if_possible": retry,
            "faster_ach": False,
            "metadata": metadata,
            "fx": NO_FX,
            "links": {"mandate": mandate.id, "creditor": org.head.creditor},
        },
        due=_submission(charged).isoformat() if approved else None,
    )
    details = {"origin": "api", "cause": "payment_created", "description": "Payment made."}
    org.emit(record, "created", details, {"payment": record.id})
    return record


def charge_date(org: Organisation, mandate: Record, wanted: date | None, fields: Fields) -> date:
    """The working day on which a payment is charged: the one asked for, rolled forward."""
    first = first_charge_date(org, mandate)
    if wanted is None:
        return first
    if bacs.on_or_after(wanted) < first:
        fields.wrong("charge_date", "must be on or after mandate's next_possible_charge_date")
    return bacs.on_or_after(wanted)


def first_charge_date(org: Organisation, mandate: Record) -> date:
    """The first charge date that a payment made today under the mandate could have."""
    text = mandate.hidden.get("active_on")
    active = date.fromisoformat(text) if text else org.today
    if mandate.status == "pending_customer_approval":
        active = bacs.add(org.today, bacs.MANDATE_ACTIVE_AFTER)
    return bacs.first_charge_date(org.today, max(active, org.today))


def _submission(charged: date) -> date:
    return bacs.add(charged, -bacs.SUBMITTED_BEFORE_CHARGE)


def change(
    org: Organisation,
    record: Record,
    action: str,
    details: Mapping[str, Any] | None = None,
    metadata: Json | None = None,
    links: Mapping[str, Any] | None = None,
) -> Record:
    """Moves a payment along its table, and notes when it moves next by itself."""
    record = org.get("payments", record.id)
    hidden: Json = {"due": None}
    target = ""
    if action == "charged_back":
        hidden["before_chargeback"] = record.status
    if action == "failed" and record.status != "submitted":
        hidden["late"] = record.status
    if action == "chargeback_cancelled":
        target = record.hidden.get("before_chargeback", "confirmed")
    record = move(org, record, action, details, links, metadata, hidden, target)
    if action in ("charged_back", "failed") and hidden.get("before_chargeback", "") == "paid_out":
        payouts.owe(org, record, "payment_charged_back")
    elif hidden.get("late") == "paid_out":
        payouts.owe(org, record, "payment_failed")
    elif action == "chargeback_cancelled" and target == "paid_out":
        payouts.forgive(org, record)
    return _timed(org, record)


def _timed(org: Organisation, record: Record) -> Record:
    charged = date.fromisoformat(record.doc["charge_date"])
    match record.status:
        case "pending_submission":
            due = max(_submission(charged), bacs.add(org.today, 1))
        case "submitted":
            due = bacs.add(charged, bacs.CONFIRMED_AFTER_CHARGE)
        case "confirmed":
            due = bacs.add(max(bacs.add(charged, bacs.CONFIRMED_AFTER_CHARGE), org.today), 1)
        case _:
            return record
    return org.change(record, {"due": due.isoformat()})


def on_day(org: Organisation, record: Record) -> bool:
    """What a date brings; whether the payment is to be part of the date's payout."""
    mandate = org.get("mandates", record.links["mandate"])
    if record.status == "pending_submission":
        if mandate.status == "active":
            _roll(org, record)
            change(org, record, "submitted")
        else:
            due = bacs.add(org.today, 1).isoformat()
            org.change(record, {"due": due})
    elif record.status == "submitted":
        if mandate.hidden.get("ended_by") == "bank" and mandate.status == "cancelled":
            change(org, record, "failed", {"reason_code": "ARUDD-1"})
        else:
            change(org, record, "confirmed")
    elif record.status == "confirmed":
        return True
    else:
        org.change(record, {"due": None})
    return False


def _roll(org: Organisation, record: Record) -> None:
    """A payment that had to wait for its mandate is charged that much later."""
    earliest = bacs.add(org.today, bacs.SUBMITTED_BEFORE_CHARGE)
    if date.fromisoformat(record.doc["charge_date"]) < earliest:
        org.change(record, charge_date=earliest.isoformat())


def bring(org: Organisation, record: Record, status: str) -> Record:
    """Takes the payment as far as ``status`` (one of the steps) at once, if it is not there yet."""
    record = org.get("payments", record.id)
    waiting = record.status == "pending_submission"
    behind = -1 if waiting else STEPS.index(record.status) if record.status in STEPS else len(STEPS)
    for step in STEPS[behind + 1 : STEPS.index(status) + 1]:
        if step == "paid_out":
            payouts.pay(org, [record])
            record = org.get("payments", record.id)
        else:
            record = change(org, record, step)
    return record


def cancel(org: Organisation, identity: str, data: Json | None) -> Record:
    """``POST /payments/PM/actions/cancel``, as long as it has not gone to the banks."""
    record = org.get("payments", identity)
    metadata = action_metadata(data)
    if record.status not in ("pending_submission", "pending_customer_approval"):
        message = f"Payment is {record.status} and cannot be cancelled"
        raise invalid_state("cancellation_failed", message)
    return change(org, record, "cancelled", metadata=metadata)


def retry(org: Organisation, identity: str, data: Json | None) -> Record:
    """``POST /payments/PM/actions/retry``: a failed payment again, at most 3 times."""
    record = org.get("payments", identity)
    fields = action_fields(data)
    metadata, wanted = fields.metadata(), fields.day("charge_date")
    fields.done()
    if record.status != "failed":
        raise invalid_state("retry_failed", "Payment has not failed and cannot be retried")
    times = record.hidden.get("retries", 0)
    if times == MOST_RETRIES:
        message = f"Payment has been retried {MOST_RETRIES} times already"
        raise invalid_state("retry_failed", message)
    mandate = org.get("mandates", record.links["mandate"])
    if mandate.status not in USABLE:
        raise invalid_state("mandate_is_inactive", "Mandate is failed, cancelled or expired")
    charged = charge_date(org, mandate, wanted, fields)
    fields.done()
    record = org.change(
        record, {"retries": times + 1, "late": None}, charge_date=charged.isoformat()
    )
    return change(org, record, "resubmission_requested", metadata=metadata)


def of_mandate(org: Organisation, mandate: Record, status: str | None) -> list[Record]:
    """The mandate's payments, of one status or of all."""
    return [
        each
        for each in org.all("payments")
        if each.links["mandate"] == mandate.id and status in (None, each.status)
    ]
