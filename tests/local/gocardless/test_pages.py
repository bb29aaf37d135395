"""The customer's page: agreeing, leaving, mistakes, and links that are no longer good."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from tests.local.gocardless.support import BANK, PERSON, Partner, Running

FORM = {**PERSON, **BANK, "choice": "agree"}


class Outline(HTMLParser):
    """What is on a page, as far as the tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inputs: dict[str, dict[str, str | None]] = {}
        self.labels: set[str | None] = set()
        self.ids: list[str] = []
        self.links: list[str | None] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if (identity := found.get("id")) is not None:
            self.ids.append(identity)
        if tag == "input":
            self.inputs[str(found["name"])] = found
        elif tag == "label":
            self.labels.add(found.get("for"))
        elif tag == "a":
            self.links.append(found.get("href"))


def request_of(partner: Partner, flow: Any) -> Any:
    return partner.client().billing_requests.get(flow.links.billing_request)


def actions(partner: Partner, flow: Any) -> list[str]:
    params = {"billing_request": flow.links.billing_request}
    found = partner.client().events.list(params=params).records
    return [e.action for e in found if e.resource_type == "billing_requests"][::-1]


def test_a_customer_agrees(partner: Partner) -> None:
    flow = partner.flow(prefilled_customer={**PERSON, "given_name": "Grace"})
    assert flow.authorisation_url == f"{partner.url}/flow/{flow.id}"
    page = httpx.get(flow.authorisation_url)
    assert page.status_code == 200
    assert Outline(page.text).inputs["given_name"]["value"] == "Grace"
    done = httpx.post(flow.authorisation_url, data={**FORM, "given_name": "Ada"})
    assert done.status_code == 303
    assert done.headers["Location"] == "http://127.0.0.1:9/success"
    request = request_of(partner, flow)
    assert request.status == "fulfilled"
    client = partner.client()
    assert client.customers.get(request.links.customer).given_name == "Ada"
    mandate = client.mandates.get(request.links.mandate_request_mandate)
    assert mandate.status == "pending_submission"
    assert (
        client.customer_bank_accounts.get(mandate.links.customer_bank_account).account_number_ending
        == "11"
    )
    assert actions(partner, flow) == [
        "created",
        "flow_created",
        "flow_visited",
        "collect_customer_details",
        "collect_bank_account",
        "payer_details_confirmed",
        "fulfilled",
    ]
    again = httpx.post(flow.authorisation_url, data=FORM)
    assert again.status_code == 200, "sent twice: said once more, done once"
    assert len(client.mandates.list().records) == 1
    assert "http://127.0.0.1:9/success" in Outline(again.text).links


def test_a_customer_leaves_and_comes_back(partner: Partner) -> None:
    flow = partner.flow()
    httpx.get(flow.authorisation_url)
    httpx.get(flow.authorisation_url)
    left = httpx.post(flow.authorisation_url, data={"choice": "leave"})
    assert (left.status_code, left.headers["Location"]) == (303, "http://127.0.0.1:9/failure")
    assert actions(partner, flow) == ["created", "flow_created", "flow_visited", "flow_exited"]
    assert request_of(partner, flow).status == "pending"
    assert partner.client().mandates.list().records == []
    assert httpx.post(flow.authorisation_url, data=FORM).status_code == 303
    assert request_of(partner, flow).status == "fulfilled"


def test_mistakes_are_named_together_and_nothing_is_kept(partner: Partner) -> None:
    flow = partner.flow()
    wrong = {**FORM, "city": "", "email": "", "account_number": ""}
    answer = httpx.post(flow.authorisation_url, data=wrong)
    assert answer.status_code == 422
    page = Outline(answer.text)
    assert "<title>Error: " in answer.text
    assert page.links == ["#email", "#city", "#account_number"]
    for name in ("email", "city", "account_number"):
        assert page.inputs[name]["aria-invalid"] == "true"
        assert f"{name}-error" in str(page.inputs[name]["aria-describedby"]).split()
        assert f"{name}-error" in page.ids
    assert "aria-invalid" not in page.inputs["given_name"]
    assert page.inputs["given_name"]["value"] == "Frank"
    for bad in ({"email": "nobody"}, {"account_number": "12345678"}, {"branch_code": "x"}):
        answer = httpx.post(flow.authorisation_url, data={**FORM, **bad})
        assert answer.status_code == 422
        assert Outline(answer.text).links[0] in {f"#{name}" for name in (*bad, "account_number")}
    assert request_of(partner, flow).links.attributes.get("customer_bank_account") is None
    assert actions(partner, flow) == ["created", "flow_created"]


