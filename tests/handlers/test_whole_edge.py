"""What holds for every route that is served, over the real application and an embedded table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app import app
from chalicelib import runtime
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.routing import METHODS, Operation, operations
from tests.http_support import Answer, Api
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-whole-edge"
ROWS = [row for row in operations(RESOURCES) if not row.public]
NOBODY = "11111111-2222-4333-8444-555555555555"
PRODUCT = {
    "type": "line_of_credit",
    "name": "Flexi",
    "max_loan_amount": "5000.00",
    "max_interest_rate": "20",
}
ONCE = {"Idempotency-Key": "once"}


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with runtime.use(World()):
        runtime.bootstrap(KEY)
        yield Api(app, KEY)


def named(row: Operation) -> str:
    return row.name


def path_of(row: Operation, end: str = "/") -> str:
    return re.sub(r"\{[a-z]+\}", NOBODY, row.path) + end


def ask(api: Api, row: Operation, query: str = "", **options: Any) -> Answer:
    return api.request(row.method, path_of(row) + query, root=True, **options)


@pytest.mark.parametrize("row", ROWS, ids=named)
class TestEveryRoute:
    def test_needs_a_key(self, api: Api, row: Operation) -> None:
        nobody = ask(api, row, headers={"X-Api-Key": "unknown-key-of-nobody"})
        nobody.refused("not_authenticated", 401)

    def test_is_the_same_without_its_slash(self, api: Api, row: Operation) -> None:
        slash = ask(api, row, "?no_such_parameter=1")
        bare = api.request(row.method, path_of(row, "?no_such_parameter=1"), root=True)
        assert (slash.status, slash.code) == (bare.status, bare.code) == (400, "validation_error")

    def test_names_an_unknown_parameter(self, api: Api, row: Operation) -> None:
        answer = ask(api, row, "?no_such_parameter=1").refused("validation_error", 400)
        assert answer.fields["no_such_parameter"] == "unknown_field"

    def test_says_405_to_other_methods(self, api: Api, row: Operation) -> None:
        served = {other.method for other in ROWS if other.path == row.path}
        for method in set(METHODS) - served:
            answer = api.request(method, path_of(row), root=True)
            assert answer.status == 405
            assert set(answer.headers["allow"].split(", ")) == served


@pytest.mark.parametrize("row", [row for row in ROWS if row.body], ids=named)
class TestEveryBody:
    def test_names_an_unknown_field(self, api: Api, row: Operation) -> None:
        answer = ask(api, row, body={"no_such_field": 1}).refused("validation_error", 400)
        assert answer.fields["no_such_field"] == "unknown_field"

    @pytest.mark.parametrize("raw", [b"{", b"[]", b"NaN", b"\xff", b'{"a": 1, "a": 2}'])
    def test_is_an_object(self, api: Api, row: Operation, raw: bytes) -> None:
        ask(api, row, raw=raw).refused("validation_error", 400)

    def test_is_json(self, api: Api, row: Operation) -> None:
        answer = ask(api, row, body={}, headers={"Content-Type": "text/plain"})
        answer.refused("unsupported_media_type", 415)

    def test_is_at_most_1_mb(self, api: Api, row: Operation) -> None:
        raw = b'{"a": "' + b"x" * 1_000_000 + b'"}'
        ask(api, row, raw=raw).refused("payload_too_large", 413)


@pytest.mark.parametrize("row", [row for row in ROWS if row.collection], ids=named)
@pytest.mark.parametrize("query", ["limit=201", "limit=0", "offset=-1", "limit=x", "cursor=%20"])
def test_every_collection_bounds_its_pages(api: Api, row: Operation, query: str) -> None:
    answer = ask(api, row, f"?{query}").refused("validation_error", 400)
    assert list(answer.fields) == [query.partition("=")[0]]


def test_a_cursor_that_nobody_gave_out(api: Api) -> None:
    api.get("/product/?cursor=x").refused("validation_error", 400)


@pytest.mark.parametrize("row", [row for row in ROWS if "{pk}" in row.path], ids=named)
def test_every_malformed_id_is_404(api: Api, row: Operation) -> None:
    path = re.sub(r"\{[a-z]+\}", "not-an-id", row.path)
    api.request(row.method, path, root=True).refused("not_found", 404)


def test_a_replayed_answer_of_the_real_store(api: Api) -> None:
    first = api.post("/product/", PRODUCT, headers=ONCE)
    again = api.post("/products/product/", {**PRODUCT, "max_loan_amount": 5000}, headers=ONCE)
    assert first.ok(201) == again.ok(201)
    assert again.text == first.text and again.headers["idempotent-replayed"] == "true"
    api.post("/product/", {**PRODUCT, "name": "x"}, headers=ONCE).refused("idempotency_key_reused")
    ids = [result["id"] for result in api.get("/product/?limit=200").ok()["results"]]
    assert ids.count(first.json["id"]) == 1


def test_a_replayed_answer_comes_without_its_secret(api: Api) -> None:
    key = {"Idempotency-Key": "a-partner"}
    first = api.post("/sandbox/partner/", headers=key).ok(201)
    again = api.post("/sandbox/partner/", headers=key)
    assert again.ok(201) == {"id": first["id"]}
    other = Api(app, first["api_key"])
    assert other.get("/product/").ok()["count"] == 0, "another tenant sees nothing of this one"


def test_following_next_over_the_real_store(api: Api) -> None:
    for number in range(5):
        api.post("/product/", {**PRODUCT, "name": f"page {number}"}).ok(201)
    total = api.get("/product/").ok()["count"]
    seen, url, pages = [], "/product/?limit=2", 0
    while url and pages <= total:
        answer = api.get(url).ok()
        assert answer["count"] == total
        seen += [result["id"] for result in answer["results"]]
        url = (answer["next"] or "").removeprefix("http://backbone.test/api/v1")
        pages += 1
    assert len(seen) == len(set(seen)) == total
    by_offset = api.get(f"/product/?limit=200&offset={total - 1}").ok()["results"]
    assert [result["id"] for result in by_offset] == seen[-1:]


def test_health_and_what_is_not_there(api: Api) -> None:
    nobody = Api(app, None)
    assert nobody.get("/healthz/", root=True).ok()["status"] == "ok"
    nobody.get("/no_such_thing/").refused("not_found", 404)
