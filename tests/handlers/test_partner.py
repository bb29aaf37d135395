"""``/partner/`` and ``/api_key/`` over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app import app
from chalicelib import runtime
from chalicelib.usecases.keyring import Keyring
from tests.handlers.risk_support import between
from tests.http_support import Api
from tests.scenarios.partner import Partner
from tests.scenarios.world import World

FIRST = "not-a-real-key-of-the-partner"


class Here:
    """A world with one partner, and a container's clock that is moved."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seconds = 0.0
        self.world.keyring = Keyring(world.identify, lambda: self.seconds)  # type: ignore[misc]
        self.api = Api(app, FIRST)

    def key(self) -> dict[str, Any]:
        return dict(self.api.post("/api_key/").ok(201))

    def listed(self) -> list[Any]:
        return list(self.api.get("/api_key/").ok()["results"])


@pytest.fixture
def here() -> Iterator[Here]:
    world = World()
    with runtime.use(world):
        runtime.bootstrap(FIRST)
        yield Here(world)


# --- settings -------------------------------------------------------------------------------------


def test_the_settings(here: Here) -> None:
    shown = here.api.get("/partner/").ok()
    assert set(shown) == {
        "id", "name", "currency", "calendar", "timezone", "disbursement_provider", "created_at",
        "updated_at",
    }  # fmt: skip
    assert (shown["currency"], shown["calendar"]) == ("GBP", "GB-ENG")
    assert (shown["timezone"], shown["disbursement_provider"]) == ("Europe/London", "manual")


def test_a_change_holds_at_once(here: Here) -> None:
    settings = {
        "name": "Example Lending",
        "currency": "EUR",
        "calendar": "DE-BY",
        "timezone": "Europe/Berlin",
    }
    changed = here.api.patch("/partner/", settings).ok()
    assert {name: changed[name] for name in settings} == settings
    assert here.api.get("/partner/").ok() == changed
    held = here.world.keyring.partner(FIRST)
    assert held is not None and held.calendar == "DE-BY"
    assert here.api.patch("/partner/", {}).ok()["name"] == "Example Lending"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("currency", "gbp"),
        ("currency", "UKP"),
        ("currency", "JPY"),
        ("calendar", "XX-ENG"),
        ("calendar", "GB-XXX"),
        ("calendar", "England"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("timezone", "Europe"),
        ("disbursement_provider", "barter"),
        ("sandbox", False),
        ("shards", 7),
        ("keys", 9),
    ],
)
def test_settings_that_cannot_be(here: Here, field: str, value: Any) -> None:
    before = here.api.get("/partner/").ok()
    answer = here.api.patch("/partner/", {field: value}).refused("validation_error", 400)
    assert list(answer.fields) == [field]
    assert here.api.get("/partner/").ok() == before


def test_loans_fix_the_currency(here: Here) -> None:
    partner = Partner(here.api)
    partner.opens_loan(partner.publishes())
    here.api.patch("/partner/", {"currency": "EUR"}).refused("invalid_status")
    here.api.patch("/partner/", {"currency": "GBP", "name": "Same money"}).ok()


# --- keys -----------------------------------------------------------------------------------------


def test_keys_are_changed_without_a_pause(here: Here) -> None:
    [first] = here.listed()
    new = here.key()
    assert new["key"].startswith(new["prefix"]) and len(new["key"]) > 40
    after = Api(app, new["key"])
    assert after.get("/partner/").ok() == here.api.get("/partner/").ok()
    assert after.delete(f"/api_key/{first['id']}/").status == 204
    here.api.get("/partner/").refused("not_authenticated", 401)
    assert [each["id"] for each in after.get("/api_key/").ok()["results"]] == [new["id"]]
    after.delete(f"/api_key/{first['id']}/").refused("not_found", 404)


