"""The laptop tools' HTTP client, against answers made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest

from local.http_client import TRIES, HttpClient, Problem

Answers = Callable[[httpx.Request], httpx.Response]


def client(answers: Answers, key: str | None = "not-a-real-key") -> HttpClient:
    return HttpClient("http://127.0.0.1:1", key, httpx.MockTransport(answers), sleep=lambda _: None)


def test_numbers_stay_exact_both_ways() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content)["amount"] == "12345678901234567.89"
        return httpx.Response(201, text='{"amount": 12345678901234567.89, "count": 3}')

    made = client(answers).post("/transaction/", {"amount": Decimal("12345678901234567.89")})
    assert made == {"amount": Decimal("12345678901234567.89"), "count": 3}
    assert isinstance(made["amount"], Decimal)


def test_a_key_is_sent_and_a_list_is_read_to_its_end_on_the_same_host() -> None:
    seen: list[httpx.URL] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        assert request.headers["x-api-key"] == "not-a-real-key"
        if "cursor" in request.url.params:
            return httpx.Response(200, json={"results": [2], "next": None})
        following = "http://elsewhere.test/api/v1/loan/?limit=200&cursor=abc"
        return httpx.Response(200, json={"results": [0, 1], "next": following})

    assert list(client(answers).every("/loan/", status="active")) == [0, 1, 2]
    assert [url.host for url in seen] == ["127.0.0.1", "127.0.0.1"]
    assert dict(seen[0].params) == {"limit": "200", "status": "active"}


def test_what_a_dropped_connection_lost_is_sent_again_under_the_same_key() -> None:
    keys: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) < TRIES:
            raise httpx.RemoteProtocolError("gone")
        return httpx.Response(201, json={"id": "x"})

    assert client(answers).post("/product/", {"name": "p"}) == {"id": "x"}
    assert len(keys) == TRIES
    assert len(set(keys)) == 1


def test_a_transactions_own_key_is_the_header_too() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        assert request.headers["idempotency-key"] == "mine"
        return httpx.Response(201, json={})

    client(answers).post("/transaction/", {"idempotency_key": "mine"})


def test_no_answer_at_all_is_a_problem_without_a_status() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Problem) as caught:
        client(answers).get("/loan/")
    assert caught.value.status == 0
    assert "not-a-real-key" not in str(caught.value)


def test_a_refusal_says_its_code_and_every_flaw() -> None:
    problem = {
        "code": "validation_error",
        "detail": "Two values are wrong.",
        "errors": [{"field": "amount", "code": "x", "message": "is too large"}],
    }
    with pytest.raises(Problem) as caught:
        client(lambda _: httpx.Response(400, json=problem)).post("/loan/", {})
    assert (caught.value.status, caught.value.code) == (400, "validation_error")
    assert "POST /api/v1/loan/" in str(caught.value)
    assert "amount: is too large" in str(caught.value)


def test_an_answer_that_is_no_json_is_a_problem() -> None:
    with pytest.raises(Problem, match="not JSON"):
        client(lambda _: httpx.Response(200, text="<html>")).root("/healthz")
