"""The simulator for tests: its pure core, or the whole server on loopback with an endpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import gocardless_pro
import httpx
from gocardless_pro import webhooks

from local.gocardless import customers, days, mandates
from local.gocardless.organisation import Head, Organisation, Record
from local.gocardless.server import Simulator
from local.gocardless.store import Store
from local.gocardless.webhooks import Pace, Sender
from local.gocardless.world import World
from local.network import listen
from local.simulating.faults import Faults
from local.simulating.front import Server

MONDAY = date(2026, 1, 5)
PERSON = {
    "given_name": "Frank",
    "family_name": "Osborne",
    "email": "frank.osborne@example.com",
    "address_line1": "27 Acer Road",
    "city": "London",
    "postal_code": "E8 3GX",
}
BANK = {
    "account_holder_name": "Frank Osborne",
    "branch_code": "200000",
    "account_number": "55779911",
}


# -- the core alone


def organisation(day: date = MONDAY) -> Organisation:
    """An organisation without a server; its ids count up."""
    numbers = count(1)
    head = Head("partner", "OR1", "", "token", "secret", None, day)
    org = Organisation(head, lambda prefix: f"{prefix}{next(numbers):08d}")
    creditor = customers.creditor(org)
    object.__setattr__(org.head, "creditor", creditor.id)
    return org


def mandate_of(org: Organisation, given_name: str = "Frank") -> Record:
    """A new mandate of a new customer."""
    customer = customers.create(org, {**PERSON, "given_name": given_name, "country_code": "GB"})
    body = {**BANK, "country_code": "GB", "links": {"customer": customer.id}}
    account = customers.create_account(org, body)
    return mandates.create(org, {"links": {"customer_bank_account": account.id}})


def active_mandate(org: Organisation) -> Record:
    """A mandate that the banks have taken, today."""
    mandate = mandates.change(org, mandate_of(org), "submitted")
    return mandates.change(org, mandate, "active")


def payment_body(mandate: Record, amount: int = 1000, **more: Any) -> dict[str, Any]:
    """A payment to be made."""
    return {"amount": amount, "currency": "GBP", "links": {"mandate": mandate.id}, **more}


def told(org: Organisation, record: Record) -> list[str]:
    """The actions of the record's events, in order."""
    name = record.kind.removesuffix("s")
    found = (e for e in org.all("events") if e.doc["resource_type"] == record.kind)
    return [e.doc["action"] for e in found if e.links.get(name) == record.id]


def goes_through(org: Organisation, record: Record, until: date) -> dict[str, date]:
    """The date on which each status was first seen, day by day."""
    seen = {record.status: org.today}
    while org.today < until:
        days.send(org, date.fromordinal(org.today.toordinal() + 1))
        seen.setdefault(org.get(record.kind, record.id).status, org.today)
    return seen


# -- over HTTP


