"""``/end_user/{id}/assign-enduser/`` over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.handlers.risk_support import between
from tests.http_support import Api
from tests.served import Served, serve

PERSON = {"first_name": "Ada", "last_name": "Example"}
COMPANY = {"type": "limited_company", "company_name": "Example Ltd"}


@pytest.fixture
def served() -> Iterator[Served]:
    with serve() as up:
        yield up


@pytest.fixture
def api(served: Served) -> Api:
    return served.api


def make(api: Api, base: dict[str, Any] = PERSON, **more: Any) -> str:
    return str(api.post("/end_user/", {**base, **more}).ok(201)["id"])


def people(company: str) -> str:
    return f"/end_user/{company}/assign-enduser/"


def test_a_person_is_assigned_read_changed_and_taken_out(api: Api) -> None:
    company, person, other = make(api, COMPANY), make(api), make(api)
    made = api.post(people(company), {"end_user": person, "role": "director"}).ok(201)
    assert (made["company"], made["end_user"], made["role"]) == (company, person, "director")
    where = f"{people(company)}{made['id']}/"
    assert api.get(where).ok() == api.put(where, made).ok() == made
    assert api.patch(where, {"role": "owner"}).ok()["role"] == "owner"
    changed = api.patch(where, {"end_user": other}).ok()
    assert (changed["end_user"], changed["role"]) == (other, "owner")
    api.post(people(company), {"end_user": person, "role": "guarantor"}).ok(201)
    assert api.get(people(company)).ok()["count"] == 2
    assert api.delete(where).status == 204
    api.delete(where).refused("not_found", 404)
    assert [each["end_user"] for each in api.get(people(company)).ok()["results"]] == [person]


@pytest.mark.parametrize("kind", ["sole_trader", "partnership_up_to_3", "partnership_4_or_more"])
def test_every_type_but_an_individual_has_people(api: Api, kind: str) -> None:
    company = make(api, COMPANY, type=kind)
    api.post(people(company), {"end_user": make(api), "role": "partner"}).ok(201)


def test_an_individual_has_none(api: Api) -> None:
    person = make(api)
    assert api.get(people(person)).ok()["count"] == 0
    api.post(people(person), {"end_user": make(api), "role": "other"}).refused("invalid_status")


def test_nobody_is_assigned_twice(api: Api) -> None:
    company, person, other = make(api, COMPANY), make(api), make(api)
    first = api.post(people(company), {"end_user": person, "role": "director"}).ok(201)
    api.post(people(company), {"end_user": person, "role": "owner"}).refused("conflict")
    second = api.post(people(company), {"end_user": other, "role": "owner"}).ok(201)
    where = f"{people(company)}{second['id']}/"
    api.patch(where, {"end_user": person}).refused("conflict")
    assert api.get(where).ok() == second
    api.delete(f"{people(company)}{first['id']}/")
    api.patch(where, {"end_user": person}).ok()
    api.post(people(make(api, COMPANY)), {"end_user": person, "role": "owner"}).ok(201)


def test_not_even_at_the_same_moment(
    served: Served, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, person = make(api, COMPANY), make(api)
    body, store = {"end_user": person, "role": "director"}, served.world.store
    monkeypatch.setattr(
        store, "commit", between(store, lambda: api.post(people(company), body).ok(201))
    )
    api.post(people(company), body).refused("conflict")
    assert api.get(people(company)).ok()["count"] == 1


def test_bad_bodies(served: Served, api: Api) -> None:
    company = make(api, COMPANY)
    stranger = make(served.other)
    for body, field in (
        ({"end_user": make(api), "role": "king"}, "role"),
        ({"end_user": make(api)}, "role"),
        ({"role": "owner"}, "end_user"),
        ({"end_user": str(uuid4()), "role": "owner"}, "end_user"),
        ({"end_user": stranger, "role": "owner"}, "end_user"),
        ({"end_user": company, "role": "owner"}, "end_user"),
        ({"end_user": make(api, COMPANY), "role": "owner"}, "end_user"),
    ):
        answer = api.post(people(company), body).refused("validation_error", 400)
        assert list(answer.fields) == [field]
    assert api.get(people(company)).ok()["count"] == 0


def test_types_hold_while_people_are_assigned(api: Api) -> None:
    company, person = make(api, COMPANY), make(api)
    made = api.post(people(company), {"end_user": person, "role": "owner"}).ok(201)
    api.patch(f"/end_user/{company}/", {**PERSON, "type": "individual"}).refused("invalid_status")
    api.patch(f"/end_user/{person}/", COMPANY).refused("invalid_status")
    api.patch(f"/end_user/{company}/", {"type": "partnership_up_to_3"}).ok()
    api.delete(f"{people(company)}{made['id']}/")
    api.patch(f"/end_user/{person}/", COMPANY).ok()
    api.patch(f"/end_user/{company}/", {**PERSON, "type": "individual"}).ok()


def test_a_type_that_changes_at_the_same_moment(
    served: Served, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, person = make(api, COMPANY), make(api)
    store = served.world.store
    change = {**PERSON, "type": "individual"}
    monkeypatch.setattr(
        store, "commit", between(store, lambda: api.patch(f"/end_user/{company}/", change).ok())
    )
    body = {"end_user": person, "role": "director"}
    api.post(people(company), body).refused("invalid_status")


def test_people_of_another_company(api: Api) -> None:
    one, other, person = make(api, COMPANY), make(api, COMPANY), make(api)
    made = api.post(people(one), {"end_user": person, "role": "owner"}).ok(201)
    where = f"{people(other)}{made['id']}/"
    api.get(where).refused("not_found", 404)
    api.patch(where, {"role": "other"}).refused("not_found", 404)
    api.delete(where).refused("not_found", 404)
