"""GoCardless by its official client, which speaks through our transport.

The client builds paths, bodies and headers and reads answers; the transport has the time limits
and the tries, so that the client's own (three, half a second apart, each with a time limit of its
own) are off.  Idempotency conflicts are ours to see: the client would fetch the resource for some
calls and raise for others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from chalicelib.integrations.gocardless import results
from chalicelib.integrations.gocardless.errors import ProviderTrouble, trouble_of
from chalicelib.integrations.gocardless.events import said_of
from chalicelib.integrations.gocardless.results import (
    BillingRequest,
    EventPage,
    Flow,
    MandateSeen,
    PaymentSeen,
)
from chalicelib.integrations.transport import Call, Transport

if TYPE_CHECKING:
    from requests import Response

T = TypeVar("T")
PROVIDER = "gocardless"
ONE_TRY, NO_DELAY, SHOW_CONFLICTS = 1, 0, True
REFERENCE_LENGTH = 10
MOST_METADATA = 3


@dataclass(frozen=True, slots=True)
class Customer:
    """What the provider's form is filled in with; texts that are empty are left out."""

    given_name: str = field(default="", repr=False)
    family_name: str = field(default="", repr=False)
    company_name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    address_line1: str = field(default="", repr=False)
    address_line2: str = field(default="", repr=False)
    address_line3: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    postal_code: str = field(default="", repr=False)
    country_code: str = field(default="", repr=False)

    def details(self) -> dict[str, str]:
        """As ``prefilled_customer`` takes them."""
        names = self.__slots__
        found = {name: getattr(self, name) for name in names if getattr(self, name)}
        if self.company_name:  # the provider takes a person or a company, not both
            found.pop("given_name", None)
            found.pop("family_name", None)
        return found


class _Wire:
    """What the official services call instead of ``requests``: its paths and bodies, our way."""

    def __init__(self, base_url: str, access_token: str, transport: Transport) -> None:
        from gocardless_pro.api_client import ApiClient

        self._theirs = ApiClient(base_url, access_token)
        self._transport = transport
        self.operation = ""
        self.status: int | None = None

    def get(self, path: str, params: Any = None, headers: Any = None) -> Response:
        return self._send("GET", path, headers, params=params)

    def post(self, path: str, body: Any, headers: Any = None) -> Response:
        return self._send("POST", path, headers, body=json.dumps(body).encode())

    def put(self, path: str, body: Any, headers: Any = None) -> Response:
        return self._send("PUT", path, headers, body=json.dumps(body).encode())

    def delete(self, path: str, body: Any, headers: Any = None) -> Response:
        return self._send("DELETE", path, headers, body=json.dumps(body).encode())

    def _send(self, method: str, path: str, headers: Any, **more: Any) -> Response:
        url, all_headers = self._theirs._url_for(path), self._theirs._headers(headers)
        call = Call(PROVIDER, self.operation, method, url, all_headers, **more)
        response = self._transport.send(call)
        self.status = response.status_code
        self._theirs._handle_errors(response)
        return response