@dataclass
class Endpoint:
    """Where webhooks go: what came, and what it answers (the last one for ever).

    Those of other paths are taken and forgotten: partners of earlier tests.
    """

    answers: list[int] = field(default_factory=lambda: [204])
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    path: str = "/providers/gocardless/webhook/"

    def begins(self, partner: str) -> str:
        """From now on only this partner's webhooks count; where they are to be sent."""
        self.answers, self.received = [204], []
        self.path = f"/providers/gocardless/webhook/?{partner}"
        return f"{self.url}?{partner}"

    def events(self, secret: str) -> list[Any]:
        """All events that came, by the official client, which checks the signatures."""
        return [
            event
            for headers, body in list(self.received)
            for event in webhooks.parse(body.decode(), secret, headers["Webhook-Signature"])
        ]

    def actions(self, secret: str) -> list[tuple[str, str]]:
        """What the events say, in the order of their coming."""
        return [(event.resource_type, event.action) for event in self.events(secret)]


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """An endpoint on loopback."""
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = 204
            if self.path == found.path:
                found.received.append((dict(self.headers.items()), body))
                status = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/providers/gocardless/webhook/"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Partner:
    """A partner's organisation, as its tests speak to it."""

    url: str
    name: str
    opened: dict[str, Any]

    @property
    def secret(self) -> str:
        """What its webhooks are signed with."""
        return str(self.opened["webhook_secret"])

    def client(self, **settings: Any) -> gocardless_pro.Client:
        """The official client, unmodified."""
        token = self.opened["access_token"]
        return gocardless_pro.Client(access_token=token, base_url=self.url, **settings)

    def control(self, path: str, body: Any = None, method: str = "POST") -> httpx.Response:
        """A control route."""
        return httpx.request(
            method,
            f"{self.url}/_control/{path}",
            json=body,
            headers={"X-Partner": self.name},
            timeout=30,
        )

    def moves_to(self, day: str) -> dict[str, Any]:
        """The clock is sent forward."""
        answer = self.control("clock", {"business_date": day})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def fails(self, match: str, kind: str, times: int = 1) -> None:
        """A fault."""
        answer = self.control("faults", {"match": match, "kind": kind, "times": times})
        assert answer.status_code == 201, answer.text

    def received(self, match: str | None = None) -> list[dict[str, Any]]:
        """What the simulator says it received."""
        path = "requests" if match is None else f"requests?match={match}"
        found: list[dict[str, Any]] = self.control(path, method="GET").json()["requests"]
        return found

    def mandate(self, given_name: str = "Frank", active: bool = True) -> str:
        """A mandate made by the API; its id."""
        client = self.client()
        customer = client.customers.create(
            params={**PERSON, "given_name": given_name, "country_code": "GB"}
        )
        account = client.customer_bank_accounts.create(
            params={**BANK, "country_code": "GB", "links": {"customer": customer.id}}
        )
        made = client.mandates.create(
            params={"scheme": "bacs", "links": {"customer_bank_account": account.id}}
        )
        if active:
            self.simulates("mandate_activated", made.id)
        return str(made.id)

    def simulates(self, scenario: str, resource: str) -> None:
        """A scenario is run."""
        params = {"links": {"resource": resource}}
        assert self.client().scenario_simulators.run(scenario, params=params).id == scenario

    def flow(self, **more: Any) -> Any:
        """A billing request with a flow; the flow."""
        client = self.client()
        request = client.billing_requests.create(
            params={"mandate_request": {"scheme": "bacs", "currency": "GBP"}}
        )
        return client.billing_request_flows.create(
            params={
                "redirect_uri": "http://127.0.0.1:9/success",
                "exit_uri": "http://127.0.0.1:9/failure",
                "links": {"billing_request": request.id},
                **more,
            }
        )


@dataclass
class Running:
    """A simulator that serves."""

    url: str
    simulator: Simulator
    endpoint: Endpoint

    def partner(self, name: str = "partner", day: date = MONDAY, **more: Any) -> Partner:
        """A partner with an organisation, whose date is ``day``."""
        opened = httpx.post(
            f"{self.url}/_control/organisations",
            json={"business_date": day.isoformat(), **more},
            headers={"X-Partner": name},
        )
        assert opened.status_code in (200, 201), opened.text
        return Partner(self.url, name, opened.json())


@contextmanager
def running(
    directory: Path,
    linger: float = 0.02,
    retries: Sequence[float] = (0.05, 0.05, 0.05, 0.05),
    hold_seconds: float = 0.6,
    rate_limit: int = 10_000,
) -> Iterator[Running]:
    """The simulator in this process, on loopback, with short times."""
    with endpoint() as found:
        world = World(Store(directory), found.url, lambda: MONDAY)
        faults = Faults()
        sender = Sender(world, faults, Pace(linger, 1.0, retries))
        simulator = Simulator(world, faults, sender, hold_seconds, rate_limit)
        server = Server(listen(0), simulator)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        sender.start()
        try:
            yield Running(server.url, simulator, found)
        finally:
            server.shutdown()
            sender.stop()
            server.server_close()
            thread.join()
            world.store.close()
