"""Faults on purpose, and what the simulator says it received."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from gocardless_pro import errors
from requests import ConnectionError, Timeout

from tests.local.gocardless.support import Partner, Running, running
from tests.stack import until


def customer(partner: Partner, **settings: object) -> object:
    params = {"given_name": "Ada", "family_name": "Byron"}
    return partner.client(**settings).customers.create(
        params=params, headers={"Idempotency-Key": "the-key"}
    )


def count(partner: Partner) -> int:
    return len(partner.client().customers.list().records)


def test_a_timeout_does_nothing_and_holds_the_connection(partner: Partner) -> None:
    partner.fails("POST /customers", "timeout", 3)
    begun = time.monotonic()
    with pytest.raises(Timeout):
        customer(partner, timeout=(1, 0.1))
    assert time.monotonic() - begun > 0.3
    until(lambda: len(partner.received("POST /customers")) == 3, 5)
    assert count(partner) == 0
    assert [r["fault"] for r in partner.received("POST /customers")] == ["timeout"] * 3
    assert {r["status"] for r in partner.received("POST /customers")} == {None}
    customer(partner)
    assert count(partner) == 1


def test_a_timeout_ends_without_an_answer(partner: Partner) -> None:
    partner.fails("GET /customers", "timeout", 1)
    begun = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(
            f"{partner.url}/customers",
            headers={"Authorization": f"Bearer {partner.opened['access_token']}"},
        )
    assert time.monotonic() - begun >= 0.6


def test_a_dropped_answer_has_done_the_work(partner: Partner) -> None:
    partner.fails("POST /customers", "drop_answer", 1)
    made = customer(partner)  # the client tries again by itself, and meets the conflict
    assert count(partner) == 1
    first, second = partner.received("POST /customers")
    assert (first["fault"], first["status"], first["response"]) == ("drop_answer", None, None)
    assert second["status"] == 409
    conflict = second["response"]["error"]["errors"][0]["links"]["conflicting_resource_id"]
    assert conflict == made.id  # type: ignore[attr-defined]


def test_an_action_whose_answer_was_dropped_is_not_tried_again_by_the_client(
    partner: Partner,
) -> None:
    mandate = partner.mandate()
    partner.fails("POST /mandates/*/actions/cancel", "drop_answer")
    with pytest.raises(ConnectionError):
        partner.client().mandates.cancel(mandate)
    assert partner.client().mandates.get(mandate).status == "cancelled"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("429", errors.RateLimitError),
        ("500", errors.GoCardlessInternalError),
        ("html502", errors.MalformedResponseError),
    ],
)
def test_errors_that_do_nothing(partner: Partner, kind: str, error: type[Exception]) -> None:
    partner.fails("POST /*", kind, 3)
    with pytest.raises(error) as raised:
        customer(partner)
    assert str(raised.value)
    partner.control("faults", method="DELETE")
    assert count(partner) == 0
    tries = 3 if kind == "html502" else 1
    assert len(partner.received("POST /customers")) == tries, "JSON errors are not tried again"
    customer(partner)


def test_a_fault_is_for_its_requests_its_partner_and_its_times(
    simulator: Running, partner: Partner
) -> None:
    other = simulator.partner("without-faults")
    partner.fails("*", "500", 2)
    partner.fails("POST /payments/*/actions/retry", "429")
    assert count(other) == 0
    for _ in range(2):
        with pytest.raises(errors.GoCardlessInternalError):
            partner.client().mandates.get("MD1")
    with pytest.raises(errors.InvalidApiUsageError):
        partner.client().payments.cancel("PM1")
    with pytest.raises(errors.RateLimitError) as refusal:
        partner.client().payments.retry("PM1")
    assert refusal.value.errors[0]["reason"] == "rate_limit_exceeded"
    left = partner.control("faults", method="GET").json()["faults"]
    assert left == []


def test_what_was_received(partner: Partner) -> None:
    client = partner.client()
    client.customers.create(params={"company_name": "Acme"}, headers={"Idempotency-Key": "k1"})
    client.customers.list(params={"limit": 2})
    partner.moves_to("2026-01-06")
    with pytest.raises(errors.InvalidApiUsageError):
        client.payments.cancel("PM1")
    first, second, third = partner.received()
    assert set(first) == {
        "at", "business_date", "method", "path", "query", "headers", "json", "files", "status",
        "response", "fault",
    }  # fmt: skip
    assert first["headers"]["Idempotency-Key"] == "k1"
    assert first["headers"]["GoCardless-Client-Library"] == "gocardless-pro-python"
    assert first["json"] == {"customers": {"company_name": "Acme"}}
    assert first["response"]["customers"]["company_name"] == "Acme"
    assert (second["method"], second["path"], second["query"]) == (
        "GET",
        "/customers",
        {"limit": "2"},
    )
    assert third["json"] is None, "an action without parameters sends null"
    assert [r["business_date"] for r in (first, third)] == ["2026-01-05", "2026-01-06"]
    assert [r["path"] for r in partner.received("POST /payments/*/actions/*")] == [
        "/payments/PM1/actions/cancel"
    ]


def test_too_many_requests(tmp_path: Path) -> None:
    with running(tmp_path, rate_limit=3) as simulator:
        client = simulator.partner().client()

        def asks_often() -> None:
            for _ in range(8):  # four of them in one minute, whenever it begins
                client.customers.list()

        with pytest.raises(errors.RateLimitError):
            asks_often()
        assert client._api_client.rate_limit.limit == 3
        assert client._api_client.rate_limit.remaining == 0
