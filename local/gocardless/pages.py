"""The pages: the form on which a customer agrees to a mandate, and what the simulator holds.

Plain HTML that works with a keyboard, a screen reader and without any script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple

from local.gocardless import billing, flows
from local.gocardless.errors import ApiError, Json
from local.gocardless.moves import SINGULAR
from local.gocardless.organisation import Organisation, Record
from local.gocardless.world import World
from local.simulating import pages
from local.simulating.faults import Faults
from local.simulating.pages import Cell, Columns, document


class Input(NamedTuple):
    """One field of the form."""

    name: str
    label: str
    autocomplete: str
    hint: str = ""
    kind: str = "text"
    short: bool = False
    optional: bool = False


COMPANY = Input("company_name", "Company name", "organization")
NAMES = (
    Input("given_name", "First name", "given-name"),
    Input("family_name", "Last name", "family-name"),
)
EMAIL = Input("email", "Email address", "email", kind="email")
PLACE = (
    Input("address_line1", "Address line 1", "address-line1"),
    Input("address_line2", "Address line 2 (optional)", "address-line2", optional=True),
    Input("city", "Town or city", "address-level2"),
    Input("postal_code", "Postcode", "postal-code", short=True),
)
BANK = (
    Input("account_holder_name", "Name on the account", "name", "As it is on your bank statement"),
    Input("branch_code", "Sort code", "off", "6 digits, like 200000", short=True),
    Input("account_number", "Account number", "off", "8 digits, like 55779911", short=True),
)
NUMERIC = frozenset({"branch_code", "account_number"})

Shown = tuple[int, str, str | None]


def _message(title: str, words: str, where: str | None = None, link: str = "Continue") -> str:
    more = f'<p><a href="{escape(where)}">{escape(link)}</a></p>' if where else ""
    return document(title, f"<h1>{escape(title)}</h1><p>{escape(words)}</p>{more}")


def missing() -> str:
    """No such flow."""
    return _message("Page not found", "This link leads to no Direct Debit set-up.")


def flow(world: World, org: Organisation, identity: str, form: Mapping[str, str] | None) -> Shown:
    """The customer's page: status, HTML and, once they are done, where they go from here.

    ``form`` is what they sent, None when they have come to read.
    """
    record = org.get("billing_request_flows", identity)
    status, closed = _closed(org, record)
    if closed:
        return status, closed, None
    if form is None:
        with world.changing(org):
            flows.visit(org, record)
        return 200, _form(org, record, {}, {}), None
    if form.get("choice") == "leave":
        with world.changing(org):
            flows.leave(org, record)
        page = _message("You have left", "No Direct Debit was set up.")
        return 200, page, record.doc["exit_uri"]
    try:
        with world.changing(org):
            flows.agree(org, record, form)
    except flows.Refusals as refusals:
        return 422, _form(org, record, form, refusals.found), None
    except ApiError as refusal:
        status, closed = _closed(org, record)
        if closed:  # sent twice, or cancelled meanwhile
            return status, closed, None
        return 422, _message("This cannot be set up", refusal.message), None
    page = _message("Your Direct Debit is set up", "You can close this page.")
    return 200, page, record.doc["redirect_uri"]


def _closed(org: Organisation, record: Record) -> tuple[int, str]:
    """What is shown instead of the form, empty while there is something to agree to."""
    request = flows.request_of(org, record)
    if request.status == "fulfilled" or (
        request.status == "ready_to_fulfil" and not record.doc["auto_fulfil"]
    ):
        words, where = "There is nothing more for you to do.", record.doc["redirect_uri"]
        return 200, _message("Your Direct Debit is set up", words, where)
    back = record.doc["exit_uri"]
    if request.status not in billing.OPEN:
        words = "The company that sent you here has cancelled this request."
        return 410, _message("This request was cancelled", words, back, "Go back")
    if flows.expired(org, record):
        words = "Ask the company that sent you here for another link."
        return 410, _message("This link has expired", words, back, "Go back")
    return 200, ""


def _form(
    org: Organisation, record: Record, sent: Mapping[str, str], wrong: Mapping[str, str]
) -> str:
    known = flows.values(org, record)
    locked = bool(record.doc["lock_customer_details"])
    values = {**known, **({} if locked else sent)}
    values |= {one.name: sent.get(one.name, "") for one in BANK}
    who = (COMPANY,) if known["company_name"] else NAMES
    creditor = escape(org.get("creditors", org.head.creditor).doc["name"])
    request = flows.request_of(org, record)
    about = request.doc["mandate_request"]["description"]
    purpose = f"<p>It is for: {escape(about)}.</p>" if about else ""
    title = "Set up a Direct Debit"
    return document(
        ("Error: " if wrong else "") + title,
        f"{_problems(wrong, (*who, EMAIL, *PLACE, *BANK))}<h1>{title}</h1>"
        f"<p>{creditor} asks for your permission to collect payments from your bank account by "
        f"Direct Debit.</p>{purpose}"
        # said outright: else the fragment of an error's link would go along to the partner's page
        f'<form method="post" action="/flow/{record.id}" novalidate>'
        f"{_group('Your details', (*who, EMAIL, *PLACE), values, wrong, locked)}"
        f"{_group('Your bank account', BANK, values, wrong)}"
        "<h2>What you agree to</h2><p>By choosing Agree you let "
        f"{creditor} instruct your bank to pay from this account. You must be able to "
        "authorise Direct Debits from it by yourself.</p>"
        "<p>You are told of each payment beforehand. Your bank gives back what was collected "
        "by mistake, and you can cancel the Direct Debit with your bank at any time.</p>"
        '<div class="buttons"><button name="choice" value="agree">Agree and set up the Direct '
        'Debit</button><button class="quiet" name="choice" value="leave" formnovalidate>'
        "Leave without setting it up</button></div></form>"
        '<p class="hint">This is a simulator: no bank is asked, and only the test account '
        "200000 55779911 is accepted.</p>",
    )


def _problems(wrong: Mapping[str, str], order: Iterable[Input]) -> str:
    if not wrong:
        return ""
    items = "".join(
        f'<li><a href="#{one.name}">{escape(wrong[one.name])}</a></li>'
        for one in order
        if one.name in wrong
    )
    return (
        '<div class="problems" role="alert" tabindex="-1" autofocus aria-labelledby="problems">'
        f'<h2 id="problems">There is a problem</h2><ul>{items}</ul></div>'
    )


def _group(
    legend: str,
    inputs: Iterable[Input],
    values: Mapping[str, str],
    wrong: Mapping[str, str],
    locked: bool = False,
) -> str:
    rows = "".join(
        _row(one, values.get(one.name, ""), wrong.get(one.name, ""), locked) for one in inputs
    )
    return f"<fieldset><legend>{legend}</legend>{rows}</fieldset>"


def _row(one: Input, value: str, wrong: str, locked: bool) -> str:
    name = one.name
    described = [f"{name}-hint"] if one.hint else []
    described += [f"{name}-error"] if wrong else []
    marks = [
        f'aria-describedby="{" ".join(described)}"' if described else "",
        'aria-invalid="true"' if wrong else "",
        "" if one.optional else "required",
        'inputmode="numeric"' if name in NUMERIC else "",
        'class="short"' if one.short else "",
        "readonly" if locked else "",
    ]
    hint = f'<p class="hint" id="{name}-hint">{escape(one.hint)}</p>' if one.hint else ""
    error = f'<p class="wrong" id="{name}-error">Error: {escape(wrong)}</p>' if wrong else ""
    return (
        f'<div class="field"><label for="{name}">{one.label}</label>{hint}{error}'
        f'<input id="{name}" name="{name}" type="{one.kind}" value="{escape(value)}" '
        f'autocomplete="{one.autocomplete}" {" ".join(filter(None, marks))}></div>'
    )


# -- what it holds


def _pounds(record: Record) -> str:
    pence = int(record.doc["amount"])
    return f"{pence // 100}.{pence % 100:02d}"


_COLUMNS: Columns = {
    "mandates": (
        "Mandates",
        (
            ("Status", lambda r: r.status),
            ("Reference", lambda r: r.doc["reference"]),
            ("Customer", lambda r: r.links["customer"]),
        ),
    ),
    "payments": (
        "Payments",
        (
            ("Status", lambda r: r.status),
            ("Amount (GBP)", _pounds),
            ("Charge date", lambda r: r.doc["charge_date"]),
            ("Mandate", lambda r: r.links["mandate"]),
        ),
    ),
    "refunds": (
        "Refunds",
        (
            ("Status", lambda r: r.status),
            ("Amount (GBP)", _pounds),
            ("Payment", lambda r: r.links["payment"]),
        ),
    ),
    "payouts": (
        "Payouts",
        (
            ("Status", lambda r: r.status),
            ("Amount (GBP)", _pounds),
            ("Arrival", lambda r: r.doc["arrival_date"]),
        ),
    ),
    "outbound_payments": (
        "Outbound payments",
        (
            ("Status", lambda r: r.status),
            ("Amount (GBP)", _pounds),
            ("Reference", lambda r: r.doc["reference"]),
        ),
    ),
    "billing_requests": (
        "Billing requests",
        (
            ("Status", lambda r: r.status),
            ("Mandate", lambda r: r.links.get("mandate_request_mandate", "")),
        ),
    ),
    "events": (
        "Events",
        (
            ("About", lambda r: r.doc["resource_type"]),
            ("Action", lambda r: r.doc["action"]),
            ("Cause", lambda r: r.doc["details"].get("cause", "")),
            ("Resource", lambda r: _about(r.doc)),
        ),
    ),
    "webhooks": (
        "Webhooks",
        (
            ("Taken", lambda r: "yes" if r.doc["successful"] else "no"),
            ("Answer", lambda r: r.doc["response_code"] or "none"),
            ("Attempts", lambda r: r.hidden["attempts"]),
        ),
    ),
}

MADE: tuple[str, Cell] = ("Made", lambda r: r.doc["created_at"])
COLUMNS = {kind: (title, (*cells, MADE)) for kind, (title, cells) in _COLUMNS.items()}


def _about(event: Json) -> str:
    return str(event["links"].get(SINGULAR.get(event["resource_type"], ""), ""))


def overview(world: World, faults: Faults) -> tuple[int, str]:
    """What each organisation holds: no secret, no name, no bank detail."""
    return pages.overview("GoCardless simulator", world, faults, _facts, COLUMNS)


def _facts(org: Organisation) -> tuple[str, list[tuple[str, object]]]:
    head = org.head
    return head.id, [
        ("Partner", head.partner),
        ("Creditor", head.creditor),
        ("Business date", head.business_date.isoformat()),
        ("Customers", len(org.records["customers"])),
        ("Webhook address", head.webhook_url or "none"),
    ]
