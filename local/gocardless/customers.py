"""Customers, their bank accounts, and the creditor that the money is for."""

from __future__ import annotations

from local.gocardless import accounts
from local.gocardless.checks import EMAIL, Fields
from local.gocardless.errors import Json, account_exists, invalid_state
from local.gocardless.organisation import Organisation, Record

NAMES = ("given_name", "family_name", "company_name", "email")
ADDRESS = ("address_line1", "address_line2", "address_line3", "city", "region", "postal_code")
OTHERS = ("country_code", "language", "phone_number")
MOST_ACCOUNTS = 100

EMPTY: Json = {
    **dict.fromkeys(("email", "given_name", "family_name", "company_name")),
    **dict.fromkeys(ADDRESS),
    "country_code": None,
    "language": "en",
    "phone_number": None,
    "swedish_identity_number": None,
    "danish_identity_number": None,
    "metadata": {},
}


def create(org: Organisation, body: object) -> Record:
    """``POST /customers``."""
    fields = Fields(body, "/customers")
    said = read(fields, (*NAMES, *ADDRESS, *OTHERS))
    if not (said.get("company_name") or (said.get("given_name") and said.get("family_name"))):
        fields.wrong("given_name", "and family_name, or company_name, can't be blank")
    metadata = fields.metadata()
    fields.done()
    return org.add("customers", {**EMPTY, **said, "metadata": metadata})


def update(org: Organisation, identity: str, body: object) -> Record:
    """``PUT /customers/CU``."""
    known = org.get("customers", identity)
    fields = Fields(body, "/customers")
    said = read(fields, (*NAMES, *ADDRESS, *OTHERS))
    if "metadata" in fields.data:
        said["metadata"] = fields.metadata()
    fields.done()
    return org.change(known, **said)


def remove(org: Organisation, identity: str) -> None:
    """``DELETE /customers/CU``: gone from sight; its mandates are cancelled by whoever calls."""
    known = org.get("customers", identity)
    org.change(known, {"removed": True}, **{**EMPTY, "given_name": "Removed"})


def read(fields: Fields, names: tuple[str, ...]) -> Json:
    """Those of the names that were sent, checked."""
    said: Json = {name: fields.text(name) for name in names if name in fields.data}
    email = said.get("email")
    if email is not None and not EMAIL.fullmatch(email):
        fields.wrong("email", "is invalid")
    country = said.get("country_code")
    if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
        fields.wrong("country_code", "is not a country code of ISO 3166-1")
    return said


def create_account(org: Organisation, body: object) -> Record:
    """``POST /customer_bank_accounts``."""
    fields = Fields(body, "/customer_bank_accounts")
    customer = fields.link(org, "customer", "customers")
    metadata = fields.metadata()
    shown = accounts.details(fields)
    fields.done()
    assert customer is not None
    for other in of_customer(org, customer):
        if other.doc["enabled"] and other.doc["account_number_ending"] == accounts.NUMBER[-2:]:
            raise account_exists(other.id)
    return attach(org, customer, shown, metadata)


def attach(org: Organisation, customer: Record, shown: Json, metadata: Json) -> Record:
    """A bank account of the customer's."""
    return org.add(
        "customer_bank_accounts",
        {**shown, "metadata": metadata, "links": {"customer": customer.id}},
    )


def of_customer(org: Organisation, customer: Record) -> list[Record]:
    """The customer's bank accounts, oldest first."""
    found = org.all("customer_bank_accounts")
    return [each for each in found if each.links["customer"] == customer.id]


def update_account(org: Organisation, identity: str, body: object) -> Record:
    """``PUT /customer_bank_accounts/BA``: metadata only."""
    return update_metadata(org, "customer_bank_accounts", identity, body)


def disable_account(org: Organisation, identity: str) -> Record:
    """``POST /customer_bank_accounts/BA/actions/disable``; its mandates are the caller's matter."""
    known = org.get("customer_bank_accounts", identity)
    if not known.doc["enabled"]:
        raise invalid_state("bank_account_disabled", "Bank account is disabled already")
    return org.change(known, enabled=False)


def update_metadata(org: Organisation, kind: str, identity: str, body: object) -> Record:
    """``PUT`` of a resource that takes its metadata only."""
    known = org.get(kind, identity)
    fields = Fields(body, f"/{kind}")
    metadata = fields.metadata()
    fields.done()
    return org.change(known, metadata=metadata) if "metadata" in fields.data else known


def creditor(org: Organisation) -> Record:
    """The organisation's creditor, with its bank account; made with the organisation."""
    made = org.add(
        "creditors",
        {
            "name": "Backbone sandbox",
            "address_line1": None,
            "address_line2": None,
            "address_line3": None,
            "city": None,
            "region": None,
            "postal_code": None,
            "country_code": "GB",
            "creditor_type": "company",
            "activated": True,
            "can_create_refunds": True,
            "verification_status": "successful",
            "scheme_identifiers": [],
            "fx_payout_currency": None,
            "logo_url": None,
            "links": {},
        },
    )
    account = org.add(
        "creditor_bank_accounts",
        {
            "account_holder_name": "BACKBONE SANDBOX",
            "account_number_ending": accounts.NUMBER[-2:],
            "bank_name": accounts.BANK,
            "country_code": "GB",
            "currency": "GBP",
            "enabled": True,
            "account_type": None,
            "verification_status": "successful",
            "metadata": {},
            "links": {"creditor": made.id},
        },
    )
    return org.change(made, links={"default_gbp_payout_account": account.id})
