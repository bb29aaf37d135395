"""A world with the GoCardless simulator: the real one, over HTTP, in threads of this process.

Its webhooks are received by a small server and handed to the application when somebody waits,
because the embedded table is for one thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from app import app
from chalicelib import config, runtime
from local.gocardless.__main__ import simulator
from local.gocardless.server import Simulator
from local.network import listen
from local.simulating.front import Server
from tests.http_support import Api
from tests.ministack import free_port
from tests.scenarios.partner import Partner
from tests.scenarios.world import SETTINGS, Line, World

KEY = "not-a-real-key-of-the-paying-scenarios"
WEBHOOK = "/providers/gocardless/webhook/"
FORM = {
    "given_name": "Test",
    "family_name": "Borrower",
    "email": "borrower@example.com",
    "address_line1": "1 Test Street",
    "city": "Leeds",
    "postal_code": "LS1 1AA",
    "country_code": "GB",
    "account_holder_name": "Test Borrower",
    "branch_code": "200000",
    "account_number": "55779911",
}


class Post(deque[tuple[bytes, str]]):
    """Webhooks that have arrived and wait for the application; ``lost`` are dropped."""

    lose = False


class PayingLine(Line):
    """Queues that are not empty while a webhook waits."""

    def __init__(self, post: Post) -> None:
        super().__init__()
        self.post = post

    def empty(self, logical: Iterable[str]) -> bool:
        """As ``Queues.empty``; what has arrived counts."""
        return not self.post and super().empty(logical)


class PayingWorld(World):
    """A runtime whose payments provider is a simulator on loopback."""

    def __init__(self, settings: config.Config, post: Post) -> None:
        super().__init__(settings)
        self.post = post
        self.line = PayingLine(post)

    def _work(self, seconds: float) -> None:
        if self.post:
            body, signature = self.post.popleft()
            headers = {"Webhook-Signature": signature}
            answer = Api(app, None).post(WEBHOOK, raw=body, headers=headers, root=True)
            assert answer.status == 204, answer.text
        super()._work(seconds)


@dataclass
class Paying:
    """A sandbox partner, its world and its organisation at the simulator."""

    world: PayingWorld
    partner: Partner
    api: Api
    url: str
    simulator: Simulator
    partner_id: str

    def control(self, what: str, body: Any = None, method: str = "POST") -> Any:
        """A control call of the simulator."""
        answer = requests.request(
            method,
            f"{self.url}/_control/{what}",
            json=body,
            headers={"X-Partner": self.partner_id},
            timeout=10,
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    def asked(self, match: str) -> list[Any]:
        """The requests to the simulator that ``match``."""
        found = self.control(f"requests?{urlencode({'match': match})}", method="GET")
        return list(found["requests"])

    def works(self) -> None:
        """Let everything that waits be done."""
        while self.world.line.waiting or self.world.post:
            self.world._work(0)

    def mandate(self, end_user: str) -> Any:
        """Ask for a mandate and let the provider answer."""
        body = {"end_user": end_user, "success_url": "https://lender.example.com/done",
                "failure_url": "https://lender.example.com/failed"}  # fmt: skip
        made = self.partner.post("/mandate/", body)
        self.works()
        return made

    def form_of(self, mandate: Any) -> str:
        """Where the end user gets to."""
        path = mandate["authorisation_url"].partition("/direct-debit/")
        answer = self.api.get("/direct-debit/" + path[2], root=True)
        assert answer.status == 302, answer.text
        return answer.headers["location"]

    def signs(self, mandate: Any) -> None:
        """The end user fills in the form; what the provider tells of it is taken in."""
        form = self.form_of(mandate)
        identity = form.rpartition("/")[2]
        assert form.startswith(self.url)
        self.fills_in(identity)
        self.control("drain", {})
        self.works()

    def fills_in(self, identity: str) -> None:
        """The form's steps, by the provider's API for pages of one's own."""
        flow = self.org.records["billing_request_flows"][identity].doc
        where = f"{self.url}/billing_requests/{flow['links']['billing_request']}/actions"
        head = {"Authorization": f"Bearer {self.org.head.access_token}",
                "GoCardless-Version": "2015-07-06"}  # fmt: skip
        detail = ("address_line1", "city", "postal_code", "country_code")
        person = {name: FORM[name] for name in ("given_name", "family_name", "email")}
        account = ("account_holder_name", "branch_code", "account_number", "country_code")
        steps = {
            "collect_customer_details": {
                "customer": person,
                "customer_billing_detail": {name: FORM[name] for name in detail},
            },
            "collect_bank_account": {name: FORM[name] for name in account},
            "confirm_payer_details": {},
            "fulfil": {},
        }
        for name, data in steps.items():
            answer = requests.post(f"{where}/{name}", json={"data": data}, headers=head, timeout=10)
            assert answer.status_code == 200, answer.text

    @property
    def org(self) -> Any:
        """The partner's organisation as the simulator holds it."""
        found = self.simulator.world.of_partner(self.partner_id)
        assert found is not None
        return found


@contextmanager
def paying(directory: Path, **settings: Any) -> Iterator[Paying]:
    """A partner in a new world with a new simulator."""
    post = Post()
    with _receiver(post) as base, _simulated(directory) as (url, simulated):
        known = {"gocardless_url": url, "public_base_url": base, "retry_seconds": 0.01}
        world = PayingWorld(replace(SETTINGS, **{**known, **settings}), post)
        with runtime.use(world):
            partner_id = runtime.bootstrap(KEY)
            api = Api(app, KEY)
            yield Paying(world, Partner(api), api, url, simulated, partner_id)


@contextmanager
def _simulated(directory: Path) -> Iterator[tuple[str, Simulator]]:
    made = simulator(directory, {"GOCARDLESS_HOLD_SECONDS": "1.0"})
    server = Server(listen(free_port()), made)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield server.url, made
    finally:
        made.sender.stop()
        server.shutdown()
        server.server_close()


@contextmanager
def _receiver(post: Post) -> Iterator[str]:
    class Taking(BaseHTTPRequestHandler):
        """Takes webhooks in."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if not post.lose:
                post.append((body, self.headers["webhook-signature"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