def test_every_field_has_its_label_and_nothing_needs_a_script(partner: Partner) -> None:
    flow = partner.flow()
    answer = httpx.get(flow.authorisation_url)
    page = Outline(answer.text)
    assert set(page.inputs) == page.labels
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.tags
    assert page.tags.count("h1") == 1
    assert re.search(r'<html lang="en">', answer.text)
    assert {"main", "fieldset", "legend", "button"} <= set(page.tags)
    for name, found in page.inputs.items():
        assert found["autocomplete"], name
        for described in str(found.get("aria-describedby") or "").split():
            assert described in page.ids
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy


def test_what_was_typed_is_shown_as_text(partner: Partner) -> None:
    flow = partner.flow()
    nasty = '"><img src=x onerror=alert(1)>'
    answer = httpx.post(flow.authorisation_url, data={**FORM, "city": "", "given_name": nasty})
    assert "<img" not in answer.text
    assert Outline(answer.text).inputs["given_name"]["value"] == nasty


def test_links_that_are_no_longer_good(simulator: Running, partner: Partner) -> None:
    assert httpx.get(f"{partner.url}/flow/BRF000000000000").status_code == 404
    cancelled = partner.flow()
    partner.client().billing_requests.cancel(cancelled.links.billing_request)
    for method in ("GET", "POST"):
        answer = httpx.request(method, cancelled.authorisation_url, data=FORM)
        assert answer.status_code == 410
        assert Outline(answer.text).links == ["http://127.0.0.1:9/failure"]
    old = partner.flow()
    partner.moves_to("2026-01-12")
    assert httpx.get(old.authorisation_url).status_code == 200, "a week"
    partner.moves_to("2026-01-13")
    assert httpx.post(old.authorisation_url, data=FORM).status_code == 410
    assert request_of(partner, old).status == "pending"


def test_locked_details_stay_as_they_are(partner: Partner) -> None:
    flow = partner.flow(prefilled_customer=PERSON, lock_customer_details=True)
    page = Outline(httpx.get(flow.authorisation_url).text)
    assert "readonly" in page.inputs["given_name"]
    assert "readonly" not in page.inputs["account_number"]
    httpx.post(flow.authorisation_url, data={**FORM, "given_name": "Mallory"})
    request = request_of(partner, flow)
    assert partner.client().customers.get(request.links.customer).given_name == "Frank"


def test_a_company_and_a_flow_that_does_not_fulfil(partner: Partner) -> None:
    company = {"company_name": "Acme Ltd", "email": "acme@example.com"}
    flow = partner.flow(prefilled_customer=company, auto_fulfil=False)
    page = Outline(httpx.get(flow.authorisation_url).text)
    assert "company_name" in page.inputs
    assert "given_name" not in page.inputs
    form = {name: FORM[name] for name in ("address_line1", "city", "postal_code", *BANK)}
    done = httpx.post(flow.authorisation_url, data={**form, **company})
    assert done.status_code == 303
    request = request_of(partner, flow)
    assert request.status == "ready_to_fulfil"
    assert partner.client().billing_requests.fulfil(request.id).status == "fulfilled"


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "/relative", "http://a b", "ftp://x.test"])
def test_where_customers_are_sent_is_an_address_of_the_web(partner: Partner, uri: str) -> None:
    from gocardless_pro import errors

    with pytest.raises(errors.ValidationFailedError):
        partner.flow(redirect_uri=uri)