class GoCardless:
    """One organisation's resources.  Not to be shared between threads.

    Every method raises :class:`ProviderTrouble` and nothing else.  ``key`` is an idempotency key:
    the same key makes the same thing once, however often it is asked for.
    """

    def __init__(self, base_url: str, access_token: str, transport: Transport) -> None:
        self._base_url = base_url
        self._access_token = access_token
        self._transport = transport

    @cached_property
    def _wire(self) -> _Wire:
        return _Wire(self._base_url, self._access_token, self._transport)

    def _service(self, name: str) -> Any:
        from gocardless_pro import services

        return getattr(services, name)(self._wire, ONE_TRY, NO_DELAY, SHOW_CONFLICTS)

    # --- mandates ---------------------------------------------------------------------------------

    def create_billing_request(self, key: str, metadata: Mapping[str, str]) -> BillingRequest:
        """Begin the set-up of a Bacs mandate; the same one for the same key."""
        asked = {"scheme": "bacs", "currency": "GBP", "verify": "recommended"}
        body = {"mandate_request": {**asked, "metadata": dict(metadata)}, "metadata": {**metadata}}
        return self._made(
            "POST /billing_requests",
            lambda: self._service("BillingRequestsService").create(body, _keyed(key)),
            results.billing_request,
            self.billing_request,
        )

    def billing_request(self, identity: str) -> BillingRequest:
        """A billing request as it is."""
        return self._ask(
            "GET /billing_requests",
            lambda: self._service("BillingRequestsService").get(identity),
            results.billing_request,
        )

    def create_flow(
        self, key: str, billing_request: str, success_url: str, failure_url: str, who: Customer
    ) -> Flow:
        """A form for a billing request.

        A flow cannot be fetched: for a key that was used before this raises with the remedy
        ``conflict``, and another flow (for the same billing request) takes its place.
        """
        body = {
            "redirect_uri": success_url,
            "exit_uri": failure_url,
            "show_redirect_buttons": True,
            "lock_customer_details": False,
            "prefilled_customer": who.details(),
            "links": {"billing_request": billing_request},
        }
        return self._ask(
            "POST /billing_request_flows",
            lambda: self._service("BillingRequestFlowsService").create(body, _keyed(key)),
            results.flow,
        )

    def mandate(self, identity: str) -> MandateSeen:
        """A mandate as it is."""
        return self._ask(
            "GET /mandates",
            lambda: self._service("MandatesService").get(identity),
            results.mandate,
        )

    # --- payments ---------------------------------------------------------------------------------

    def create_payment(
        self,
        key: str,
        *,
        mandate: str,
        amount: Decimal,
        metadata: Mapping[str, str],
        charge_date: date | None = None,
        reference: str | None = None,
    ) -> PaymentSeen:
        """Collect ``amount`` pounds on ``charge_date`` (none: as soon as possible).

        The same payment for the same key.  ``reference`` has at most 10 characters and
        ``metadata`` at most 3 entries.
        """
        if len(metadata) > MOST_METADATA or len(reference or "") > REFERENCE_LENGTH:
            raise ValueError("the reference or the metadata is too long")
        body: dict[str, Any] = {
            "amount": pence_of(amount),
            "currency": "GBP",
            "metadata": dict(metadata),
            "retry_if_possible": False,
            "links": {"mandate": mandate},
        }
        if charge_date is not None:
            body["charge_date"] = charge_date.isoformat()
        if reference:
            body["reference"] = reference
        return self._made(
            "POST /payments",
            lambda: self._service("PaymentsService").create(body, _keyed(key)),
            results.payment,
            self.payment,
        )

    def payment(self, identity: str) -> PaymentSeen:
        """A payment as it is."""
        return self._ask(
            "GET /payments",
            lambda: self._service("PaymentsService").get(identity),
            results.payment,
        )

    def cancel_payment(self, key: str, identity: str) -> PaymentSeen:
        """Cancel a payment; one that cannot be cancelled (any more) is given as it is."""
        return self._acted(
            "POST /payments/*/actions/cancel",
            identity,
            lambda: self._service("PaymentsService").cancel(identity, headers=_keyed(key)),
        )

    def retry_payment(
        self, key: str, identity: str, charge_date: date | None = None
    ) -> PaymentSeen:
        """Collect a failed payment again; one that has not failed is given as it is."""
        params = None if charge_date is None else {"charge_date": charge_date.isoformat()}
        return self._acted(
            "POST /payments/*/actions/retry",
            identity,
            lambda: self._service("PaymentsService").retry(identity, params, _keyed(key)),
        )

    # --- events -----------------------------------------------------------------------------------

    def events(
        self, *, after: str | None = None, since: datetime | None = None, limit: int = 100
    ) -> EventPage:
        """A page of what happened, newest first, at or after ``since``."""
        params: dict[str, str] = {"limit": str(limit)}
        if after is not None:
            params["after"] = after
        if since is not None:
            params["created_at[gte]"] = since.isoformat(timespec="milliseconds").replace(
                "+00:00", "Z"
            )
        found = self._run("GET /events", lambda: self._service("EventsService").list(params=params))
        said = (said_of(record.attributes) for record in found.records)
        return EventPage(tuple(one for one in said if one is not None), found.after)

    # --- what all of them do ----------------------------------------------------------------------

    def _run(self, operation: str, work: Callable[[], T]) -> T:
        try:
            self._wire.operation, self._wire.status = operation, None
            return work()
        except Exception as error:
            raise trouble_of(error, operation, self._wire.status) from None

    def _ask(
        self,
        operation: str,
        work: Callable[[], Any],
        shape: Callable[[Mapping[str, Any]], T],
    ) -> T:
        return self._run(operation, lambda: shape(work().attributes))

    def _made(
        self,
        operation: str,
        work: Callable[[], Any],
        shape: Callable[[Mapping[str, Any]], T],
        fetch: Callable[[str], T],
    ) -> T:
        """What was made now, or by the same key before."""
        try:
            return self._ask(operation, work, shape)
        except ProviderTrouble as trouble:
            if trouble.remedy != "conflict" or trouble.resource is None:
                raise
            return fetch(trouble.resource)

    def _acted(self, operation: str, identity: str, work: Callable[[], Any]) -> PaymentSeen:
        """The payment after an action, or as it stands if the action was not possible."""
        try:
            return self._ask(operation, work, results.payment)
        except ProviderTrouble as trouble:
            if trouble.remedy != "conflict":
                raise
            return self.payment(identity)


def pence_of(amount: Decimal) -> int:
    """Pounds as whole pence; :class:`ValueError` for a fraction of a penny or nothing."""
    pence = amount.scaleb(2)
    if pence != pence.to_integral_value() or pence <= 0:
        raise ValueError("a payment is a positive number of pence")
    return int(pence)


def _keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}
