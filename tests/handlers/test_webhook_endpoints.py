"""``/webhook_endpoint/`` and ``/webhook/`` over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

import pytest

from app import app
from chalicelib import runtime
from chalicelib.models.keys import WEBHOOK_SECRETS
from tests.http_support import Api
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-webhooks"
URL = "https://partner.example/hooks"


@pytest.fixture
def world() -> Iterator[World]:
    with runtime.use(World()) as used:
        assert isinstance(used, World)
        runtime.bootstrap(KEY)
        used.hosts |= {
            "partner.example": ("8.8.8.8", "2606:4700::1111"),
            "inside.example": ("10.0.0.1",),
            "half.example": ("8.8.8.8", "169.254.169.254"),
        }
        yield used


@pytest.fixture
def api(world: World) -> Api:
    return Api(app, KEY)


def make(api: Api, **more: Any) -> dict[str, Any]:
    return dict(api.post("/webhook_endpoint/", {"url": URL, **more}).ok(201))


def signing(world: World, endpoint: str) -> tuple[str, ...]:
    partner = world.keyring.partner(KEY)
    assert partner is not None
    kept = world.store.get(WEBHOOK_SECRETS, partner.id, endpoint)
    return () if kept is None else kept.value.valid(world.wall)


def test_an_endpoint_is_registered_read_changed_and_deleted(world: World, api: Api) -> None:
    made = make(api)
    secret = made.pop("secret")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert (made["url"], made["events"], made["is_disabled"]) == (URL, ["*"], False)
    where = f"/webhook_endpoint/{made['id']}/"
    assert api.get(where).ok() == api.put(where, {**made, "secret": secret}).ok() == made
    assert api.get("/webhook_endpoint/").ok()["results"] == [made]
    some = {"events": ["loan_closed", "repayment_result"], "is_disabled": True}
    changed = api.patch(where, some).ok()
    assert {name: changed[name] for name in some} == some
    assert signing(world, made["id"]) == (secret,)
    assert api.delete(where).status == 204
    assert signing(world, made["id"]) == ()
    api.get(where).refused("not_found", 404)
    api.delete(where).refused("not_found", 404)


def test_a_secret_is_shown_once(world: World, api: Api, caplog: pytest.LogCaptureFixture) -> None:
    once = {"Idempotency-Key": "an-endpoint"}
    first = api.post("/webhook_endpoint/", {"url": URL}, headers=once).ok(201)
    again = api.post("/webhook_endpoint/", {"url": URL}, headers=once)
    where = f"/webhook_endpoint/{first['id']}/"
    turned = api.post(f"{where}rotate_secret/", headers=once | {"Idempotency-Key": "turn"})
    told = api.post(f"{where}rotate_secret/", headers=once | {"Idempotency-Key": "turn"})
    assert told.ok(201) == {}
    texts = [again.text, told.text, api.get(where).text, api.get("/webhook_endpoint/").text]
    texts += [api.patch(where, {"is_disabled": True}).text]
    texts += [str([vars(line) for line in caplog.records])]
    for secret in (first["secret"], turned.ok(201)["secret"]):
        assert not any(secret in text for text in texts)
    assert signing(world, first["id"]) == (turned.json["secret"], first["secret"])


def test_old_and_new_sign_for_a_day(world: World, api: Api) -> None:
    made = make(api)
    new = api.post(f"/webhook_endpoint/{made['id']}/rotate_secret/").ok(201)
    assert set(new) == {"secret"}
    world.wall += timedelta(hours=23, minutes=59)
    assert signing(world, made["id"]) == (new["secret"], made["secret"])
    world.wall += timedelta(minutes=1)
    assert signing(world, made["id"]) == (new["secret"],)
    api.post(f"/webhook_endpoint/{uuid4()}/rotate_secret/").refused("not_found", 404)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "url", "required"),
        ({"url": "partner.example"}, "url", "wrong_form"),
        ({"url": "http://partner.example/"}, "url", "not_https"),
        ({"url": "https://partner.example:8443/"}, "url", "not_https"),
        ({"url": "https://me:secret@partner.example/"}, "url", "credentials"),
        ({"url": "https://inside.example/"}, "url", "not_public"),
        ({"url": "https://half.example/"}, "url", "not_public"),
        ({"url": "https://nowhere.example/"}, "url", "unresolvable"),
        ({"url": "https://169.254.169.254/latest"}, "url", "not_public"),
        ({"url": "https://[::ffff:127.0.0.1]/"}, "url", "not_public"),
        ({"url": "http://0.0.0.0:9000/"}, "url", "not_https"),
        ({"url": URL, "events": []}, "events", "too_short"),
        ({"url": URL, "events": ["*", "loan_closed"]}, "events", "not_alone"),
        ({"url": URL, "events": ["loan_sold"]}, "events[0]", "unknown_choice"),
        ({"url": URL, "is_disabled": "perhaps"}, "is_disabled", "not_a_boolean"),
    ],
)
def test_endpoints_that_cannot_be(api: Api, body: Any, field: str, code: str) -> None:
    answer = api.post("/webhook_endpoint/", body).refused("validation_error", 400)
    assert answer.fields == {field: code}
    assert "me:secret" not in answer.text
    assert api.get("/webhook_endpoint/").ok()["count"] == 0


def test_another_url_is_checked_and_the_same_is_not(world: World, api: Api) -> None:
    where = f"/webhook_endpoint/{make(api)['id']}/"
    world.hosts.clear()
    assert api.put(where, {"url": URL, "is_disabled": True}).ok()["is_disabled"]
    answer = api.patch(where, {"url": f"{URL}/2"}).refused("validation_error", 400)
    assert answer.fields == {"url": "unresolvable"}
    assert api.get(where).ok()["url"] == URL


def test_this_machine_in_the_sandbox_alone(world: World, api: Api) -> None:
    for url in ("http://localhost:9000/hooks", "http://127.0.0.1:9000/", "http://[::1]:9000/"):
        assert make(api, url=url)["url"] == url
    world.config = replace(world.config, sandbox=False)
    for url in ("http://localhost:9000/hooks", "http://127.0.0.1:9000/", "https://127.0.0.1/"):
        answer = api.post("/webhook_endpoint/", {"url": url}).refused("validation_error", 400)
        assert list(answer.fields) == ["url"]


def test_every_event_that_is_described_can_be_asked_for() -> None:
    from chalicelib.domain.webhooks import ALL, EVENTS
    from chalicelib.handlers.openapi.webhooks import EVENTS as DESCRIBED
    from chalicelib.handlers.webhooks import EventName

    assert get_args(EventName) == (ALL, *EVENTS)
    assert set(DESCRIBED) == set(EVENTS)


def test_endpoints_are_found(api: Api) -> None:
    one, other = make(api), make(api, url=f"{URL}/2", is_disabled=True)
    for query, found in (("is_disabled=true", other), ("url__contains=/2", other)):
        [shown] = api.get(f"/webhook_endpoint/?{query}").ok()["results"]
        assert shown["id"] == found["id"] != one["id"]


def test_nothing_was_sent_yet(api: Api) -> None:
    assert api.get("/webhook/").ok() == {"count": 0, "next": None, "previous": None, "results": []}
    api.get(f"/webhook/{uuid4()}/").refused("not_found", 404)
    api.post(f"/webhook/{uuid4()}/retry/").refused("not_found", 404)
