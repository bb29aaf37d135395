"""Outbound payments by Faster Payments: every day is a day, and money moves at once.

The answer to the request says ``verifying``; what follows follows right behind it.  An organisation
that wants approvals keeps its payments at ``pending_approval`` until one comes.
"""

from __future__ import annotations

from local.gocardless.checks import Fields, action_metadata
from local.gocardless.errors import Json, invalid_state
from local.gocardless.moves import move
from local.gocardless.organisation import Organisation, Record

CANCELLABLE = frozenset({"verifying", "pending_approval", "scheduled"})
#: The sandbox's words that make a payment fail, and how far it comes before.
MAGIC = {
    "failed_to_execute": (),
    "failed_due_to_bank_rejection": ("set_to_executing",),
    "failed_due_to_bank_rejection_after_execution": ("set_to_executing", "executed"),
}


def create(org: Organisation, body: object) -> Record:
    """``POST /outbound_payments``; whoever calls lets it go on with ``begin``."""
    fields = Fields(body, "/outbound_payments")
    links = fields.data.get("links")
    account = "recipient_bank_account"
    identity = links.get(account) if isinstance(links, dict) else None
    kinds = ("customer_bank_accounts", "creditor_bank_accounts")
    kind = next((k for k in kinds if str(identity) in org.records[k]), kinds[0])
    recipient = fields.link(org, account, kind)
    return _made(org, fields, recipient, withdrawal=False)


def withdraw(org: Organisation, data: Json | None) -> Record:
    """``POST /outbound_payments/withdrawal``: to the creditor's own account."""
    fields = Fields({} if data is None else data, None)
    identity = org.get("creditors", org.head.creditor).links["default_gbp_payout_account"]
    recipient = org.get("creditor_bank_accounts", identity)
    return _made(org, fields, recipient, withdrawal=True)


def _made(org: Organisation, fields: Fields, to: Record | None, withdrawal: bool) -> Record:
    amount = fields.pence("amount")
    fields.choice("scheme", {"faster_payments"})
    fields.choice("currency", {"GBP"}, "GBP")
    description = fields.text("description", most=60)
    reference = fields.text("reference", most=18, pattern=r"[A-Za-z0-9 /.&-]+")
    on = fields.day("execution_date") or org.today
    if on < org.today:
        fields.wrong("execution_date", "must not be in the past")
    fields.link(org, "creditor", "creditors", required=False)
    metadata = fields.metadata()
    fields.done()
    assert to is not None
    links = {"creditor": org.head.creditor, "recipient_bank_account": to.id}
    if customer := to.links.get("customer"):
        links["customer"] = customer
    checked = {"type": "confirmation_of_payee", "result": "full_match", "actual_account_name": None}
    record = org.add(
        "outbound_payments",
        {
            "status": "verifying",
            "amount": amount,
            "currency": "GBP",
            "scheme": "faster_payments",
            "description": description,
            "reference": reference or f"OUT-{org.head.numbers + 1:06d}",
            "execution_date": on.isoformat(),
            "is_withdrawal": withdrawal,
            "metadata": metadata,
            "links": links,
            "verifications": {"recipient_bank_account_holder_verification": checked},
        },
    )
    details: Json = {"origin": "api", "cause": "outbound_payment_created"}
    org.emit(record, "created", details, {"outbound_payment": record.id})
    return record


def begin(org: Organisation, identity: str) -> None:
    """What follows once the account's holder is verified."""
    record = org.get("outbound_payments", identity)
    if org.head.outbound_needs_approval:
        move(org, record, "set_to_pending_approval")
    else:
        _schedule(org, record)


def _schedule(org: Organisation, record: Record) -> Record:
    on = record.doc["execution_date"]
    record = move(org, record, "scheduled", hidden={"due": on})
    if on <= org.today.isoformat():
        on_day(org, record)
    return record


def on_day(org: Organisation, record: Record) -> None:
    """Its date has come: it is executed, or fails where its description says so."""
    if record.status != "scheduled":
        org.change(record, {"due": None})
        return
    record = org.change(record, {"due": None})
    failing = MAGIC.get(record.doc["description"] or "")
    for action in ("set_to_executing", "executed") if failing is None else failing:
        record = move(org, record, action)
    if failing is not None:
        move(org, record, "failed")


def approve(org: Organisation, identity: str, data: Json | None) -> Record:
    """``POST /outbound_payments/OUT/actions/approve``."""
    record = org.get("outbound_payments", identity)
    action_metadata(data)
    if record.status != "pending_approval":
        message = f"Outbound payment is {record.status} and does not wait for an approval"
        raise invalid_state("outbound_payment_not_pending_approval", message)
    return _schedule(org, record)


def cancel(org: Organisation, identity: str, data: Json | None) -> Record:
    """``POST /outbound_payments/OUT/actions/cancel``, before the money moves."""
    record = org.get("outbound_payments", identity)
    metadata = action_metadata(data)
    if record.status not in CANCELLABLE:
        message = f"Outbound payment is {record.status} and cannot be cancelled"
        raise invalid_state("cancellation_failed", message)
    return move(org, record, "cancelled", metadata=metadata, hidden={"due": None})


def stats(org: Organisation) -> Json:
    """``GET /outbound_payments/stats``: counts and sums by status."""
    found: dict[str, Json] = {}
    for record in org.all("outbound_payments"):
        row = found.setdefault(record.status, {"count": 0, "amount": 0})
        row["count"] += 1
        row["amount"] += record.doc["amount"]
    return found
