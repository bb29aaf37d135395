"""GoCardless's outbound payments: Faster Payments out of the partner's payment account.

A payee is a customer with a bank account there; each of the three creations has a key made of ours,
so that whatever was made before is found again.  What a payment has come to is read from the
payment and, where it failed, from its events: they alone say whether it had been executed before.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.integrations.disbursements.interface import (
    Disbursed,
    Forged,
    Payee,
    Reported,
    State,
)
from chalicelib.integrations.gocardless.client import GoCardless, _Wire, pence_of
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.integrations.gocardless.events import Said, parse, said_of
from chalicelib.integrations.gocardless.signature import signed

if TYPE_CHECKING:
    from requests import Response

    from chalicelib.integrations.disbursements.signing import Signer
    from chalicelib.integrations.transport import Transport

GOCARDLESS_OUTBOUND = "gocardless_outbound"
RESOURCE = "outbound_payments"
SIGNED = "/outbound_payments"
MOST_EVENTS = 100
LONGEST_DESCRIPTION, LONGEST_REFERENCE, LONGEST_NAME = 60, 18, 200
USUAL_REFERENCE = "LOAN"

STATE_OF: Mapping[str, State] = {
    "verifying": "accepted",
    "scheduled": "accepted",
    "pending_approval": "awaiting_approval",
    "executing": "executing",
    "executed": "paid",
    "cancelled": "failed",
    "failed": "failed",
}
"""GoCardless's statuses.  ``failed`` after it was executed is ``returned``."""


@dataclass(frozen=True, slots=True)
class _Seen:
    id: str
    status: str


class _SignedWire(_Wire):
    """The client's way out, with money's requests signed: anew for every try."""

    def __init__(
        self, base_url: str, access_token: str, transport: Transport, signer: Signer | None
    ) -> None:
        super().__init__(base_url, access_token, transport)
        self._signer = signer

    def post(self, path: str, body: Any, headers: Any = None) -> Response:
        raw = json.dumps(body).encode()
        if not path.startswith(SIGNED):
            return self._send("POST", path, headers, body=raw)
        if self._signer is None:
            raise ProviderTrouble(self.operation, "person", "no_signing_key")
        signer, url = self._signer, self._theirs._url_for(path)
        content_type = str(self._theirs._headers(headers)["Content-Type"])
        return self._send(
            "POST",
            path,
            headers,
            body=raw,
            late=lambda: signer.headers("POST", url, content_type, raw),
        )