def test_a_key_is_shown_once(here: Here, caplog: pytest.LogCaptureFixture) -> None:
    once = {"Idempotency-Key": "make-me-a-key"}
    made = here.api.post("/api_key/", headers=once).ok(201)
    again = here.api.post("/api_key/", headers=once).ok(201)
    assert again == {name: value for name, value in made.items() if name != "key"}
    listed = here.api.get("/api_key/")
    assert listed.ok()["count"] == 2
    for text in (listed.text, caplog.text, str([vars(line) for line in caplog.records])):
        assert made["key"] not in text
    record = here.world.store._record
    raw = str(
        list(record.table().connection.client.scan(TableName=record.Meta.table_name)["Items"])
    )
    assert made["prefix"] in raw and made["key"] not in raw


def test_the_last_key_cannot_be_revoked(here: Here) -> None:
    [only] = here.listed()
    here.api.delete(f"/api_key/{only['id']}/").refused("invalid_status")
    here.api.get("/partner/").ok()


def test_nor_the_last_two_at_the_same_moment(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    second = here.key()
    [first] = [each for each in here.listed() if each["id"] != second["id"]]
    store, other = here.world.store, Api(app, second["key"])
    monkeypatch.setattr(
        store,
        "commit",
        between(store, lambda: here.api.delete(f"/api_key/{second['id']}/").ok(204)),
    )
    other.delete(f"/api_key/{first['id']}/").refused("invalid_status")
    assert [each["id"] for each in here.listed()] == [first["id"]]


def test_a_revoked_key_works_for_a_minute_at_most_in_other_containers(here: Here) -> None:
    made = here.key()
    other = Keyring(here.world.identify, lambda: here.seconds)
    assert other.partner(made["key"]) is not None
    assert here.api.delete(f"/api_key/{made['id']}/").status == 204
    Api(app, made["key"]).get("/partner/").refused("not_authenticated", 401)
    here.seconds = 59.9
    assert other.partner(made["key"]) is not None
    here.seconds = 60.0
    assert other.partner(made["key"]) is None


def test_refused_keys_are_answered_alike(here: Here) -> None:
    made = here.key()
    here.api.delete(f"/api_key/{made['id']}/")
    same = {"X-Request-Id": "same"}
    answers = [
        Api(app, key).get("/partner/", headers=same)
        for key in (made["key"], "an-unknown-key-of-nobody", "short", None)
    ]
    assert {(a.status, a.text, str(sorted(a.headers.items()))) for a in answers} == {
        (401, answers[0].text, str(sorted(answers[0].headers.items())))
    }


def test_the_last_use_is_noted_once_an_hour(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    store, written = here.world.store, []
    commit = store.commit

    def counted(unit: Any) -> None:
        written.append(unit)
        commit(unit)

    monkeypatch.setattr(store, "commit", counted)
    start = here.world.wall
    for minutes in (0, 1, 30, 59, 60, 61, 119, 120):
        here.world.wall = start + timedelta(minutes=minutes)
        here.world.keyring.forget()
        shown = here.listed()[0]["last_used_at"]
        hour = start + timedelta(hours=minutes // 60)
        assert shown == hour.isoformat().replace("+00:00", "Z")
    assert len(written) == 3
    assert here.listed()[0]["updated_at"] == here.listed()[0]["created_at"]


def test_a_use_that_cannot_be_noted_disturbs_nobody(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.models.store import Conflict, Unavailable

    for error in (Conflict(), Unavailable()):

        def refuse(_: Any, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(here.world.store, "commit", refuse)
            here.world.keyring.forget()
            assert here.api.get("/partner/").ok()["currency"] == "GBP"


def test_a_key_that_is_used_while_it_is_revoked_stays_revoked(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = here.key()
    later: list[Any] = []
    monkeypatch.setattr(here.world, "aside", later.append)
    Api(app, made["key"]).get("/partner/").ok()
    here.api.delete(f"/api_key/{made['id']}/")
    for write in later:
        write()
    Api(app, made["key"]).get("/partner/").refused("not_authenticated", 401)


def test_keys_of_nobody(here: Here) -> None:
    here.api.delete(f"/api_key/{uuid4()}/").refused("not_found", 404)
    assert re.fullmatch(r"bk_[\w-]{43}", here.key()["key"])
