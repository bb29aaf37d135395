"""Billing request flows: the page on which a customer agrees to a mandate, without its HTML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from local.gocardless import billing, customers
from local.gocardless.checks import Fields
from local.gocardless.errors import ApiError, Json, invalid_state
from local.gocardless.organisation import Organisation, Record

LIFE = timedelta(days=7)
LOCKS = ("lock_bank_account", "lock_currency", "lock_customer_details")
PERSON = ("given_name", "family_name", "company_name", "email")
PLACE = ("address_line1", "address_line2", "city", "postal_code")
BANK = ("account_holder_name", "branch_code", "account_number")
PREFILLED = (*customers.NAMES, *customers.ADDRESS, "country_code", "language")


def create(org: Organisation, body: object, base_url: str) -> Record:
    """``POST /billing_request_flows``."""
    fields = Fields(body, "/billing_request_flows")
    request = fields.link(org, "billing_request", "billing_requests")
    redirect, leave = fields.url("redirect_uri"), fields.url("exit_uri")
    prefilled = fields.inner("prefilled_customer")
    customer = customers.read(prefilled, PREFILLED)
    kind = fields.inner("prefilled_bank_account").text("account_type")
    asked = {
        "authorisation_url": "",
        "auto_fulfil": fields.flag("auto_fulfil", True),
        "expires_at": "",
        "redirect_uri": redirect,
        "exit_uri": leave,
        "language": fields.text("language") or "en",
        **{name: fields.flag(name) for name in LOCKS},
        "customer_details_captured": fields.flag("customer_details_captured"),
        "show_redirect_buttons": fields.flag("show_redirect_buttons", True),
        "show_success_redirect_button": fields.flag("show_success_redirect_button"),
        "skip_success_screen": fields.flag("skip_success_screen"),
        "prefilled_customer": customer or None,
        "prefilled_bank_account": {"account_type": kind} if kind else None,
        "session_token": None,
    }
    fields.done()
    assert request is not None
    if request.status not in billing.OPEN:
        raise invalid_state(
            "billing_request_not_open", f"Billing request is {request.status}, it needs no flow"
        )
    links = {"billing_request": request.id}
    record = org.add("billing_request_flows", {**asked, "links": links})
    until = (org.today + LIFE).isoformat()
    ends = until + record.doc["created_at"][10:]
    where = f"{base_url}/flow/{record.id}"
    record = org.change(record, authorisation_url=where, expires_at=ends)
    details: Json = {"origin": "api", "cause": "billing_request_flow_created"}
    told = {**links, "billing_request_flow": record.id}
    org.emit(request, "flow_created", details, told)
    return record


def initialise(org: Organisation, identity: str, token: str) -> Record:
    """``POST /billing_request_flows/BRF/actions/initialise``: a token for pages of one's own."""
    return org.change(org.get("billing_request_flows", identity), session_token=token)


def request_of(org: Organisation, flow: Record) -> Record:
    """The billing request that the flow is for."""
    return org.get("billing_requests", flow.links["billing_request"])


def expired(org: Organisation, flow: Record) -> bool:
    """Whether the page is no longer to be used."""
    return org.today > date.fromisoformat(flow.doc["expires_at"][:10])


def values(org: Organisation, flow: Record) -> dict[str, str]:
    """What the form is filled with: what is known of the customer, and what was prefilled."""
    request = request_of(org, flow)
    customer = org.get("customers", request.links["customer"]).doc
    prefilled = flow.doc["prefilled_customer"] or {}
    known = {**customer, **{k: v for k, v in request.hidden["place"].items() if v}, **prefilled}
    return {name: str(known.get(name) or "") for name in (*PERSON, *PLACE)}


def visit(org: Organisation, flow: Record) -> None:
    """The customer has come to the page; told once."""
    if not flow.hidden.get("visited"):
        org.change(flow, {"visited": True})
        links = {"billing_request_flow": flow.id}
        billing.tell_payer(org, request_of(org, flow), "flow_visited", links)


def leave(org: Organisation, flow: Record) -> None:
    """The customer has left without agreeing; the page may be opened again."""
    links = {"billing_request_flow": flow.id}
    billing.tell_payer(org, request_of(org, flow), "flow_exited", links)


class Refusals(Exception):
    """What is wrong on the form: the field's name and what to do about it, in order."""

    def __init__(self, found: Mapping[str, str]) -> None:
        super().__init__(", ".join(found))
        self.found = dict(found)


#: What the customer is told of a field that is empty.
EMPTY: Mapping[str, str] = {
    "given_name": "Enter your first name",
    "family_name": "Enter your last name",
    "email": "Enter your email address",
    "address_line1": "Enter the first line of your address",
    "city": "Enter your town or city",
    "postal_code": "Enter your postcode",
    "account_holder_name": "Enter the name on the account",
    "branch_code": "Enter the sort code",
    "account_number": "Enter the account number",
}
#: And of one that is not accepted.
WRONG: Mapping[str, str] = {
    "email": "Enter an email address in the correct format, like name@example.com",
    "account_holder_name": "Use letters, digits and / . & ' + - ( ) only, as the bank does",
    "branch_code": "Enter a sort code of 6 digits, like 200000",
    "account_number": "Enter the test account: sort code 200000, account number 55779911",
}


def agree(org: Organisation, flow: Record, form: Mapping[str, str]) -> Record:
    """The customer has agreed: everything is collected and, with ``auto_fulfil``, the mandate made.

    Raises :class:`Refusals` with everything that is wrong on the form.
    """
    request = request_of(org, flow)
    known = values(org, flow)
    given = known if flow.doc["lock_customer_details"] else {**known, **form}
    said = {name: str(given.get(name, "")).strip() for name in (*PERSON, *PLACE)}
    bank = {name: str(form.get(name, "")).strip() for name in BANK}
    asked = billing.COMPANY if said["company_name"] else billing.PERSON
    needed = (*asked, "address_line1", "city", "postal_code", *BANK)
    found = {name: EMPTY[name] for name in needed if not {**said, **bank}[name]}
    person = {name: said[name] or None for name in PERSON}
    place = {name: said[name] or None for name in PLACE}
    if not found:
        try:
            billing.collect_customer_details(
                org,
                request.id,
                {
                    "customer": person,
                    "customer_billing_detail": {**place, "country_code": "GB"},
                },
            )
            billing.collect_bank_account(org, request.id, {**bank, "country_code": "GB"})
        except ApiError as refusal:
            found = _told(refusal)
    if found:
        raise Refusals(found)
    request = billing.confirm_payer_details(org, request.id, None)
    if flow.doc["auto_fulfil"]:
        request = billing.fulfil(org, request.id, None)
    return request


def _told(refusal: ApiError) -> dict[str, str]:
    names = [error["field"] for error in refusal.errors if "field" in error]
    if not names:
        raise refusal
    return {name: WRONG.get(name, f"Check the {name.replace('_', ' ')}") for name in names}
