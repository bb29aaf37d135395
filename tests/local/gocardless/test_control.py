"""The control routes: organisations, the clock, keys, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from local.gocardless.scenarios import SCENARIOS
from tests.local.gocardless.support import Partner, Running


def test_an_organisation_is_made_once(simulator: Running) -> None:
    url, headers = f"{simulator.url}/_control/organisations", {"X-Partner": "once"}
    first = httpx.post(url, headers=headers)
    again = httpx.post(url, headers=headers, json={})
    assert (first.status_code, again.status_code) == (201, 200)
    made = first.json()
    assert again.json() == made
    assert made["scenarios"] == sorted(SCENARIOS)
    assert made["webhook_url"] == simulator.endpoint.url
    assert made["creditor"].startswith("CR")
    changed = httpx.post(url, headers=headers, json={"webhook_url": "http://127.0.0.1:9/x"})
    assert changed.json() == {**made, "webhook_url": "http://127.0.0.1:9/x"}
    other = httpx.post(url, headers={"X-Partner": "another"}).json()
    for secret in ("access_token", "webhook_secret", "creditor", "organisation"):
        assert other[secret] != made[secret]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("clock", {}, 400),
        ("clock", {"business_date": "tomorrow"}, 400),
        ("clock", [], 400),
        ("faults", {"match": "POST /payments", "kind": "flood"}, 400),
        ("faults", {"match": "payments", "kind": "500"}, 400),
        ("faults", {"kind": "500"}, 400),
        ("faults", {"match": "*", "kind": "500", "times": 0}, 400),
        ("events", {"resource_type": "loans", "action": "x"}, 400),
        ("events", {"resource_type": "payments", "action": "failed"}, 400),
        ("public-keys", {"id": "k", "public_key_pem": "no key"}, 400),
        ("organisations", {"webhook_url": "javascript:alert(1)"}, 400),
        ("nothing", {}, 404),
    ],
)
def test_what_is_refused(partner: Partner, path: str, body: Any, status: int) -> None:
    answer = partner.control(path, body)
    assert answer.status_code == status, answer.text
    assert "error" in answer.json()


def test_whose_organisation_is_meant_must_be_said(simulator: Running) -> None:
    for headers, status in (({}, 400), ({"X-Partner": "nobody"}, 404)):
        body = {"business_date": "2026-01-06"}
        answer = httpx.post(f"{simulator.url}/_control/clock", json=body, headers=headers)
        assert answer.status_code == status


def test_the_control_routes_are_for_this_machine(partner: Partner) -> None:
    headers = {"X-Partner": partner.name, "Host": "example.com"}
    answer = httpx.get(f"{partner.url}/_control/requests", headers=headers)
    assert answer.status_code == 403
    assert partner.control("clock", method="GET").status_code == 405


def test_each_organisation_has_its_own_date(simulator: Running, partner: Partner) -> None:
    other = simulator.partner(f"{partner.name}-other")
    mandate = partner.mandate(active=False)
    partner.moves_to("2026-01-07")
    assert partner.client().mandates.get(mandate).status == "active"
    assert other.moves_to("2026-01-05")["business_date"] == "2026-01-05"
    assert other.moves_to("2025-01-01")["business_date"] == "2025-01-01", "it has no mandate"
    backwards = partner.control("clock", {"business_date": "2026-01-06"})
    assert (backwards.status_code, backwards.json()["code"]) == (409, "clock_backwards")
    forced = partner.control("clock", {"business_date": "2026-01-06", "reset": True})
    assert forced.json()["business_date"] == "2026-01-06"


def test_an_event_with_any_cause(simulator: Running, partner: Partner) -> None:
    mandate = partner.mandate()
    answer = partner.control(
        "events",
        {
            "resource_type": "mandates",
            "action": "cancelled",
            "links": {"mandate": mandate},
            "details": {
                "origin": "bank",
                "cause": "bank_account_closed",
                "reason_code": "ADDACS-2",
            },
        },
    )
    assert answer.status_code == 201
    (event,) = answer.json()["events"]
    assert partner.client().mandates.get(mandate).status == "cancelled"
    partner.control("drain")
    last = simulator.endpoint.events(partner.secret)[-1]
    assert last.id == event["id"]
    assert (last.details.cause, last.details.reason_code) == ("bank_account_closed", "ADDACS-2")
    again = partner.control(
        "events",
        {"resource_type": "mandates", "action": "cancelled", "links": {"mandate": mandate}},
    )
    assert again.status_code == 409


def test_the_page_says_what_it_holds_and_no_secret(partner: Partner) -> None:
    client, mandate = partner.client(), partner.mandate()
    params = {"amount": 123_456, "currency": "GBP", "links": {"mandate": mandate}}
    payment = client.payments.create(params=params)
    partner.fails("POST /payments", "500", 7)
    answer = httpx.get(f"{partner.url}/")
    text = answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for shown in (mandate, payment.id, "1234.56", "POST /payments", partner.name, "<caption>"):
        assert shown in text
    for hidden in ("access_token", "webhook_secret"):
        assert partner.opened[hidden] not in text
    assert "Osborne" not in text
