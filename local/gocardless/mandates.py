"""Mandates: made, sent to the banks, active two working days later, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from local.gocardless import bacs, customers, payments
from local.gocardless.checks import Fields, action_metadata
from local.gocardless.errors import Json, invalid_state
from local.gocardless.moves import MANDATES, details_of, move
from local.gocardless.organisation import Organisation, Record

ENDED = frozenset({"blocked", "cancelled", "consumed", "expired", "failed"})
REINSTATABLE = frozenset({"cancelled", "expired", "failed"})
MOST_REINSTATEMENTS = 10
#: Why payments that have not left yet are cancelled, where it is not the mandate's own cause.
ENDED_CAUSES = {"blocked": "mandate_cancelled", "consumed": "mandate_cancelled"}


def create(org: Organisation, body: object) -> Record:
    """``POST /mandates``."""
    fields = Fields(body, "/mandates")
    account = fields.link(org, "customer_bank_account", "customer_bank_accounts")
    fields.link(org, "creditor", "creditors", required=False)
    fields.choice("scheme", {"bacs"}, "bacs")
    reference = fields.text("reference", most=18, pattern=r"[A-Za-z0-9 /.&-]+")
    metadata = fields.metadata()
    fields.done()
    assert account is not None
    return grant(org, account, reference, metadata, origin="api")


def grant(
    org: Organisation, account: Record, reference: str | None, metadata: Json, origin: str
) -> Record:
    """A mandate on a bank account; it goes to the banks on the next working day."""
    if not account.doc["enabled"]:
        raise invalid_state("bank_account_disabled", "Bank account is disabled")
    waits = org.head.mandates_need_approval
    record = org.add(
        "mandates",
        {
            "reference": reference or f"REF-{org.head.numbers + 1:06d}",
            "status": "pending_customer_approval" if waits else "pending_submission",
            "scheme": "bacs",
            "payments_require_approval": False,
            "funds_settlement": "managed",
            "consent_type": None,
            "consent_parameters": None,
            "verified_at": None,
            "metadata": metadata,
            "links": {
                "creditor": org.head.creditor,
                "customer": account.links["customer"],
                "customer_bank_account": account.id,
            },
        },
    )
    if not waits:
        record = _to_banks(org, record)
    org.emit(
        record,
        "created",
        {"origin": origin, "cause": "mandate_created", "description": "The mandate was made."},
        {"mandate": record.id},
    )
    return record


def _to_banks(org: Organisation, record: Record) -> Record:
    sent = bacs.add(org.today, bacs.MANDATE_SUBMITTED_AFTER)
    active = bacs.add(org.today, bacs.MANDATE_ACTIVE_AFTER)
    hidden = {"due": sent.isoformat(), "active_on": active.isoformat()}
    return org.change(record, hidden)


def shown(org: Organisation, record: Record) -> Json:
    """As the API shows it: with the first date on which a new payment could be charged."""
    first = None
    if record.status not in ENDED and record.status != "suspended_by_payer":
        first = payments.first_charge_date(org, record).isoformat()
    return {**record.doc, "next_possible_charge_date": first}


def change(
    org: Organisation,
    record: Record,
    action: str,
    details: Mapping[str, Any] | None = None,
    links: Mapping[str, Any] | None = None,
    metadata: Json | None = None,
) -> Record:
    """Moves a mandate along its table, with what that means for its payments."""
    hidden: Json = {}
    if action in ("active", "reinstated"):
        hidden = {"due": None, "active_on": org.today.isoformat(), "reinstating": False}
    elif action not in ("submitted", "transferred"):
        hidden = {"due": None}
    more: Json = dict(links or {})
    if action == "replaced":
        more["new_mandate"] = _replacement(org, record).id
    if action == "transferred":
        more |= _transfer(org, record)
    told = details_of("mandates", action, MANDATES[action], details or {})
    record = move(org, record, action, told, more, metadata, hidden)
    if record.status in ENDED and action != "replaced":
        record = org.change(record, {"ended_by": told["origin"]})
        _cancel_payments(org, record, told)
    if action.startswith("customer_approval_"):
        record = _to_banks(org, record)
        for payment in payments.of_mandate(org, record, "pending_customer_approval"):
            payments.change(org, payment, "customer_approval_granted")
    if action == "submitted":
        active = bacs.on_or_after(date.fromisoformat(record.hidden["active_on"]))
        record = org.change(record, {"due": max(active, bacs.add(org.today, 1)).isoformat()})
    return record


def _cancel_payments(org: Organisation, record: Record, told: Json) -> None:
    """Payments that have not gone to the banks end with their mandate, for its reason."""
    cause = ENDED_CAUSES.get(record.status, told["cause"])
    for status in ("pending_customer_approval", "pending_submission"):
        for payment in payments.of_mandate(org, record, status):
            payments.change(org, payment, "cancelled", {"origin": told["origin"], "cause": cause})


def _replacement(org: Organisation, record: Record) -> Record:
    """The mandate that takes this one's place, in the same state, with its payments."""
    doc = {k: v for k, v in record.doc.items() if k not in ("id", "created_at")}
    new = org.add("mandates", doc, **record.hidden)
    links = {**record.links, "new_mandate": new.id}
    org.change(record, links=links)
    for payment in payments.of_mandate(org, record, None):
        if payment.status in ("pending_customer_approval", "pending_submission", "submitted"):
            org.change(payment, links={**payment.links, "mandate": new.id})
    details = {
        "origin": "gocardless",
        "cause": "mandate_created",
        "description": "The mandate takes another one's place.",
    }
    org.emit(new, "created", details, {"mandate": new.id})
    return new


