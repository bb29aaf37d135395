"""A mandate and its payments at GoCardless, by the platform's own adapter, step by step.

The same steps run against GoCardless's sandbox and against the simulator of ``local/gocardless``.
What only a borrower or a bank does is done by the billing request's actions and by GoCardless's
scenario simulators.  No webhook reaches a laptop: events are read from the provider's list.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from chalicelib.domain.payments import RETRIED_CAUSES
from chalicelib.integrations.gocardless.client import Customer, GoCardless
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.integrations.gocardless.events import Said
from chalicelib.integrations.gocardless.results import PaymentSeen
from chalicelib.integrations.transport import Call, Transport
from local.gocardless_shapes import Answer

if TYPE_CHECKING:
    from requests import Response

AMOUNT, SMALLER = Decimal("2070.58"), Decimal("12.34")
#: Nobody's details, and GoCardless's own test account.
PERSON = {"email": "borrower@example.com", "given_name": "Test", "family_name": "Borrower"}
PLACE = {"address_line1": "1 Test Street", "city": "Leeds", "postal_code": "LS1 1AA",
         "country_code": "GB"}  # fmt: skip
BANK = {"account_holder_name": "Test Borrower", "account_number": "55779911",
        "branch_code": "200000", "country_code": "GB"}  # fmt: skip
BACK = "https://lender.example.com"
SLACK = timedelta(minutes=1)
#: The sandbox's scenario simulators may take a few minutes.
PATIENCE_SECONDS, POLL_SECONDS = 300.0, 3.0


class Unexpected(Exception):
    """The provider did something else than the platform relies on."""


class Recorder(Transport):
    """The transport, with every answer kept under the step that asked for it."""

    step = ""

    def keep(self, answers: list[Answer]) -> Recorder:
        """Where answers are kept."""
        self.answers = answers
        return self

    def send(self, call: Call) -> Response:
        """As the transport does."""
        response = super().send(call)
        try:
            body = json.loads(response.content) if response.content else None
        except ValueError:
            body = "no JSON"
        self.answers.append(Answer(self.step, call.operation, response.status_code, body))
        return response


class Rehearser(GoCardless):
    """The platform's adapter, and what it never does itself: a borrower's and a bank's part."""

    def acts(self, request: str, action: str, data: Mapping[str, Any]) -> None:
        """An action of a billing request, as a page of the lender's own would do it."""
        service = self._service("BillingRequestsService")
        self._run(
            f"POST /billing_requests/*/actions/{action}",
            lambda: getattr(service, action)(request, dict(data)),
        )

    def simulates(self, scenario: str, resource: str) -> None:
        """One of the sandbox's scenario simulators."""
        service = self._service("ScenarioSimulatorsService")
        self._run(
            f"POST /scenario_simulators/{scenario}/actions/run",
            lambda: service.run(scenario, {"links": {"resource": resource}}),
        )


@dataclass
class Rehearsal:
    """One run: the adapter, its recorder, and whom to tell; ``run`` makes its keys its own."""

    base_url: str
    token: str = field(repr=False)
    run: str
    say: Callable[[str], None]
    transport: Recorder
    patience: float = PATIENCE_SECONDS
    pause: float = POLL_SECONDS
    sleep: Callable[[float], None] = time.sleep
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transport.keep(self.answers)
        self.provider = Rehearser(self.base_url, self.token, self.transport)
        self.since: datetime | None = None

    # --- what the steps use -----------------------------------------------------------------------

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step with a name; what goes wrong in it says so."""
        self.transport.step = name
        try:
            yield
        except ProviderTrouble as trouble:
            raise Unexpected(f"{name}: {trouble} (HTTP {trouble.status})") from None
        self.say(f"  {name}")

    def key(self, name: str) -> str:
        """An idempotency key of this run."""
        return f"{self.run}-{name}"

    def metadata(self, name: str) -> dict[str, str]:
        """As the platform's: at most three texts."""
        return {"transaction": self.key(name), "loan": self.run}

    def waits(self, kind: str, action: str, resource: str) -> Said:
        """The event, once the provider's list has it."""
        begun = time.monotonic()
        while True:
            for said in self._listed():
                mine = said.links.get(kind.removesuffix("s")) == resource
                if mine and (said.resource_type, said.action) == (kind, action):
                    return said
            if time.monotonic() - begun > self.patience:
                raise Unexpected(f"{self.transport.step}: no event {kind} {action} came")
            self.sleep(self.pause)

    def _listed(self) -> Iterator[Said]:
        after: str | None = None
        while True:
            page = self.provider.events(after=after, since=self.since, limit=100)
            yield from page.events
            after = page.after
            if after is None:
                return


def expect(what: str, found: object, *wanted: object) -> None:
    """Raises :class:`Unexpected` unless it is one of these."""
    if found not in wanted:
        raise Unexpected(f"{what} is {found}, not {' or '.join(map(str, wanted))}")


def rehearse(act: Rehearsal) -> list[Answer]:
    """All steps; every answer.  Raises :class:`Unexpected` where the platform would be wrong."""
    mandate = _mandate(act)
    _collected_at_second_attempt(act, mandate)
    _charged_back(act, mandate)
    _cancelled(act, mandate)
    _refused(act, mandate)
    return act.answers


