"""The customer's page of the GoCardless simulator in a real browser, by keyboard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Page, browser
from tests.local.gocardless.support import BANK, PERSON, Partner, running

READY = "document.readyState === 'complete' && !!document.querySelector('form')"
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
FOCUSED = "document.activeElement.name || document.activeElement.className"


class Site:
    """The partner's own pages, to which its customers come back."""

    def __init__(self) -> None:
        self.visited: list[str] = []
        visited = self.visited

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                visited.append(self.path)
                body = f"<!doctype html><title>shop</title><h1>{self.path}</h1>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    found = Site()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with running(tmp_path_factory.mktemp("gocardless")) as simulator:
        yield simulator.partner()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium") / "profile") as opened:
        yield opened


def press(page: Page, key: dict[str, Any]) -> None:
    page.send("Input.dispatchKeyEvent", type="keyDown", **key)
    page.send(
        "Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in key.items() if k != "text"}
    )


def types(page: Page, name: str, text: str) -> None:
    """Goes to a field with the Tab key and types."""
    tabs_to(page, name)
    page.send("Input.insertText", text=text)


def tabs_to(page: Page, name: str, value: str | None = None) -> None:
    for _ in range(30):
        if page.says(FOCUSED) == name and value in (
            None,
            page.says("document.activeElement.value"),
        ):
            return
        press(page, TAB)
    raise AssertionError(f"the Tab key does not lead to {name}")


def flow_of(partner: Partner, site: Site, name: str) -> Any:
    prefilled = {"given_name": "Frank", "family_name": "Osborne", "email": PERSON["email"]}
    return partner.flow(
        redirect_uri=f"{site.url}/{name}/success?loan=1",
        exit_uri=f"{site.url}/{name}/failure",
        prefilled_customer=prefilled,
    )


def test_a_customer_fills_in_the_form_by_keyboard(
    page: Page, partner: Partner, site: Site, tmp_path: Path
) -> None:
    flow = flow_of(partner, site, "one")
    page.opens(flow.authorisation_url).until(READY)
    assert page.says("document.querySelector('h1').innerText") == "Set up a Direct Debit"
    assert page.says("document.getElementById('given_name').value") == "Frank"
    for name in ("address_line1", "city", "postal_code"):
        types(page, name, PERSON[name])
    for name, text in {**BANK, "account_number": "12345678"}.items():
        types(page, name, text)
    page.photograph(tmp_path / "form.png")
    tabs_to(page, "choice", "agree")
    press(page, ENTER)
    page.until("document.title.startsWith('Error: ')")
    page.until(f"{FOCUSED} === 'problems'")
    page.photograph(tmp_path / "mistake.png")
    problems = "document.querySelector('.problems').innerText"
    assert "account number 55779911" in page.says(problems)
    assert site.visited == []
    page.says("document.querySelector('.problems a').click()")
    page.until(f"{FOCUSED} === 'account_number'")
    page.says("document.activeElement.select()")
    page.send("Input.insertText", text=BANK["account_number"])
    page.until(f"document.activeElement.value === '{BANK['account_number']}'")
    tabs_to(page, "choice", "agree")
    press(page, ENTER)
    page.until(f"location.href === '{site.url}/one/success?loan=1'")
    assert "/one/success?loan=1" in site.visited
    request = partner.client().billing_requests.get(flow.links.billing_request)
    assert request.status == "fulfilled"
    partner.moves_to("2026-01-07")
    mandate = partner.client().mandates.get(request.links.mandate_request_mandate)
    assert mandate.status == "active"


def test_a_customer_who_leaves(page: Page, partner: Partner, site: Site) -> None:
    flow = flow_of(partner, site, "two")
    page.opens(flow.authorisation_url).until(READY)
    tabs_to(page, "choice", "leave")
    press(page, ENTER)
    page.until(f"location.href === '{site.url}/two/failure'")
    assert "/two/failure" in site.visited
    assert "/two/success?loan=1" not in site.visited
    request = partner.client().billing_requests.get(flow.links.billing_request)
    assert request.status == "pending"


def test_the_pages_ask_no_other_host_and_complain_of_nothing(
    page: Page, partner: Partner, site: Site, tmp_path: Path
) -> None:
    page.opens(partner.url + "/").until("document.querySelectorAll('table').length > 3")
    assert "Organisation" in page.says("document.body.innerText")
    page.photograph(tmp_path / "overview.png")
    hosts = {url.split("/")[2] for url in page.requests if url.startswith("http")}
    assert hosts == {partner.url[7:], site.url[7:]}
    assert [
        words for words in page.complaints if "422" not in words and "favicon" not in words
    ] == []
