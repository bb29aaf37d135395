"""A mandate on the whole laptop stack: its queues, its simulator, its page, real webhooks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import requests

from tests.scenarios.stack_client import new_partner
from tests.stack import Stack, until

pytestmark = pytest.mark.slow
FIELDS = {
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


def test_from_the_link_to_an_active_mandate(stack: Stack) -> None:
    partner = new_partner(stack)
    partner.goes_to("2026-03-02")
    loan = partner.opens_loan(partner.publishes())
    borrower = loan.now["end_user"]
    links = {"success_url": f"{stack.url}/healthz?done", "failure_url": f"{stack.url}/healthz?left"}
    mandate = partner.post("/mandate/", {"end_user": borrower, **links})

    def form() -> str | None:
        answer = requests.get(mandate["authorisation_url"], allow_redirects=False, timeout=10)
        assert answer.status_code in (302, 503), answer.text
        return answer.headers.get("location")

    where = str(until(form))
    assert where.startswith(stack.run["gocardless_url"])
    ended = fills_in(where)
    assert ended == links["success_url"]
    partner.goes_to(partner.today())
    assert partner.get(f"/mandate/{mandate['id']}/")["status"] == "pending_submission"
    stack.kill_application()
    until(lambda: requests.get(f"{stack.url}/healthz", timeout=10).status_code == 200)
    partner.goes_to(partner.today() + timedelta(days=3))
    shown = partner.get(f"/mandate/{mandate['id']}/")
    assert shown["status"] == "active" and shown["loans"] == [loan.id]
    assert loan.now["mandate"] == mandate["id"]
    events = partner.get("/provider_event/")["results"]
    assert events and {event["outcome"] for event in events} <= {"applied", "ignored"}


def fills_in(where: str) -> str:
    """Post the page's form, step by step, as a browser without scripts does; where it ends."""
    page = requests.get(where, timeout=10).text
    for _ in range(6):
        names = re.findall(r'<(?:input|select|button)[^>]*\bname="([^"]+)"', page)
        hidden = dict(
            re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
        )
        actions = re.findall(r'<button[^>]*name="([^"]+)"[^>]*value="([^"]+)"', page)
        data = {name: FIELDS[name] for name in names if name in FIELDS} | hidden
        data |= dict(actions[:1])
        answer = requests.post(where, data=data, allow_redirects=False, timeout=10)
        if "location" in answer.headers:
            return answer.headers["location"]
        page = answer.text
    raise AssertionError(page)
