"""Billing requests: what has to be known before there is a mandate, and who has said it.

The actions and what they complete are shown from what has been collected; only mandates by Bacs can
be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.gocardless import accounts, customers, magic, mandates
from local.gocardless.checks import Fields, action_fields, action_metadata
from local.gocardless.errors import Json, invalid_state
from local.gocardless.moves import move
from local.gocardless.organisation import PART_PREFIXES, Organisation, Record

PERSON = ("email", "given_name", "family_name")
COMPANY = ("email", "company_name")
PLACE = ("address_line1", "city", "postal_code", "country_code")
OPEN = frozenset({"pending", "ready_to_fulfil"})
VERIFY = frozenset({"minimum", "recommended", "when_available", "always"})
BILLING_FIELDS = (*customers.ADDRESS, "country_code")


def create(org: Organisation, body: object, where: str = "/billing_requests") -> Record:
    """``POST /billing_requests``."""
    fields = Fields(body, where)
    if fields.has("payment_request"):
        fields.wrong("payment_request", "is not offered: ask for a mandate only")
    if not fields.has("mandate_request"):
        fields.wrong("mandate_request", "can't be blank")
    asked = fields.inner("mandate_request")
    asked.choice("scheme", {"bacs"}, "bacs")
    asked.choice("currency", {"GBP"}, "GBP")
    verify = asked.choice("verify", VERIFY, "minimum")
    description = asked.text("description")
    request_metadata = asked.metadata()
    metadata = fields.metadata()
    fallback = fields.flag("fallback_enabled")
    customer = fields.link(org, "customer", "customers", required=False)
    account = fields.link(org, "customer_bank_account", "customer_bank_accounts", required=False)
    fields.done()
    if account is not None:
        customer = org.get("customers", account.links["customer"])
    customer = customer or org.add("customers", customers.EMPTY)
    part = {name: org.new_id(prefix) for name, prefix in PART_PREFIXES.items()}
    links = {
        "organisation": org.head.id,
        "creditor": org.head.creditor,
        "customer": customer.id,
        "customer_billing_detail": part["customer_billing_detail"],
        "mandate_request": part["mandate_request"],
    }
    if account is not None:
        links["customer_bank_account"] = account.id
    record = org.add(
        "billing_requests",
        {
            "status": "pending",
            "fallback_enabled": fallback,
            "fallback_occurred": False,
            "mandate_request": {
                "currency": "GBP",
                "scheme": "bacs",
                "verify": verify,
                "sweeping": False,
                "description": description,
                "metadata": request_metadata,
                "links": {},
            },
            "payment_request": None,
            "metadata": metadata,
            "links": links,
        },
        place=_place_of(customer),
    )
    _tell(org, record, "created")
    return record


def _place_of(customer: Record) -> Json:
    """Where a customer lives, as far as it is known."""
    return {name: customer.doc.get(name) for name in BILLING_FIELDS}


def shown(org: Organisation, record: Record) -> Json:
    """As the API shows it: with the customer, and what is still to be done."""
    customer = org.get("customers", record.links["customer"])
    detail = {
        "id": record.links["customer_billing_detail"],
        "created_at": record.doc["created_at"],
        **record.hidden["place"],
        "swedish_identity_number": None,
        "danish_identity_number": None,
    }
    names = ("id", "created_at", *customers.NAMES, "language", "phone_number", "metadata")
    resources: Json = {
        "customer": {name: customer.doc.get(name) for name in names},
        "customer_billing_detail": detail,
    }
    if account := record.links.get("customer_bank_account"):
        resources["customer_bank_account"] = org.get("customer_bank_accounts", account).doc
    return {**record.doc, "resources": resources, "actions": _actions(org, record)}


def _missing(org: Organisation, record: Record) -> Json:
    customer = org.get("customers", record.links["customer"]).doc
    named = COMPANY if customer.get("company_name") else PERSON
    place = record.hidden["place"]
    return {
        "customer": [name for name in named if not customer.get(name)],
        "customer_billing_detail": [name for name in PLACE if not place.get(name)],
    }


def _done(org: Organisation, record: Record) -> dict[str, bool]:
    missing = _missing(org, record)
    return {
        "choose_currency": True,
        "collect_customer_details": not any(missing.values()),
        "collect_bank_account": "customer_bank_account" in record.links,
        "confirm_payer_details": record.status not in ("pending", "cancelled")
        or bool(record.hidden.get("confirmed")),
    }


def _actions(org: Organisation, record: Record) -> list[Json]:
    completes = {"collect_bank_account": ["choose_currency"]}
    requires = {
        "collect_customer_details": ["choose_currency"],
        "collect_bank_account": ["choose_currency"],
        "confirm_payer_details": ["collect_customer_details", "collect_bank_account"],
    }
    found: list[Json] = []
    for kind, done in _done(org, record).items():
        row: Json = {
            "type": kind,
            "required": True,
            "status": "completed" if done else "pending",
            "completes_actions": completes.get(kind, []),
            "requires_actions": requires.get(kind, []),
        }
        if kind == "collect_customer_details":
            missing = _missing(org, record)
            row[kind] = {"default_country_code": "GB", "incomplete_fields": missing}
        if kind == "choose_currency":
            row["available_currencies"] = ["GBP"]
        found.append(row)
    return found


def _open(org: Organisation, identity: str) -> Record:
    record = org.get("billing_requests", identity)
    if record.status not in OPEN:
        raise invalid_state(
            "billing_request_not_open", f"Billing request is {record.status}, nothing can be added"
        )
    return record


def _tell(org: Organisation, record: Record, action: str, links: Json | None = None) -> None:
    details: Json = {"origin": "api", "cause": f"billing_request_{action}"}
    own = {"billing_request": record.id, **(links or {})}
    org.emit(record, action, details, own)


def tell_payer(org: Organisation, record: Record, action: str, links: Json | None = None) -> None:
    """An event that the customer has caused."""
    details: Json = {"origin": "customer", "cause": f"billing_request_{action}"}
    org.emit(record, action, details, {"billing_request": record.id, **(links or {})})


def collect_customer_details(org: Organisation, identity: str, data: Json | None) -> Record:
    """What is sent is kept; the action is done when nothing is missing any more."""
    record = _open(org, identity)
    fields = action_fields(data)
    person, place = fields.inner("customer"), fields.inner("customer_billing_detail")
    said = customers.read(person, (*customers.NAMES, "language", "phone_number"))
    if "metadata" in person.data:
        said["metadata"] = person.metadata()
    lives = customers.read(place, BILLING_FIELDS)
    if lives.get("country_code") not in (None, "GB"):
        place.wrong("country_code", "must be GB for the bacs scheme")
    fields.done()
    customer = org.get("customers", record.links["customer"])
    org.change(customer, **said, **lives)
    record = org.change(record, {"place": record.hidden["place"] | lives})
    if not any(_missing(org, record).values()):
        _tell(org, record, "collect_customer_details", {"customer": customer.id})
    return record


def collect_bank_account(org: Organisation, identity: str, data: Json | None) -> Record:
    """The bank account that the mandate will be on."""
    record = _open(org, identity)
    fields = action_fields(data)
    shown_account = accounts.details(fields)
    metadata = fields.metadata()
    fields.done()
    customer = org.get("customers", record.links["customer"])
    known = [each for each in customers.of_customer(org, customer) if each.doc["enabled"]]
    account = known[0] if known else customers.attach(org, customer, shown_account, metadata)
    links = {**record.links, "customer_bank_account": account.id}
    record = org.change(record, links=links)
    _tell(org, record, "collect_bank_account", {"customer_bank_account": account.id})
    return record


def confirm_payer_details(org: Organisation, identity: str, data: Json | None) -> Record:
    """The payer has seen what was collected and says that it is right."""
    record = _open(org, identity)
    action_metadata(data)
    done = _done(org, record)
    missing = [kind for kind, is_done in done.items() if not is_done][:-1]
    if record.status == "pending" and missing:
        raise invalid_state(
            "required_actions_pending", f"Required actions are not completed: {', '.join(missing)}"
        )
    record = org.change(record, {"confirmed": True}, status="ready_to_fulfil")
    _tell(org, record, "payer_details_confirmed")
    return record


def fulfil(org: Organisation, identity: str, data: Json | None) -> Record:
    """There is a mandate from now on."""
    record = org.get("billing_requests", identity)
    metadata = action_metadata(data)
    if record.status != "ready_to_fulfil":
        raise invalid_state(
            "billing_request_not_ready_to_fulfil",
            f"Billing request is {record.status}, not ready to be fulfilled",
        )
    asked = record.doc["mandate_request"]
    account = org.get("customer_bank_accounts", record.links["customer_bank_account"])
    mandate = mandates.grant(org, account, None, asked["metadata"], origin="gocardless")
    links = {**record.links, "mandate_request_mandate": mandate.id}
    request = {**asked, "links": {**asked["links"], "mandate": mandate.id}}
    record = org.change(record, links=links, mandate_request=request)
    told = {
        "mandate_request": links["mandate_request"],
        "mandate_request_mandate": mandate.id,
        "customer": links["customer"],
        "customer_bank_account": account.id,
    }
    record = move(org, record, "fulfilled", None, told, metadata)
    magic.on_mandate(org, mandate)
    return record


def cancel(org: Organisation, identity: str, data: Json | None) -> Record:
    """Nothing will come of it."""
    record = org.get("billing_requests", identity)
    metadata = action_metadata(data)
    if record.status not in OPEN:
        raise invalid_state("cancellation_failed", f"Billing request is {record.status} already")
    return move(org, record, "cancelled", metadata=metadata)


def choose_currency(org: Organisation, identity: str, data: Json | None) -> Record:
    """Pounds; it is chosen from the beginning."""
    record = _open(org, identity)
    fields = action_fields(data)
    fields.choice("currency", {"GBP"})
    fields.done()
    return record


def notify(org: Organisation, identity: str, data: Json | None) -> Record:
    """Nobody is written to from here; the request is checked all the same."""
    record = _open(org, identity)
    fields = action_fields(data)
    fields.choice("notification_type", {"email"})
    fields.done()
    return record


def unsupported(org: Organisation, identity: str, data: Json | None) -> Record:
    """What only instant bank payments have."""
    _open(org, identity)
    raise invalid_state("action_not_available", "The billing request does not have this action")


Action = Callable[[Organisation, str, "Json | None"], Record]

ACTIONS: Mapping[str, Action] = {
    "choose_currency": choose_currency,
    "collect_customer_details": collect_customer_details,
    "collect_bank_account": collect_bank_account,
    "confirm_payer_details": confirm_payer_details,
    "fulfil": fulfil,
    "cancel": cancel,
    "notify": notify,
    "fallback": unsupported,
    "select_institution": unsupported,
}
#: In this order, those that ``create_with_actions`` may hold.
AT_ONCE = (
    "choose_currency",
    "collect_customer_details",
    "collect_bank_account",
    "confirm_payer_details",
)


def create_with_actions(org: Organisation, body: object) -> Json:
    """``POST /billing_requests/create_with_actions``: the request and some actions, or neither."""
    record = create(org, body, "/billing_request_with_actions")
    sent: Any = body.get("actions") if isinstance(body, dict) else None
    fields = action_fields(sent)
    for name in AT_ONCE:
        if name in fields.data:
            value = fields.data[name]
            ACTIONS[name](org, record.id, value if isinstance(value, dict) else None)
    return {
        "billing_requests": shown(org, org.get("billing_requests", record.id)),
        "bank_authorisations": None,
    }