def _transfer(org: Organisation, record: Record) -> Json:
    """Another bank account under the same mandate."""
    old = org.get("customer_bank_accounts", record.links["customer_bank_account"])
    doc = {k: v for k, v in old.doc.items() if k not in ("id", "created_at")}
    new = org.add("customer_bank_accounts", doc)
    org.change(old, enabled=False)
    org.change(record, links={**record.links, "customer_bank_account": new.id})
    return {"previous_customer_bank_account": old.id, "new_customer_bank_account": new.id}


def cancel(org: Organisation, identity: str, data: Json | None) -> Record:
    """``POST /mandates/MD/actions/cancel``: the payments that have not left are cancelled too."""
    record = org.get("mandates", identity)
    metadata = action_metadata(data)
    if record.status in ENDED:
        raise invalid_state("cancellation_failed", f"Mandate is {record.status} already")
    details = {"origin": "api", "cause": "mandate_cancelled"}
    details["description"] = "The mandate was cancelled at your request."
    return change(org, record, "cancelled", details, metadata=metadata)


def reinstate(org: Organisation, identity: str, data: Json | None) -> Record:
    """``POST /mandates/MD/actions/reinstate``: to the banks once more."""
    record = org.get("mandates", identity)
    metadata = action_metadata(data)
    if record.status not in REINSTATABLE | {"blocked", "consumed"}:
        raise invalid_state("mandate_not_inactive", "Mandate is already active or being submitted")
    account = org.get("customer_bank_accounts", record.links["customer_bank_account"])
    times = record.hidden.get("reinstatements", 0)
    if record.status not in REINSTATABLE or times == MOST_REINSTATEMENTS:
        raise invalid_state("mandate_not_reinstatable", "Mandate cannot be reinstated")
    if not account.doc["enabled"]:
        raise invalid_state("bank_account_disabled", "Bank account is disabled")
    record = change(org, record, "resubmission_requested", metadata=metadata)
    record = org.change(record, {"reinstating": True, "reinstatements": times + 1})
    return _to_banks(org, record)


def on_day(org: Organisation, record: Record) -> None:
    """What a date brings: sent to the banks, then active (or active again)."""
    if record.status == "pending_submission":
        change(org, record, "submitted")
    elif record.status == "submitted":
        change(org, record, "reinstated" if record.hidden.get("reinstating") else "active")
    else:
        org.change(record, {"due": None})


def disable_account(org: Organisation, identity: str) -> Record:
    """Disables a bank account; mandates on it end."""
    account = customers.disable_account(org, identity)
    _end_all(org, "customer_bank_account", identity, "bank_account_closed")
    return account


def remove_customer(org: Organisation, identity: str) -> None:
    """Removes a customer; its mandates end."""
    _end_all(org, "customer", identity, "mandate_cancelled")
    customers.remove(org, identity)


def _end_all(org: Organisation, link: str, identity: str, cause: str) -> None:
    details = {"origin": "api", "cause": cause}
    for record in list(org.all("mandates")):
        if record.links.get(link) == identity and record.status not in ENDED:
            change(org, record, "cancelled", details)
