"""The whole stack: what may be there once only, asked for many times at once; keys that change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.scenarios.partner import BORROWER, Partner
from tests.scenarios.stack_client import SocketHttp, new_partner
from tests.stack import Stack

AT_ONCE = 20
COMPANY = {"type": "limited_company", "company_name": "Example Ltd"}


@pytest.fixture
def partner(stack: Stack) -> Partner:
    return new_partner(stack)


def at_once(ask: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(AT_ONCE)))


def test_a_person_is_assigned_once(partner: Partner) -> None:
    company = partner.post("/end_user/", COMPANY)["id"]
    path, body = (
        f"/end_user/{company}/assign-enduser/",
        {
            "end_user": partner.borrower(),
            "role": "director",
        },
    )
    answers = at_once(lambda _: partner.http.request("POST", path, body))
    assert Counter(answer.status for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    assert {answer.json["code"] for answer in answers if answer.status == 409} == {"conflict"}
    assert partner.get(path)["count"] == 1


def test_one_address_is_current(partner: Partner) -> None:
    user = partner.post("/end_user/", {**BORROWER, "city": "York"})["id"]
    path = f"/end_user/{user}/address/"
    answers = at_once(lambda n: partner.http.request("POST", path, {"city": f"Town {n}"}))
    assert {answer.status for answer in answers} == {201}
    listed = partner.get(f"{path}?limit=200")["results"]
    [current] = [each for each in listed if each["is_current"]]
    assert len(listed) == AT_ONCE + 1
    assert partner.get(f"/end_user/{user}/")["city"] == current["city"]


def test_never_all_keys_are_revoked(stack: Stack, partner: Partner) -> None:
    first = partner.get("/api_key/")["results"][0]["id"]
    made = [partner.post("/api_key/") for _ in range(4)]
    clients = [SocketHttp(stack.url, each["key"]) for each in made]
    wanted = [first, *(each["id"] for each in made)]
    answers = at_once(
        lambda n: clients[n % 4].request("DELETE", f"/api_key/{wanted[n % len(wanted)]}/")
    )
    # A key that asks may be revoked on the way: from then on it is nobody's.
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {204, 401, 404, 409}
    listed = [http.request("GET", "/api_key/") for http in (*clients, partner.http)]
    left = [answer.json["count"] for answer in listed if answer.status == 200]
    assert left and set(left) == {len(wanted) - statuses[204]}


def test_a_key_is_used_and_says_so(stack: Stack, partner: Partner) -> None:
    fresh = partner.post("/api_key/")
    assert fresh["last_used_at"] is None
    other = SocketHttp(stack.url, fresh["key"])
    for _ in range(50):
        listed = other.request("GET", "/api_key/").ok()["results"]
        [shown] = [each for each in listed if each["id"] == fresh["id"]]
        if shown["last_used_at"] is not None:
            break
    assert shown["last_used_at"] >= fresh["created_at"]
    partner.http.request("DELETE", f"/api_key/{fresh['id']}/").ok(204)
    other.request("GET", "/api_key/").refused("not_authenticated", 401)
