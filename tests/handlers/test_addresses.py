"""``/end_user/{id}/address/`` over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.handlers.risk_support import between
from tests.http_support import Api
from tests.served import Served, serve

PERSON = {"first_name": "Ada", "last_name": "Example", "country": "GB"}
HOME = {"address_line_1": "1 Example Street", "city": "York", "postal_code": "YO1 1AA"}
LINES = ("address_line_1", "address_line_2", "address_line_3", "city", "postal_code", "country")


@pytest.fixture
def served() -> Iterator[Served]:
    with serve() as up:
        yield up


@pytest.fixture
def api(served: Served) -> Api:
    return served.api


def person(api: Api, **more: Any) -> str:
    return str(api.post("/end_user/", {**PERSON, **more}).ok(201)["id"])


def own(api: Api, end_user: str) -> dict[str, Any]:
    shown = api.get(f"/end_user/{end_user}/").ok()
    return {name: shown[name] for name in LINES}


def listed(api: Api, end_user: str) -> list[Any]:
    return list(api.get(f"/end_user/{end_user}/address/").ok()["results"])


def test_an_address_is_added_read_changed_and_deleted(api: Api) -> None:
    user = person(api)
    assert listed(api, user) == []
    made = api.post(f"/end_user/{user}/address/", HOME).ok(201)
    assert made["created_at"] == made["updated_at"]
    assert {n: v for n, v in made.items() if n not in ("id", "created_at", "updated_at")} == {
        **HOME,
        "address_line_2": "",
        "address_line_3": "",
        "country": "GB",
        "end_user": user,
        "valid_from": "2026-03-02",
        "is_current": True,
    }
    where = f"/end_user/{user}/address/{made['id']}/"
    assert api.get(where).ok() == made
    assert api.put(where, made).ok() == made, "what was read may be sent back"
    after = api.patch(where, {"city": "Leeds", "address_line_1": None}).ok()
    assert (after["city"], after["address_line_1"]) == ("Leeds", "")
    assert own(api, user) == {name: after[name] for name in LINES}
    assert listed(api, user) == [after]
    assert api.delete(where).status == 204
    api.get(where).refused("not_found", 404)
    api.delete(where).refused("not_found", 404)
    assert own(api, user) == {**dict.fromkeys(LINES, ""), "country": "GB"}


def test_the_own_address_is_the_current_one(api: Api) -> None:
    user = person(api, **HOME)
    [first] = listed(api, user)
    assert first["is_current"] and own(api, user) == {name: first[name] for name in LINES}
    api.patch(f"/end_user/{user}/", {"postal_code": "YO1 2BB"}).ok()
    assert [each["postal_code"] for each in listed(api, user)] == ["YO1 2BB"]
    second = api.post(f"/end_user/{user}/address/", {**HOME, "city": "Bath"}).ok(201)
    assert {each["id"]: each["is_current"] for each in listed(api, user)} == {
        first["id"]: False,
        second["id"]: True,
    }
    assert own(api, user)["city"] == "Bath"
    back = api.patch(f"/end_user/{user}/address/{first['id']}/", {"is_current": True}).ok()
    assert back["is_current"] and own(api, user)["city"] == "York"
    assert not api.get(f"/end_user/{user}/address/{second['id']}/").ok()["is_current"]


def test_an_own_address_that_is_emptied_stays_in_the_history(api: Api) -> None:
    user = person(api, **HOME)
    api.put(f"/end_user/{user}/", PERSON).ok()
    [left] = listed(api, user)
    assert (left["is_current"], left["city"]) == (False, "York")


def test_a_refused_address_changes_nothing(api: Api) -> None:
    user = person(api, **HOME)
    before = listed(api, user)
    tomorrow = {**HOME, "valid_from": "2026-03-03"}
    for body, field in (
        ({"country": "GB"}, "address_line_1"),
        ({**HOME, "country": "UK"}, "country"),
        ({**HOME, "valid_from": "soon"}, "valid_from"),
        ({**tomorrow, "is_current": True}, "is_current"),
        ({**HOME, "is_current": "perhaps"}, "is_current"),
        ({**HOME, "planet": "Mars"}, "planet"),
    ):
        answer = api.post(f"/end_user/{user}/address/", body).refused("validation_error", 400)
        assert list(answer.fields) == [field]
    assert listed(api, user) == before
    planned = api.post(f"/end_user/{user}/address/", tomorrow).ok(201)
    assert not planned["is_current"]


def test_an_address_of_somebody_else(api: Api) -> None:
    user, other = person(api, **HOME), person(api)
    [home] = listed(api, user)
    for where in (f"/end_user/{other}/address/{home['id']}/", f"/end_user/{user}/address/{other}/"):
        api.get(where).refused("not_found", 404)
        api.put(where, HOME).refused("not_found", 404)
        api.patch(where, {}).refused("not_found", 404)
        api.delete(where).refused("not_found", 404)
    nobody = f"/end_user/{uuid4()}/address/"
    api.get(nobody).refused("not_found", 404)
    api.post(nobody, HOME).refused("not_found", 404)


def test_two_moves_at_once_leave_one_current_address(
    served: Served, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = person(api, **HOME)
    store = served.world.store

    def meanwhile() -> None:
        api.post(f"/end_user/{user}/address/", {**HOME, "city": "Bath"}).ok(201)

    monkeypatch.setattr(store, "commit", between(store, meanwhile))
    api.post(f"/end_user/{user}/address/", {**HOME, "city": "Leeds"}).ok(201)
    current = [each["city"] for each in listed(api, user) if each["is_current"]]
    assert current == ["Leeds"] == [own(api, user)["city"]]
    assert len(listed(api, user)) == 3
