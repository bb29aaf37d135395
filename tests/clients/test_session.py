"""What the client sends, how often, and what comes of the answers; answers are made here."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest

from backbone_client import (
    Client,
    Conflict,
    Invalid,
    NoAnswer,
    NotAuthenticated,
    NotFound,
    NotUnderstood,
    Problem,
    Unavailable,
    session,
)

Answers = Callable[[httpx.Request], httpx.Response]
KEY = "not-a-real-key"
ID = "11111111-1111-4111-8111-111111111111"
CLOCK = {"business_date": "2026-03-02"}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(session, "_pause", waited.append)
    return waited


def client(answers: Answers, **options: Any) -> Client:
    return Client("http://backbone.test", KEY, transport=httpx.MockTransport(answers), **options)


def always(status: int, document: Any = None, **options: Any) -> Answers:
    return lambda _: httpx.Response(status, json=document or {}, **options)


def test_a_lost_post_is_sent_again_under_the_same_key(pauses: list[float]) -> None:
    keys: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) < 4:
            raise httpx.ReadError("gone")
        return httpx.Response(200, json=CLOCK)

    assert client(answers).sandbox.move_clock(date(2026, 3, 2)).business_date == date(2026, 3, 2)
    assert len(keys) == 4
    assert len(set(keys)) == 1
    # Each at most twice the one before, at least half of its own measure.
    assert all(0.125 * 2**n <= pause <= 0.25 * 2**n for n, pause in enumerate(pauses))


def test_two_calls_have_two_keys() -> None:
    keys: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return httpx.Response(200, json=CLOCK)

    api = client(answers)
    api.sandbox.move_clock("2026-03-02")
    api.sandbox.move_clock("2026-03-02")
    assert len(set(keys)) == 2


def test_a_transactions_key_is_in_its_body_and_its_header() -> None:
    seen: list[tuple[str, str]] = []

    def answers(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        seen.append((body["idempotency_key"], request.headers["idempotency-key"]))
        return httpx.Response(409, json={"code": "loan_not_open"})

    for given in ({"idempotency_key": "mine"}, {}):
        with pytest.raises(Conflict):
            client(answers).transactions.create(loan=ID, type="fee", **given)  # type: ignore[typeddict-item]
    assert seen[0] == ("mine", "mine")
    assert seen[1][0] == seen[1][1]
    assert len(seen[1][0]) == 36


@pytest.mark.parametrize(
    ("method", "status", "tries"),
    [("GET", 503, 3), ("PUT", 502, 3), ("DELETE", 504, 3), ("POST", 429, 3), ("PATCH", 503, 1),
     ("GET", 500, 1), ("POST", 409, 1)],
)  # fmt: skip
def test_only_what_may_be_repeated_is(
    method: str, status: int, tries: int, pauses: list[float]
) -> None:
    answer = client(always(status), retries=2).send(method, "/loan/")
    assert (answer.status, answer.tries, len(pauses)) == (status, tries, tries - 1)


@pytest.mark.parametrize(("error", "tries"), [(httpx.ConnectError, 3), (httpx.ReadTimeout, 1)])
def test_a_patch_is_sent_again_only_if_it_never_left(
    error: type[httpx.TransportError], tries: int, pauses: list[float]
) -> None:
    seen: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        raise error("no")

    with pytest.raises(NoAnswer):
        client(answers, retries=2).partner.update(name="x")
    assert seen == ["PATCH"] * tries


def test_what_the_service_says_to_wait_is_waited(pauses: list[float]) -> None:
    client(always(429, headers={"Retry-After": "7"}), retries=1).send("GET", "/loan/")
    assert 7 < pauses[0] < 8
    later = datetime.now(UTC) + timedelta(seconds=30)
    said = {"Retry-After": later.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    client(always(503, headers=said), retries=1).send("GET", "/loan/")
    assert 27 < pauses[1] < 31
    with pytest.raises(Unavailable):  # rather than to sleep for an hour
        client(always(429, headers={"Retry-After": "3600"})).partner.read()
    assert len(pauses) == 2


def test_a_delete_whose_answer_was_lost_has_been_done(pauses: list[float]) -> None:
    answers = iter([httpx.Response(503), httpx.Response(404), httpx.Response(404)])
    api = client(lambda _: next(answers))
    api.api_keys.delete(ID)
    with pytest.raises(NotFound):
        api.api_keys.delete(ID)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Invalid), (401, NotAuthenticated), (404, NotFound), (409, Conflict), (500, Problem)],
)
def test_a_refusal_says_all_that_it_knows(status: int, kind: type[Problem]) -> None:
    document = {
        "title": "Validation error", "status": status, "code": "the_code", "detail": "Two things.",
        "request_id": "r-1", "errors": [{"field": "a.b[1]", "code": "x", "message": "too large"}],
    }  # fmt: skip
    with pytest.raises(kind) as caught:
        client(always(status, document)).partner.read()
    problem = caught.value
    assert (problem.status, problem.code, problem.title) == (status, "the_code", "Validation error")
    assert (problem.detail, problem.request_id) == ("Two things.", "r-1")
    assert [(each.field, each.code) for each in problem.errors] == [("a.b[1]", "x")]
    assert str(problem) == (
        f"GET /api/v1/partner/: {status} the_code (Two things.; a.b[1]: too large)"
    )


def test_a_problem_survives_the_way_to_another_process() -> None:
    with pytest.raises(NotFound) as caught:
        client(always(404, {"code": "not_found", "request_id": "r-1"})).partner.read()
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is NotFound
    assert (str(again), vars(again)) == (str(caught.value), vars(caught.value))


@pytest.mark.parametrize("document", [[], {"errors": "odd"}, {"errors": [3]}, "text"])
def test_a_refusal_of_an_odd_shape_is_a_problem_still(document: Any) -> None:
    with pytest.raises(Conflict):
        client(lambda _: httpx.Response(409, json=document)).partner.read()


def test_the_key_is_in_no_error_and_no_repr(pauses: list[float]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"refused {request.headers['x-api-key']}", request=request)

    api = client(broken)
    assert KEY not in repr(api) + repr(api.loans) + repr(vars(api))
    with pytest.raises(NoAnswer) as caught:
        api.partner.read()
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    for bad in ("with blank", "ké", "line\n", ""):
        with pytest.raises(ValueError, match="api_key: must be") as refused:
            Client("http://backbone.test", bad)
        assert not bad or bad not in str(refused.value)
    secret = {"id": ID, "api_key": KEY}
    assert KEY not in repr(client(always(201, secret)).sandbox.create_partner())


@pytest.mark.parametrize(
    "url", ["backbone.test", "ftp://backbone.test", "https://u:p@backbone.test", "https://b.test/?a=1"]
)  # fmt: skip
def test_a_base_url_is_a_host_and_perhaps_a_path(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Client(url, KEY)


def test_a_stages_path_stays() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        assert request.url == "https://b.test/stage/api/v1/sandbox/clock/"
        return httpx.Response(200, json=CLOCK)

    for url in ("https://b.test/stage", "https://b.test/stage/", "https://b.test/stage/api/v1/"):
        Client(url, KEY, transport=httpx.MockTransport(answers)).sandbox.clock()


def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://elsewhere.test/"})

    with pytest.raises(NotUnderstood, match="redirect"):
        client(answers).partner.read()
    assert seen == ["backbone.test"]


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Client("http://backbone.test", KEY) as api:
        assert not api._session._http._mounts


def test_a_list_is_read_to_its_end_on_the_same_host() -> None:
    seen: list[httpx.URL] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        following = "http://elsewhere.test/other/?limit=200&status=a%2Cb&cursor=c%3D"
        last = "cursor" in request.url.params
        made = {"created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00.5+00:00"}
        key = {"id": ID, "prefix": str(len(seen)), **made}
        page = {"count": 2, "next": None if last else following, "previous": None, "results": [key]}
        return httpx.Response(200, json=page)

    found = list(client(answers).api_keys.iterate(status=["a", "b"]))
    assert [each.prefix for each in found] == ["1", "2"]
    assert found[0].created_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert {(url.host, url.path) for url in seen} == {("backbone.test", "/api/v1/api_key/")}
    assert dict(seen[0].params) == {"limit": "200", "status": "a,b"}
    assert dict(seen[1].params) == {"limit": "200", "status": "a,b", "cursor": "c="}


def test_a_page_that_leads_to_itself_ends_the_list() -> None:
    page = {"count": 9, "next": "http://backbone.test/?cursor=c", "previous": None, "results": []}
    with pytest.raises(NotUnderstood, match="leads to itself"):
        list(client(always(200, page)).loans.iterate())


def test_a_large_csv_is_fetched_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []

    def store(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text="id\r\n1\r\n")

    api = client(lambda _: httpx.Response(303, headers={"Location": "https://store.test/x?s=1"}))
    plain = httpx.Client(transport=httpx.MockTransport(store))
    monkeypatch.setattr(session.httpx, "Client", lambda **_: plain)
    assert api.loans.csv(status="active") == "id\r\n1\r\n"
    assert str(seen[0].url) == "https://store.test/x?s=1"
    assert "x-api-key" not in seen[0].headers


def test_numbers_are_exact_both_ways() -> None:
    sent: list[bytes] = []

    def answers(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(201, text='{"big": 12345678901234567.89, "n": 3}')

    day = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=2)))
    body = {"a": Decimal("12345678901234567.89"), "b": "1.0", "c": [1, True, None],
            "d": date(2026, 3, 2), "e": day, "f": Decimal("1E+3"), "g": "\u00e9\""}  # fmt: skip
    made = client(answers).send("POST", "/x/", body).data
    assert made == {"big": Decimal("12345678901234567.89"), "n": 3}
    read = json.loads(sent[0], parse_float=Decimal)
    assert read == {**body, "d": "2026-03-02", "e": "2026-03-02T07:00:00Z", "f": 1000}


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (1.5, "body.rules.0..weight: a float is not exact"),
        (Decimal("NaN"), "is no number"),
        (datetime(2026, 3, 2), "needs a time zone"),  # noqa: DTZ001
        (object(), "has no exact JSON form"),
    ],
)
def test_what_has_no_exact_form_is_refused_before_it_is_sent(bad: Any, says: str) -> None:
    def answers(_: httpx.Request) -> httpx.Response:
        raise AssertionError("sent")

    with pytest.raises(TypeError, match=says):
        client(answers).scorecards.create(rules=[{"weight": bad}])
    with pytest.raises(TypeError):
        client(answers).loans.list(amount__gte=bad)


def test_a_newer_service_breaks_no_older_client() -> None:
    newer = {**CLOCK, "moon": {"phase": Decimal("0.5")}}
    read = client(
        lambda _: httpx.Response(200, text='{"business_date": "2026-03-02", "moon": 0.5}')
    )
    assert read.sandbox.clock().extra == {"moon": Decimal("0.5")}
    assert newer["business_date"] == str(read.sandbox.clock().business_date)
    health = client(always(200, {"status": "a-new-one", "version": "2"})).health()
    assert health.status == "a-new-one"


@pytest.mark.parametrize(
    ("text", "says"),
    [("<html>", "not JSON"), ('{"business_date": NaN}', "not JSON"),
     ("[]", "is no object"), ("{}", "business_date: is no date"),
     ('{"business_date": "soon"}', "business_date: is no date")],
)  # fmt: skip
def test_an_answer_of_another_shape_is_told_without_its_values(text: str, says: str) -> None:
    with pytest.raises(NotUnderstood, match=says) as caught:
        client(lambda _: httpx.Response(200, text=text)).sandbox.clock()
    assert "soon" not in str(caught.value)


@pytest.mark.parametrize("id", ["", "a/b", "..", "a?b", "a b", "%2e"])
def test_an_id_leads_nowhere_else(id: str) -> None:
    with pytest.raises(ValueError, match="id: must be"):
        client(always(200)).loans.read(id)