def _mandate(act: Rehearsal) -> str:
    provider, key = act.provider, act.key("mandate")
    with act.step("a billing request"):
        asked = provider.create_billing_request(key, {"end_user": act.run})
        expect("the billing request", asked.status, "pending")
        act.since = _made_at(act.answers[-1]) - SLACK
    with act.step("the same key again"):
        again = provider.create_billing_request(key, {"end_user": act.run})
        expect("the billing request of the same key", again.id, asked.id)
    with act.step("a form for it"):
        who = Customer(**PERSON, **PLACE)
        flow = provider.create_flow(act.key("flow"), asked.id, f"{BACK}/ok", f"{BACK}/no", who)
        expect("the form's address", flow.authorisation_url.startswith("http"), True)
    details = {"customer": PERSON, "customer_billing_detail": PLACE}
    for action, data in (
        ("collect_customer_details", details),
        ("collect_bank_account", BANK),
        ("confirm_payer_details", {}),
        ("fulfil", {}),
    ):
        with act.step(action.replace("_", " ")):
            provider.acts(asked.id, action, data)
    with act.step("the billing request, fulfilled"):
        done = provider.billing_request(asked.id)
        expect("the billing request", done.status, "fulfilled", "fulfilling")
        act.waits("billing_requests", "fulfilled", asked.id)
        made = provider.billing_request(asked.id).mandate
        if made is None:
            raise Unexpected("the fulfilled billing request names no mandate")
    with act.step("the mandate is activated"):
        provider.simulates("mandate_activated", made)
        act.waits("mandates", "active", made)
    with act.step("the mandate"):
        seen = provider.mandate(made)
        expect("the mandate", seen.status, "active")
        expect("its metadata", dict(seen.metadata), {"end_user": act.run})
        expect("its next charge date", seen.next_possible_charge_date is None, False)
    return made


def _made_at(answer: Answer) -> datetime:
    return datetime.fromisoformat(answer.body["billing_requests"]["created_at"])


def _pays(act: Rehearsal, mandate: str, name: str, amount: Decimal) -> PaymentSeen:
    provider = act.provider
    charge = provider.mandate(mandate).next_possible_charge_date
    found = provider.create_payment(
        act.key(name), mandate=mandate, amount=amount, charge_date=charge,
        metadata=act.metadata(name), reference="LOAN000123",
    )  # fmt: skip
    expect("the payment", found.status, "pending_submission")
    expect("its amount", found.amount, amount)
    expect("its metadata", dict(found.metadata), act.metadata(name))
    return found


def _collected_at_second_attempt(act: Rehearsal, mandate: str) -> None:
    provider = act.provider
    with act.step("a payment"):
        made = _pays(act, mandate, "retried", AMOUNT)
    with act.step("the same payment again"):
        again = _pays(act, mandate, "retried", AMOUNT)
        expect("the payment of the same key", again.id, made.id)
    with act.step("the bank refuses it"):
        provider.simulates("payment_failed", made.id)
        failed = act.waits("payments", "failed", made.id)
        cause = failed.details.get("cause")
        expect("its cause, which the platform retries", cause, *sorted(RETRIED_CAUSES))
        expect("the payment", provider.payment(made.id).status, "failed")
    with act.step("it is asked for again"):
        charge = provider.mandate(mandate).next_possible_charge_date
        retried = provider.retry_payment(act.key("retry"), made.id, charge)
        expect("the payment", retried.status, "pending_submission", "submitted")
        act.waits("payments", "resubmission_requested", made.id)
    with act.step("it arrives"):
        provider.simulates("payment_confirmed", made.id)
        act.waits("payments", "confirmed", made.id)
        expect("the payment", provider.payment(made.id).status, "confirmed", "paid_out")


def _charged_back(act: Rehearsal, mandate: str) -> None:
    with act.step("a second payment"):
        made = _pays(act, mandate, "disputed", SMALLER)
    with act.step("it arrives and is charged back"):
        act.provider.simulates("payment_charged_back", made.id)
        act.waits("payments", "charged_back", made.id)
        expect("the payment", act.provider.payment(made.id).status, "charged_back")


def _cancelled(act: Rehearsal, mandate: str) -> None:
    with act.step("a third payment"):
        made = _pays(act, mandate, "cancelled", SMALLER)
    with act.step("it is cancelled"):
        stopped = act.provider.cancel_payment(act.key("cancel"), made.id)
        expect("the payment", stopped.status, "cancelled")
        act.waits("payments", "cancelled", made.id)
    with act.step("what is cancelled cannot be retried"):
        after = act.provider.retry_payment(act.key("no-retry"), made.id)
        expect("the payment", after.status, "cancelled")


def _refused(act: Rehearsal, mandate: str) -> None:
    """Refusals that the adapter's table must understand."""
    provider = act.provider
    with act.step("a payment on no mandate"):
        _fails(lambda: provider.create_payment(
            act.key("nowhere"), mandate="MD000000000000", amount=SMALLER, metadata={},
        ), "permanent")  # fmt: skip
    with act.step("a payment that is not there"):
        _fails(lambda: provider.payment("PM000000000000"), "permanent")
    with act.step("a reference that is too long is stopped at home"):
        try:
            provider.create_payment(
                act.key("long"), mandate=mandate, amount=SMALLER, metadata={}, reference="X" * 11
            )
        except ValueError:
            return
        raise Unexpected("a reference of eleven characters was sent")


def _fails(asks: Callable[[], object], remedy: str) -> None:
    try:
        asks()
    except ProviderTrouble as trouble:
        expect(f"what follows from {trouble}", trouble.remedy, remedy)
        return
    raise Unexpected("the provider took what it should refuse")