class GoCardlessOutbound(GoCardless):
    """One organisation's payments out.  Not to be shared between threads.

    ``signer`` may be missing where nothing is asked for but what there is.  ``webhook_secret`` is
    needed for :meth:`parse_event`.  Without a ``creditor`` the organisation's only one pays.
    """

    name = GOCARDLESS_OUTBOUND

    def __init__(
        self,
        base_url: str,
        access_token: str,
        transport: Transport,
        *,
        signer: Signer | None = None,
        creditor: str = "",
        webhook_secret: str = "",
    ) -> None:
        super().__init__(base_url, access_token, transport)
        self._signer = signer
        self._creditor = creditor
        self._webhook_secret = webhook_secret

    @classmethod
    def looking(cls, other: GoCardless) -> GoCardlessOutbound:
        """The same organisation, to look and not to pay."""
        return cls(other._base_url, other._access_token, other._transport)

    @cached_property
    def _wire(self) -> _SignedWire:
        return _SignedWire(self._base_url, self._access_token, self._transport, self._signer)

    def submit(self, key: str, payee: Payee, amount: Decimal, reference: str) -> Disbursed:
        """See :class:`~chalicelib.integrations.disbursements.interface.DisbursementProvider`.

        The whole reference is the payment's description (60 characters), which the payee does not
        see; on the statement are its letters and digits (18).
        """
        body: dict[str, Any] = {
            "amount": pence_of(amount),
            "scheme": "faster_payments",
            "description": reference[:LONGEST_DESCRIPTION] or USUAL_REFERENCE,
            "reference": on_statement(reference),
            "metadata": {"key": key},
            "links": {"recipient_bank_account": self._account(key, payee)},
        }
        if self._creditor:
            body["links"]["creditor"] = self._creditor
        made = self._create(RESOURCE, "OutboundPaymentsService", key, body)
        return self._told(made)

    def fetch(self, ref: str) -> Disbursed:
        """See the interface: a payment that failed is ``returned`` if it had been executed."""
        return self._told(self._get(RESOURCE, "OutboundPaymentsService", ref))

    def cancel(self, ref: str) -> Disbursed:
        """See the interface."""
        try:
            found = self._ask(
                "POST /outbound_payments/*/actions/cancel",
                lambda: self._service("OutboundPaymentsService").cancel(ref),
                _seen,
            )
        except ProviderTrouble as trouble:
            if trouble.remedy != "conflict":
                raise
            return self.fetch(ref)
        return self._told(found)

    def parse_event(self, raw: bytes, headers: Mapping[str, str]) -> Sequence[Reported]:
        """See the interface; the signature is the header ``Webhook-Signature``."""
        given = {name.lower(): value for name, value in headers.items()}
        if not signed(self._webhook_secret, raw, given.get("webhook-signature")):
            raise Forged("the signature is not that of the body")
        return [
            Reported(said.id, said.links["outbound_payment"], said.action)
            for said in parse(raw)
            if said.resource_type == RESOURCE and "outbound_payment" in said.links
        ]

    # --- what it takes ----------------------------------------------------------------------------

    def _account(self, key: str, payee: Payee) -> str:
        """The payee's bank account at GoCardless, made if it is not there."""
        name = plain(payee.name)[:LONGEST_NAME]
        who = {**_named(name, payee.company), "country_code": "GB", "metadata": {"key": key}}
        customer = self._create("customers", "CustomersService", f"{key}.payee", who)
        account = {
            "account_holder_name": name,
            "account_number": payee.account_number,
            "branch_code": payee.sort_code,
            "country_code": "GB",
            "links": {"customer": customer.id},
        }
        kind, service = "customer_bank_accounts", "CustomerBankAccountsService"
        return self._create(kind, service, f"{key}.account", account).id

    def _create(self, kind: str, service: str, key: str, body: Mapping[str, Any]) -> _Seen:
        keyed = {"Idempotency-Key": key}
        return self._made(
            f"POST /{kind}",
            lambda: self._service(service).create(dict(body), keyed),
            _seen,
            lambda there: self._get(kind, service, there),
        )

    def _get(self, kind: str, service: str, identity: str) -> _Seen:
        return self._ask(f"GET /{kind}", lambda: self._service(service).get(identity), _seen)

    def _told(self, seen: _Seen) -> Disbursed:
        state = STATE_OF.get(seen.status)
        if state is None:
            raise ProviderTrouble(f"GET /{RESOURCE}", "person", "unknown_status")
        if state != "failed":
            return Disbursed(seen.id, state)
        said = self._events_of(seen.id)
        was_paid = seen.status == "failed" and any(one.action == "executed" for one in said)
        causes = [one.details.get("cause", "") for one in said if one.action == seen.status]
        cause = next(filter(None, causes), f"outbound_payment_{seen.status}")
        return Disbursed(seen.id, "returned" if was_paid else "failed", cause)

    def _events_of(self, identity: str) -> list[Said]:
        """What has happened to a payment, newest first: a handful of events."""
        params = {"outbound_payment": identity, "limit": str(MOST_EVENTS)}
        found = self._run("GET /events", lambda: self._service("EventsService").list(params=params))
        said = (said_of(record.attributes) for record in found.records)
        return [one for one in said if one is not None]


def _seen(data: Mapping[str, Any]) -> _Seen:
    identity, status = data.get("id"), data.get("status", "")
    if not isinstance(identity, str) or not identity or not isinstance(status, str):
        raise ValueError("an answer without an id")
    return _Seen(identity, status)


def _named(name: str, company: bool) -> dict[str, str]:
    """A customer is a company, or a person with two names."""
    given, _, family = name.rpartition(" ")
    if company or not given:
        return {"company_name": name}
    return {"given_name": given, "family_name": family}


def plain(text: str) -> str:
    """A name in the letters that banks take: accents dropped, other signs left out."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^A-Za-z0-9 /.&'+()-]", " ", bare).split())


def on_statement(reference: str) -> str:
    """What of a reference fits a bank statement: 18 letters, digits and ``/ . & -``."""
    bare = re.sub(r"[^A-Za-z0-9 /.&-]", " ", plain(reference))
    return " ".join(bare.split())[:LONGEST_REFERENCE].strip() or USUAL_REFERENCE
