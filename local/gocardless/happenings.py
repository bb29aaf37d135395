"""``POST /_control/events``: a resource is moved and its event sent, with any cause.

For what no scenario has: a late failure with ARUDD-2, a mandate cancelled with ADDACS-3.  What a
table of moves knows moves the resource; every other action is an event only.
"""

from __future__ import annotations

from local.gocardless import mandates, payments, payouts, refunds
from local.gocardless.checks import Fields
from local.gocardless.errors import Json
from local.gocardless.moves import MACHINES, SINGULAR, move
from local.gocardless.organisation import Organisation, Record

#: Until where a payment has to have come for an action.
AFTER = {"confirmed": "submitted", "failed": "submitted", "charged_back": "confirmed"}
AFTER["paid_out"] = "confirmed"


def happen(org: Organisation, body: object) -> list[Record]:
    """Moves and tells; the events that came of it.

    ``body`` is ``{"resource_type", "action", "links": {"payment": "PM1"}, "details": {...}}``; what
    the details leave out is what GoCardless usually says.
    """
    fields = Fields(body, "")
    kind = fields.choice("resource_type", set(SINGULAR))
    action = fields.text("action", required=True) or ""
    details, links = fields.inner("details").data, fields.inner("links").data
    record = fields.link(org, SINGULAR[kind], kind) if kind else None
    fields.done()
    assert record is not None
    before = len(org.records["events"])
    more = {name: value for name, value in links.items() if name != SINGULAR[kind]}
    if action in MACHINES[kind]:
        _move(org, record, action, details, more)
    else:
        told: Json = {"origin": "gocardless", "cause": f"{SINGULAR[kind]}_{action}"} | details
        org.emit(record, action, told, {SINGULAR[kind]: record.id} | more)
    return list(org.all("events"))[before:]


def _move(org: Organisation, record: Record, action: str, details: Json, links: Json) -> None:
    match record.kind:
        case "payments":
            if action in AFTER and record.status in ("pending_submission", "submitted"):
                record = payments.bring(org, record, AFTER[action])
            if action == "paid_out":
                payouts.pay(org, [record])
            else:
                payments.change(org, record, action, details, links=links)
        case "mandates":
            if action in ("active", "failed", "expired") and record.status == "pending_submission":
                record = mandates.change(org, record, "submitted")
            if action == "expired" and record.status == "submitted":
                record = mandates.change(org, record, "active")
            mandates.change(org, record, action, details, links)
        case "refunds":
            refunds.change(org, record, action, details)
        case _:
            move(org, record, action, details, links, hidden={"due": None})
