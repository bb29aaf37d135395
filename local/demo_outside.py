"""Who else is in the demo's story: the borrower's browser, the provider, the partner's endpoint.

None of them is Backbone: the browser and the provider are spoken to over HTTP as anybody would, and
the endpoint is an HTTP server on loopback that checks every signature with the reference
implementation of Standard Webhooks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError, WebhookVerificationError

from backbone_client.lending_records import GoCardlessSimulator
from local.demo_debits import Hook

#: GoCardless's own test account: no other is taken.
BANK = {"branch_code": "200000", "account_number": "55779911"}
VERSION = "2015-07-06"
PAGE = 500
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.1


class Form(HTMLParser):
    """A page's form: where it goes, its fields with what stands in them, and its buttons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.required: set[str] = set()
        self.buttons: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A form, a field or a button."""
        found = dict(attrs)
        name, value = found.get("name") or "", found.get("value") or ""
        if tag == "form":
            self.action = found.get("action") or ""
        elif tag == "input" and name:
            self.fields[name] = value
            if "required" in found:
                self.required.add(name)
        elif tag == "button" and name:
            self.buttons.append((name, value))


class Browser:
    """A browser without JavaScript, for one form.  ``web`` neither follows nor keeps anything."""

    def __init__(self, web: httpx.Client) -> None:
        self._web = web

    def follows(self, link: str) -> str:
        """Where the link leads, once the provider has answered: the form's address."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._web.get(link)
            if answer.status_code == httpx.codes.FOUND:
                return answer.headers["Location"]
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or (
                time.monotonic() > deadline
            ):
                raise OutsideBroken(f"The link to the form answers {answer.status_code}.")
            time.sleep(LOOK_SECONDS)

    def agrees(self, where: str, holder: str) -> tuple[str, tuple[str, ...]]:
        """Fills in what the form does not know yet and agrees.

        Gives where the browser is sent then, and which fields had to be typed.
        """
        form = Form(self._web.get(where).raise_for_status().text)
        if form.action is None or not form.buttons:
            raise OutsideBroken("The provider's page has no form.")
        missing = sorted(name for name in form.required if not form.fields[name])
        typed = {"account_holder_name": holder, **BANK}
        if unknown := [name for name in missing if name not in typed]:
            raise OutsideBroken(f"The form also asks for {', '.join(unknown)}.")
        data = {**form.fields, **{name: typed[name] for name in missing}, **dict(form.buttons[:1])}
        answer = self._web.post(urljoin(where, form.action), data=data)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise OutsideBroken(f"The form is answered by {answer.status_code}.")
        return answer.headers["Location"], tuple(missing)


class OutsideBroken(Exception):
    """The provider, its form or the endpoint did something that the story does not know."""


class Provider:
    """The partner's organisation at the payments provider, by its documented API."""

    def __init__(self, found: GoCardlessSimulator, web: httpx.Client) -> None:
        self._url, self._web = found.url, web
        self._headers = {
            "Authorization": f"Bearer {found.access_token}",
            "GoCardless-Version": VERSION,
        }

    def runs(self, scenario: str, payment: str) -> None:
        """One of the provider's own scenario simulators."""
        self._ask(
            "POST",
            f"/scenario_simulators/{scenario}/actions/run",
            json={"data": {"links": {"resource": payment}}},
        )

    def payments(self, mandate: str) -> list[Mapping[str, Any]]:
        """All of a mandate's payments, newest first."""
        return self._all("payments", {"mandate": mandate})

    def events(self) -> list[Mapping[str, Any]]:
        """Everything that it told of payments, newest first."""
        return self._all("events", {"resource_type": "payments"})

    def _all(self, kind: str, filters: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        after: str | None = ""
        while after is not None:
            more = {"after": after} if after else {}
            query = {**filters, "limit": str(PAGE), **more}
            page = self._ask("GET", f"/{kind}", params=query).json()
            found += page[kind]
            after = page["meta"]["cursors"]["after"]
        return found

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self._web.request(method, self._url + path, headers=self._headers, **more)
        if answer.is_error:
            raise OutsideBroken(f"The provider answers {answer.status_code} to {method} {path}.")
        return answer


class Endpoint:
    """A partner's endpoint for webhooks: what came, each checked as it arrived."""

    def __init__(self) -> None:
        self.url = ""
        self.hooks: list[Hook] = []
        self._secret: str | None = None
        self._lock = threading.Lock()

    def trusts(self, secret: str) -> Self:
        """From now on messages must be signed with this secret."""
        self._secret = secret
        return self

    def takes(self, raw: bytes, headers: Mapping[str, str]) -> None:
        """One message, right or wrong."""
        flaw = ""
        try:
            Webhook(self._secret or "").verify(raw, dict(headers))
        except (WebhookVerificationError, EmptyWebhookSecretError, ValueError) as error:
            flaw = str(error) or type(error).__name__
        hook = Hook.read(raw, flaw)
        with self._lock:
            self.hooks.append(hook)


@contextmanager
def listening() -> Iterator[Endpoint]:
    """An endpoint on loopback while the block lasts."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            endpoint.takes(raw, headers)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/webhooks"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
