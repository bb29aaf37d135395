"""Payouts: what was collected, less fees and what had to be given back, on its way to the creditor.

A date's payments make one payout.  What is owed for late failures, chargebacks and refunds is taken
from the next one.
"""

from __future__ import annotations

from collections.abc import Sequence

from local.gocardless import bacs
from local.gocardless.errors import Json
from local.gocardless.moves import move
from local.gocardless.organisation import Organisation, Record

#: 1 % and 20 pence of each payment, at most 4 pounds.
FEE_PERCENT = 1
FEE_FIXED = 20
FEE_MOST = 400


def fee(amount: int) -> int:
    """What GoCardless keeps of a payment, in pence."""
    return min(FEE_FIXED + amount * FEE_PERCENT // 100, FEE_MOST)


def pay(org: Organisation, paid: Sequence[Record]) -> Record:
    """A payout of these confirmed payments, which become ``paid_out``, and of all that is owed."""
    items = [item for payment in paid for item in _paid(payment)]
    owed = org.waiting_of("payout_items")
    total = sum(item["amount"] for item in items) + sum(each.doc["amount"] for each in owed)
    fees = -sum(item["amount"] for item in items if item["type"] == "gocardless_fee")
    due = bacs.add(org.today, 1)
    account = org.get("creditors", org.head.creditor).links["default_gbp_payout_account"]
    payout = org.add(
        "payouts",
        {
            "amount": max(total, 0),
            "deducted_fees": fees,
            "currency": "GBP",
            "arrival_date": due.isoformat(),
            "payout_type": "merchant",
            "reference": f"BACKBONE-{org.head.numbers + 1:06d}",
            "status": "pending",
            "tax_currency": None,
            "fx": {
                "fx_currency": "GBP",
                "fx_amount": None,
                "exchange_rate": None,
                "estimated_exchange_rate": None,
            },
            "metadata": {},
            "links": {"creditor": org.head.creditor, "creditor_bank_account": account},
        },
        due=due.isoformat(),
    )
    for item in items:
        org.add("payout_items", {**item, "payout": payout.id})
    for each in owed:
        org.change(each, payout=payout.id)
        _settled(org, each, payout)
    for payment in paid:
        links = {**payment.links, "payout": payout.id}
        known = org.change(payment, {"due": None}, links=links)
        move(org, known, "paid_out", None, {"payout": payout.id})
    return org.get("payouts", payout.id)


def _paid(payment: Record) -> list[Json]:
    amount = int(payment.doc["amount"])
    links = {"payment": payment.id, "mandate": payment.links["mandate"]}
    return [
        {"type": "payment_paid_out", "amount": amount, "links": links},
        {"type": "gocardless_fee", "amount": -fee(amount), "links": links},
    ]


def owe(org: Organisation, about: Record, kind: str) -> None:
    """What was paid out before is taken back by the next payout."""
    links: Json = {"payment": about.id, "mandate": about.links.get("mandate")}
    if about.kind == "refunds":
        links = {"refund": about.id, "payment": about.links["payment"]}
    item = {"type": kind, "amount": -int(about.doc["amount"]), "links": links, "payout": None}
    org.add("payout_items", item)


def forgive(org: Organisation, payment: Record) -> None:
    """A chargeback that was withdrawn: not to be taken any more, or given back if it was."""
    for each in reversed(list(org.all("payout_items"))):
        doc = each.doc
        if doc["type"] == "payment_charged_back" and doc["links"]["payment"] == payment.id:
            back = {"type": "payment_paid_out", "amount": -doc["amount"], "links": doc["links"]}
            org.add("payout_items", {**back, "payout": None})
            return


def _settled(org: Organisation, item: Record, payout: Record) -> None:
    """The event that says that a debt was taken from a payout."""
    action, kind, link = {
        "payment_charged_back": ("chargeback_settled", "payments", "payment"),
        "payment_failed": ("late_failure_settled", "payments", "payment"),
        "refund": ("refund_settled", "refunds", "refund"),
    }.get(item.doc["type"], ("", "", ""))
    if not action:
        return
    about = org.get(kind, item.doc["links"][link])
    if about.status in ("charged_back", "failed", "paid"):
        move(org, about, action, None, {"payout": payout.id})


def shown_item(record: Record) -> Json:
    """A payout item as the API shows it: the amount is a text with a decimal."""
    doc = record.doc
    return {"type": doc["type"], "amount": f"{doc['amount']}.0", "links": doc["links"], "taxes": []}


def on_day(org: Organisation, record: Record) -> None:
    """A pending payout has been sent."""
    if record.status == "pending":
        move(org, record, "paid", hidden={"due": None})
    else:
        org.change(record, {"due": None})
