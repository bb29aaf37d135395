"""The way of a request: keys, bodies, errors, ids, replays (partner API, Conventions)."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from tests.handlers.toy import KEY, OTHER_KEY, ToyRuntime, toy_app
from tests.http_support import Answer, Api

NOTE = {"name": "first", "amount": "1000.00"}
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def made(api: Api, **more: Any) -> Any:
    return api.post("/note/", {**NOTE, **more}).ok(201)


class TestKeys:
    @pytest.mark.parametrize(
        "key", [None, "", "short", "x" * 300, "unknown-key-of-nobody", "kéyéyéyéy"]
    )
    def test_any_bad_key_is_the_same_401(self, world: ToyRuntime, key: str | None) -> None:
        answer = Api(toy_app(), key).get("/note/").refused("not_authenticated", 401)
        missing = Api(toy_app(), None).get("/note/")
        assert _but_id(answer) == _but_id(missing)

    def test_it_comes_before_the_body_is_looked_at(self, world: ToyRuntime) -> None:
        Api(toy_app(), None).post("/note/", raw=b"{").refused("not_authenticated", 401)

    def test_a_key_is_asked_for_once_a_minute(self, api: Api, world: ToyRuntime) -> None:
        for _ in range(3):
            api.get("/note/").ok()
            api.get("/note/", headers={"X-Api-Key": "unknown-key-of-nobody"}).refused(
                "not_authenticated", 401
            )
        assert len(world.asked) == 2
        assert KEY not in world.asked, "only hashes leave the edge"

    def test_health_needs_none(self, world: ToyRuntime) -> None:
        answer = Api(toy_app(), None).get("/healthz", root=True)
        assert answer.ok() == {"status": "ok", "version": "1.2.3"}


class TestRoutes:
    @pytest.mark.parametrize("path", ["/note", "/note/", "/notes/note", "/notes/note/"])
    def test_slash_and_alias_make_no_difference(self, api: Api, path: str) -> None:
        id = api.post(path, NOTE).ok(201)["id"]
        assert api.get(path).ok()["count"] == 1
        for end in ("", "/"):
            assert api.get(f"{path.rstrip('/')}/{id}{end}").ok()["id"] == id

    @pytest.mark.parametrize("path", ["/nothing", "/note/x/y/z/", "/../note", ""])
    def test_an_unknown_route_is_404(self, api: Api, path: str) -> None:
        api.get(path).refused("not_found", 404)

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("DELETE", "/note/", "GET, POST"),
            ("OPTIONS", "/note", "GET, POST"),
            ("POST", f"/note/{UNKNOWN}/", "GET, PUT, PATCH, DELETE"),
            ("PUT", f"/note/{UNKNOWN}/sum", "GET"),
        ],
    )
    def test_a_wrong_method_is_405(self, api: Api, method: str, path: str, allow: str) -> None:
        answer = api.request(method, path).refused("method_not_allowed", 405)
        assert answer.headers["allow"] == allow

    def test_head_has_no_body(self, api: Api) -> None:
        answer = api.request("HEAD", "/note/")
        assert (answer.status, answer.text) == (405, "")
        assert answer.headers["allow"] == "GET, POST"

    @pytest.mark.parametrize("id", ["1", "not-a-uuid", "%27", UNKNOWN, UNKNOWN + "0", "x" * 500])
    def test_an_id_that_names_nothing_is_404(self, api: Api, id: str) -> None:
        api.get(f"/note/{id}/").refused("not_found", 404)

    def test_an_id_in_capitals_is_the_same_id(self, api: Api) -> None:
        id = made(api)["id"]
        assert api.get(f"/note/{id.upper()}/").ok()["id"] == id

    def test_two_variables_and_other_content(self, api: Api) -> None:
        answer = api.get(f"/note/{UNKNOWN}/page/{UNKNOWN}/")
        assert answer.text == f"<p>{UNKNOWN} {UNKNOWN}</p>"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"

    def test_a_deleted_thing_answers_nothing(self, api: Api) -> None:
        answer = api.delete(f"/note/{made(api)['id']}/")
        assert (answer.status, answer.text) == (204, "")


class TestBodies:
    @pytest.mark.parametrize(
        "raw",
        [
            b"{",
            b"",
            b"null",
            b"[]",
            b'"text"',
            b"1",
            b'{"name": "a", "amount": NaN}',
            b'{"name": "a", "amount": Infinity}',
            b'{"name": "a", "amount": -Infinity}',
            b'{"name": "a", "amount": 1,}',
            b'\xff\xfe{"name": "a"}',
            b'{"name": "\xc3\x28", "amount": 1}',
            b'{"name": "\\ud800", "amount": 1}',
            b'{"name": "a", "name": "b", "amount": 1}',
            b'{"name": "a", "amount": ' + b"9" * 5000 + b"}",
            b'{"name": "a", "amount": 1e999999999}',
            b'{"name": "a", "amount": 1e-999999999}',
            b'{"name": "a", "amount": 1, "custom": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"name": "a", "amount": 1, "custom": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
            b'{"name": "a", "amount": 1} x',
        ],
    )
    def test_what_is_no_object_is_400(self, api: Api, world: ToyRuntime, raw: bytes) -> None:
        api.post("/note/", raw=raw).refused("validation_error", 400)
        assert _store(world).notes == {}

    def test_a_field_given_twice_is_named(self, api: Api) -> None:
        answer = api.post("/note/", raw=b'{"rules": [{"weight": 1, "weight": 2}]}')
        assert answer.refused("validation_error", 400).fields == {"weight": "duplicate_field"}

    def test_over_1_mb_is_413(self, api: Api) -> None:
        raw = json.dumps({**NOTE, "custom": {"x": "y" * 1_000_000}}).encode()
        api.post("/note/", raw=raw).refused("payload_too_large", 413)
        fits = json.dumps({**NOTE, "custom": {"x": "y" * 900_000}}).encode()
        api.post("/note/", raw=fits).ok(201)

    @pytest.mark.parametrize(
        "kind",
        [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin-1",
            "application/jsonp",
            "application/octet-stream",
            "",
        ],
    )
    def test_another_content_type_is_415(self, api: Api, kind: str) -> None:
        answer = api.post("/note/", NOTE, headers={"Content-Type": kind})
        answer.refused("unsupported_media_type", 415)

    @pytest.mark.parametrize(
        "kind", ["application/json", "APPLICATION/JSON; charset=UTF-8", "application/merge+json"]
    )
    def test_json_by_any_of_its_names(self, api: Api, kind: str) -> None:
        api.post("/note/", NOTE, headers={"Content-Type": kind}).ok(201)

    def test_a_body_encoded_by_the_gateway(self, api: Api, world: ToyRuntime) -> None:
        event = _event("POST", "/api/v1/note", json.dumps(NOTE).encode())
        answer = toy_app()(event, None)
        assert answer["statusCode"] == 201, answer
        event["body"] = "no base 64"
        assert json.loads(toy_app()(event, None)["body"])["code"] == "validation_error"

    def test_every_flaw_is_listed_at_once(self, api: Api) -> None:
        body = {
            "amount": "1.234",
            "rate": -1,
            "installments": 601,
            "colour": "red",
            "rules": [{"weight": 1}, {"weight": "x", "kind": "other"}, 7],
            "owner": "'ec0e'",
            "open": "yes",
        }
        answer = api.post("/note/?shape=round", body).refused("validation_error", 400)
        assert answer.fields == {
            "name": "required",
            "amount": "too_many_decimals",
            "rate": "too_small",
            "installments": "too_large",
            "colour": "unknown_field",
            "rules[1].weight": "not_a_number",
            "rules[1].kind": "unknown_choice",
            "rules[2]": "not_an_object",
            "owner": "not_a_uuid",
            "open": "not_a_boolean",
            "shape": "unknown_field",
        }

    def test_sensitive_values_are_never_repeated(self, api: Api) -> None:
        body = {**NOTE, "birth_date": "31.12.1999", "sort_code": "no-code", "key": "k3y"}
        answer = api.post("/note/", body).refused("validation_error", 400)
        assert set(answer.fields) == {"birth_date", "sort_code", "key"}
        assert not any(value in answer.text for value in ("31.12.1999", "no-code", "k3y"))

    def test_what_was_read_may_be_sent_back(self, api: Api) -> None:
        body = {**NOTE, "id": "x", "status": "old", "created_at": "then", "updated_at": None}
        api.post("/note/", body).ok(201)

    def test_put_is_whole_and_patch_is_what_was_sent(self, api: Api, world: ToyRuntime) -> None:
        id = made(api)["id"]
        assert api.patch(f"/note/{id}/", {"amount": 5}).ok()["name"] == "first"
        assert _store(world).changes[-1] == {"amount": Decimal(5)}
        api.patch(f"/note/{id}/", {"name": None}).refused("validation_error", 400)
        put = api.put(f"/note/{id}/", {"amount": 5}).refused("validation_error", 400)
        assert put.fields == {"name": "required"}
        api.put(f"/note/{id}/", NOTE).ok()
        assert _store(world).changes[-1]["rate"] == Decimal(5)

    def test_an_action_takes_nothing(self, api: Api) -> None:
        id = made(api)["id"]
        for options in ({}, {"body": {}}, {"body": {"id": id}}):
            answer = api.post(f"/note/{id}/close/", **options)
            assert answer.status == 202 and answer.headers["location"] == "/elsewhere"
        api.post(f"/note/{id}/close/", {"x": 1}).refused("validation_error", 400)

    def test_money_goes_in_and_out_exactly(self, api: Api) -> None:
        answer = api.post("/note/", {**NOTE, "amount": Decimal("123456789012.30"), "rate": "7.50"})
        assert '"amount":123456789012.30,"amount_text":"123456789012.30"' in answer.text
        assert '"rate":7.5,' in answer.text
        assert '"day":"2024-03-01","created_at":"2024-03-01T09:30:00Z"' in answer.text


class TestQueries:
    def test_values_of_a_query(self, api: Api) -> None:
        answer = api.get(f"/note/{UNKNOWN}/sum/?amount=10.50&count=3&start_date=2024-02-29")
        assert answer.ok() == {"total": Decimal("31.50"), "start_date": "2024-02-29"}

    def test_bad_parameters_are_named(self, api: Api) -> None:
        answer = api.get(f"/note/{UNKNOWN}/sum/?count=x&start_date=2024-02-30&other=1&amount=")
        assert answer.refused("validation_error", 400).fields == {
            "count": "not_an_integer",
            "start_date": "not_a_date",
            "other": "unknown_field",
            "amount": "not_a_number",
        }
        twice = api.get(f"/note/{UNKNOWN}/sum/?amount=1&amount=2")
        assert twice.refused("validation_error", 400).fields == {"amount": "repeated"}

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=201", "limit=x", "offset=-1", "cursor=%20"]
    )
    def test_a_page_out_of_bounds(self, api: Api, query: str) -> None:
        api.get(f"/note/?{query}").refused("validation_error", 400)

    def test_following_next_shows_everything_once(self, api: Api) -> None:
        names = [made(api, name=f"n{number}")["name"] for number in range(5)]
        seen, url = [], "/note/?limit=2&name=any"
        while url and len(seen) < 9:
            answer = api.get(url).ok()
            assert answer["count"] == 5
            seen += [result["name"] for result in answer["results"]]
            url, last = (answer["next"] or "").removeprefix("http://backbone.test/api/v1"), answer
        assert seen == names[::-1]
        base = "http://backbone.test/api/v1/note/"
        assert last["previous"] == f"{base}?name=any&limit=2&offset=2"
        first = api.get("/note/?limit=2").ok()
        assert first["previous"] is None
        assert first["next"] == f"{base}?limit=2&offset=2&cursor=c2"


class TestErrors:
    def test_the_shape_of_a_refusal(self, api: Api) -> None:
        answer = api.post("/note/", {**NOTE, "name": "refuse"}, headers={"X-Request-Id": "r.1"})
        assert answer.refused("credit_limit_exceeded").json == {
            "type": "https://backbone.example/errors/credit-limit-exceeded",
            "title": "Credit limit exceeded",
            "status": 409,
            "code": "credit_limit_exceeded",
            "detail": "1500.00 of 1000.00.",
            "request_id": "r.1",
            "errors": [],
        }

    def test_the_domains_flaws(self, api: Api) -> None:
        answer = api.post("/note/flawed/").refused("validation_error", 400)
        assert answer.fields == {"default_rate": "too_large", "name": "x"}

    def test_a_fault_says_nothing_of_its_cause(self, api: Api, world: ToyRuntime) -> None:
        answer = api.post("/note/", {**NOTE, "name": "crash"}).refused("internal_error", 500)
        assert "secret cause" not in answer.text and "Traceback" not in answer.text
        (logged,) = [line for line in world.lines() if line["level"] == "ERROR"]
        assert logged["request_id"] == answer.json["request_id"]
        assert "secret cause" in logged["exception"]

    def test_a_store_that_is_down(self, api: Api) -> None:
        answer = api.post("/note/", {**NOTE, "name": "down"}).refused("unavailable", 503)
        assert answer.headers["retry-after"] == "1"

    def test_what_must_be_unique(self, api: Api) -> None:
        api.post("/note/", {**NOTE, "name": "taken"}).refused("conflict")

    def test_a_broken_event_is_answered_too(self, world: ToyRuntime) -> None:
        for event in (None, {}, {"requestContext": None}, {"requestContext": {"resourcePath": 1}}):
            assert toy_app()(event, None)["statusCode"] == 404
        event = {"requestContext": {"resourcePath": "/healthz"}}
        answer = toy_app()(event, None)
        assert json.loads(answer["body"])["code"] == "internal_error"
        assert answer["headers"]["X-Request-Id"]

    def test_a_method_that_no_path_can_have(self, world: ToyRuntime) -> None:
        where = {"resourcePath": "/api/v1/note", "httpMethod": "TRACE"}
        answer = toy_app()({"requestContext": where}, None)
        assert json.loads(answer["body"])["code"] == "method_not_allowed"
        assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, POST")


class TestRequestIds:
    @pytest.mark.parametrize("path", ["/note/", "/nothing/", "/note/1/"])
    def test_the_callers_own_is_kept(self, api: Api, path: str) -> None:
        if path != "/nothing/":
            answer = api.get(path, headers={"X-Request-Id": "Mine-1_2.3"})
            assert answer.headers["x-request-id"] == "Mine-1_2.3"
        assert api.get(path).headers["x-request-id"]

    @pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "é", '"'])
    def test_another_is_replaced(self, api: Api, given: str) -> None:
        found = api.get("/note/", headers={"X-Request-Id": given}).headers["x-request-id"]
        assert len(found) == 36

    def test_one_log_line_a_request_without_its_content(self, api: Api, world: ToyRuntime) -> None:
        api.post("/note/", {**NOTE, "sort_code": "123456"}, headers={"X-Request-Id": "r-1"})
        api.get(f"/note/{UNKNOWN}/sum/?amount=77.77")
        first, second = world.lines()
        assert first["request_id"] == "r-1"
        assert (first["method"], first["route"]) == ("POST", "/api/v1/note")
        assert (first["status"], first["partner"]) == (201, "p1")
        assert first["ms"] >= 0
        assert second["route"] == "/api/v1/note/{pk}/sum"
        out = world.output.getvalue()
        assert not any(value in out for value in (KEY, "123456", "77.77", "1000.00"))

    def test_it_is_measured_by_its_route_and_never_by_what_was_asked(
        self, api: Api, world: ToyRuntime
    ) -> None:
        lines: list[str] = []
        world.metrics.write = lines.append
        api.get(f"/note/{UNKNOWN}/")
        toy_app()({"requestContext": {"resourcePath": "/no/such", "httpMethod": "GET"}}, None)
        api.post("/note/", {**NOTE, "name": "crash"})
        api.post("/note/", {**NOTE, "name": "down"})
        told = [json.loads(line) for line in lines]
        answers = [line["answer"] for line in told if "Requests" in line]
        assert answers == ["4xx", "4xx", "5xx", "503"]
        assert {line["route"] for line in told if "RequestLatency" in line} >= {"POST /note"}
        assert [line["route"] for line in told if "ServerErrors" in line] == ["POST /note"]
        assert UNKNOWN not in "".join(lines) and "no/such" not in "".join(lines)

    def test_measuring_changes_no_answer(self, api: Api, world: ToyRuntime) -> None:
        def broken(_: str) -> None:
            raise OSError("no room")

        world.metrics.write = broken
        api.post("/note/", NOTE).ok(201)


class TestIdempotency:
    HEADERS: ClassVar[dict[str, str]] = {"Idempotency-Key": "one"}

    def test_the_same_request_again_is_the_first_answer(self, api: Api, world: ToyRuntime) -> None:
        first = api.post("/note/", NOTE, headers=self.HEADERS)
        again = api.post("/notes/note", {"amount": 1000, "name": "first"}, headers=self.HEADERS)
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert first.ok(201).pop("key") == "shown-once"
        assert again.ok(201) == first.json
        assert len(_store(world).notes) == len(world.sent) == 1

    def test_the_key_with_another_request(self, api: Api, world: ToyRuntime) -> None:
        id = api.post("/note/", NOTE, headers=self.HEADERS).ok(201)["id"]
        for path, body in (("/note/", {**NOTE, "amount": 1}), (f"/note/{id}/close/", None)):
            api.post(path, body, headers=self.HEADERS).refused("idempotency_key_reused")
        assert len(_store(world).notes) == 1

    def test_keys_belong_to_a_partner(self, api: Api, world: ToyRuntime) -> None:
        api.post("/note/", NOTE, headers=self.HEADERS).ok(201)
        other = {**self.HEADERS, "X-Api-Key": OTHER_KEY}
        assert "idempotent-replayed" not in api.post("/note/", NOTE, headers=other).headers
        assert len(_store(world).notes) == 2

    def test_a_refused_request_is_not_remembered(self, api: Api, world: ToyRuntime) -> None:
        refused = {**NOTE, "name": "refuse"}
        for _ in range(2):
            api.post("/note/", refused, headers=self.HEADERS).refused("credit_limit_exceeded")
        assert _store(world).attempts == 2
        api.post("/note/", NOTE, headers=self.HEADERS).ok(201)

    @pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\tb", "é", "a\x00"])
    def test_a_key_that_is_none(self, api: Api, key: str) -> None:
        answer = api.post("/note/", NOTE, headers={"Idempotency-Key": key})
        assert answer.refused("validation_error", 400).fields == {"Idempotency-Key": "wrong_form"}

    def test_a_lost_race_for_the_key_is_a_replay(self, api: Api, world: ToyRuntime) -> None:
        store = _store(world)

        def another_was_faster() -> None:
            store.before_commit = lambda: None
            api.post("/note/", NOTE, headers=self.HEADERS).ok(201)

        store.before_commit = another_was_faster
        answer = api.post("/note/", NOTE, headers=self.HEADERS)
        assert answer.headers["idempotent-replayed"] == "true"
        assert list(store.notes) == [answer.ok(201)["id"]]

    def test_a_key_kept_by_the_use_case(self, api: Api) -> None:
        body = {"amount": 5, "idempotency_key": "mine"}
        assert "idempotent-replayed" not in api.post("/note/keyed/", body).headers
        in_header = api.post("/note/keyed/", {"amount": "5"}, headers={"Idempotency-Key": "mine"})
        assert in_header.ok(201)["total"] == 5
        assert in_header.headers["idempotent-replayed"] == "true"
        api.post("/note/keyed/", {**body, "amount": 6}).refused("idempotency_key_reused")
        differ = api.post("/note/keyed/", body, headers={"Idempotency-Key": "other"})
        assert differ.refused("validation_error", 400).fields == {"idempotency_key": "keys_differ"}
        none = api.post("/note/keyed/", {"amount": 5}).refused("validation_error", 400)
        assert none.fields == {"idempotency_key": "required"}


class TestRaces:
    def test_a_lost_race_is_run_again(self, api: Api, world: ToyRuntime) -> None:
        _store(world).lose_races = 3
        made(api)
        assert _store(world).attempts == 4
        assert _store(world).pauses == 3 and len(world.sent) == 1

    def test_until_time_is_up(self, api: Api, world: ToyRuntime) -> None:
        _store(world).lose_races = 99
        api.post("/note/", NOTE).refused("conflict")
        assert _store(world).notes == {} and world.sent == []


def _store(world: ToyRuntime) -> Any:
    return world.store


def _but_id(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in answer.json.items() if name != "request_id"}


def _event(method: str, route: str, body: bytes) -> dict[str, Any]:
    return {
        "requestContext": {"httpMethod": method, "resourcePath": route, "path": route},
        "headers": {"X-Api-Key": KEY, "Content-Type": "application/json"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
