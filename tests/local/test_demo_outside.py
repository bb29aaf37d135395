"""The demo's browser, provider and endpoint: what they send, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qs

import httpx
import pytest
from standardwebhooks import Webhook

from backbone_client.lending_records import GoCardlessSimulator
from local.demo_debits import Hook, debits_of, figures, told
from local.demo_outside import Browser, Endpoint, Form, OutsideBroken, Provider, listening

PAGE = """<form method="post" action="/flow/BRF1"><input name="given_name" value="Ada" required>
<input name="address_line2" value=""><input name="account_number" value="" required>
<input id="nameless" value="x"><button name="choice" value="agree">Agree</button>
<button name="choice" value="leave">Leave</button></form>"""
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"


def web(answers: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(answers))


def test_a_form_is_read_as_a_browser_does() -> None:
    form = Form(PAGE)
    assert form.action == "/flow/BRF1"
    assert form.fields == {"given_name": "Ada", "address_line2": "", "account_number": ""}
    assert form.required == {"given_name", "account_number"}
    assert form.buttons == [("choice", "agree"), ("choice", "leave")]


def test_the_browser_types_only_what_is_missing_and_agrees() -> None:
    sent: list[dict[str, list[str]]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, text=PAGE)
        assert request.url.path == "/flow/BRF1"
        sent.append(parse_qs(request.content.decode(), keep_blank_values=True))
        return httpx.Response(303, headers={"Location": "http://shop/done"})

    found = Browser(web(answers)).agrees("http://pay/flow/BRF1", "Ada Example")
    assert found == ("http://shop/done", ("account_number",))
    assert sent == [{"given_name": ["Ada"], "address_line2": [""],
                     "account_number": ["55779911"], "choice": ["agree"]}]  # fmt: skip


@pytest.mark.parametrize(
    ("page", "status", "words"),
    [
        ("<p>closed</p>", 303, "has no form"),
        (PAGE.replace("account_number", "passport"), 303, "also asks for passport"),
        (PAGE, 422, "answered by 422"),
    ],
)
def test_a_form_that_the_story_does_not_know(page: str, status: int, words: str) -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=page) if request.method == "GET" else httpx.Response(status)

    with pytest.raises(OutsideBroken, match=words):
        Browser(web(answers)).agrees("http://pay/flow/BRF1", "Ada Example")


def test_a_link_waits_for_the_provider_and_for_nothing_else() -> None:
    statuses = [503, 302]

    def answers(_: httpx.Request) -> httpx.Response:
        return httpx.Response(statuses.pop(0), headers={"Location": "http://pay/flow/BRF1"})

    assert Browser(web(answers)).follows("http://api/direct-debit/x") == "http://pay/flow/BRF1"
    statuses = [404]
    with pytest.raises(OutsideBroken, match="answers 404"):
        Browser(web(answers)).follows("http://api/direct-debit/x")


def test_lists_are_read_to_their_end_and_refusals_hold_no_token() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer tok"
        if request.url.path != "/payments":
            return httpx.Response(403)
        first = "after" not in request.url.params
        page = {"payments": [{"id": "PM2" if first else "PM1"}],
                "meta": {"cursors": {"after": "PM2" if first else None}}}  # fmt: skip
        return httpx.Response(200, json=page)

    found = GoCardlessSimulator(url="http://pay", access_token="tok", webhook_secret="s",
                                creditor="CR1", scenarios=[])  # fmt: skip
    provider = Provider(found, web(answers))
    assert [one["id"] for one in provider.payments("MD1")] == ["PM2", "PM1"]
    with pytest.raises(OutsideBroken, match="403") as broken:
        provider.events()
    assert "tok" not in str(broken.value)


def test_the_endpoint_checks_every_signature() -> None:
    body = json.dumps({"id": "w1", "event": "loan_is_late", "data": {"id": "L1"}}).encode()
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "w1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("w1", now, body.decode()),
    }
    with listening() as endpoint:
        endpoint.trusts(SECRET)
        for raw in (body, body.replace(b"late", b"fine")):
            assert httpx.post(endpoint.url, content=raw, headers=headers).status_code == 204
        good, forged = endpoint.hooks
    assert (good.event, good.loan, good.flaw) == ("loan_is_late", "L1", "")
    assert forged.flaw == "No matching signature found"


def test_without_a_secret_nothing_is_trusted() -> None:
    endpoint = Endpoint()
    endpoint.takes(b'{"id": "w1", "event": "loan_closed", "data": {}}', {})
    assert endpoint.hooks[0].flaw


def test_a_payments_steps_are_its_own_oldest_first() -> None:
    def event(payment: str, action: str, day: int) -> dict[str, object]:
        return {"resource_type": "payments", "action": action, "links": {"payment": payment},
                "details": {"cause": f"payment_{action}"},
                "created_at": f"2024-01-{day:02}T06:00:00.000Z"}  # fmt: skip

    payment = {"id": "PM1", "amount": 207058, "charge_date": "2024-01-16", "status": "paid_out",
               "metadata": {"transaction": "t1"}}  # fmt: skip
    events = [event("PM1", "confirmed", 17), event("PM1", "resubmission_requested", 11),
              event("PM2", "failed", 11), event("PM1", "failed", 11), event("PM1", "created", 6),
              {"resource_type": "payouts"}]  # fmt: skip
    (found,) = debits_of([payment], events)
    assert [step.action for step in found.steps] == [
        "created", "failed", "resubmission_requested", "confirmed",
    ]  # fmt: skip
    assert (found.amount, found.attempts, found.transaction) == (Decimal("2070.58"), 2, "t1")
    assert (found.when("failed"), found.when("charged_back")) == (date(2024, 1, 11), None)


@pytest.mark.parametrize(
    ("event", "data", "words"),
    [
        ("repayment_due_day_soon", {"amount": Decimal("1070.5"), "due_date": "2024-01-06"},
         "1,070.50, due 6 Jan 2024"),
        ("loan_is_late", {"days_past_due": 1, "next_repayment_amount": Decimal(5)},
         "1 day past due, 5.00 to be paid"),
        ("loan_is_late", {"days_past_due": 6}, "6 days past due"),
        ("loan_closed", {"close_substatus": "paid_in_full"}, "paid in full"),
        ("repayment_created", {"amount": Decimal(5), "provider_transaction_id": "PM1"},
         "5.00, payment PM1"),
        ("an_event_of_next_year", {"amount": 1}, ""),
    ],
)  # fmt: skip
def test_a_webhooks_main_figures_are_in_words(
    event: str, data: dict[str, object], words: str
) -> None:
    assert figures(Hook("w", event, data, "")) == words


def test_a_webhook_that_comes_twice_is_shown_once() -> None:
    hook = Hook("w1", "repayment_result", {"id": "t1", "loan": "L1", "amount": Decimal(1)}, "")
    days = {"w1": date(2024, 1, 6)}
    (found,) = told([hook, Hook(hook.id, hook.event, hook.data, "forged")], days, {"L1": "Missed"})
    assert (found.times, found.whose, found.subject, found.flaw) == (2, "Missed", "t1", "forged")
