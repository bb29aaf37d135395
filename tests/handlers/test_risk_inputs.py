"""Input sources and data points over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain.inputs import PRECONFIGURED
from tests.handlers.risk_support import NOWHERE, Lender, lending
from tests.served import Served


@pytest.fixture
def world() -> Iterator[tuple[Lender, Served]]:
    with lending() as (lender, served):
        yield lender, served


@pytest.fixture
def lender(world: tuple[Lender, Served]) -> Lender:
    return world[0]


def test_a_source_is_made_read_and_changed(lender: Lender) -> None:
    made = lender.source("salary", "float", default="1200.50", description="A month")
    assert made["default"] == Decimal("1200.50")
    assert lender.read("input_source", made) == made
    changed = lender.api.patch(f"/input_source/{made['id']}/", {"name": "income"}).ok()
    assert (changed["name"], changed["default"]) == ("income", Decimal("1200.50"))
    whole = {"name": "income", "type": "string"}
    replaced = lender.api.put(f"/input_source/{made['id']}/", whole).ok()
    assert (replaced["type"], replaced["default"], replaced["description"]) == ("string", None, "")
    lender.source("salary")  # the old name is free again


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "2fast", "type": "float"}, "name"),
        ({"name": "two words", "type": "float"}, "name"),
        ({"name": "a", "type": "decimal"}, "type"),
        ({"name": "a", "type": "integer", "default": "1.5"}, "default"),
        ({"name": "a", "type": "boolean", "default": 1}, "default"),
        ({"name": "a", "type": "string", "default": ["x"]}, "default"),
        ({"name": "a", "type": "string", "default": "x" * 256}, "default"),
        ({"type": "float"}, "name"),
        ({"name": "a", "type": "float", "weight": 1}, "weight"),
    ],
)
def test_bad_sources_are_refused(lender: Lender, body: dict[str, Any], field: str) -> None:
    refused = lender.api.post("/input_source/", body).refused("validation_error", 400)
    assert field in refused.fields
    assert lender.api.get("/input_source/").ok()["count"] == len(PRECONFIGURED)


def test_names_are_unique_within_a_partner(world: tuple[Lender, Served]) -> None:
    lender, served = world
    lender.source("salary")
    other = lender.source("rent")
    body = {"name": "salary", "type": "string"}
    lender.api.post("/input_source/", body).refused("conflict")
    lender.api.patch(f"/input_source/{other['id']}/", {"name": "salary"}).refused("conflict")
    lender.api.post("/input_source/", {**body, "name": "end_user_age"}).refused("conflict")
    assert lender.read("input_source", other)["name"] == "rent"
    served.other.post("/input_source/", body).ok(201)


def test_preconfigured_sources_are_listed_read_and_never_changed(lender: Lender) -> None:
    own = lender.source("salary")
    everything = lender.api.get("/input_source/?limit=50").ok()
    assert everything["count"] == 1 + len(PRECONFIGURED)
    assert [row["name"] for row in everything["results"]] == ["salary", *PRECONFIGURED]
    age = everything["results"][1]
    assert lender.read("input_source", age) == age
    lender.api.patch(f"/input_source/{age['id']}/", {"default": 1}).refused("invalid_status")
    assert own["preconfigured"] is False


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 14, 20])
def test_following_next_gives_every_source_once(lender: Lender, limit: int) -> None:
    own = {lender.source(f"s{number}")["name"] for number in range(3)}
    seen: list[str] = []
    path: str | None = f"/input_source/?limit={limit}"
    while path:
        page = lender.api.get(path).ok()
        assert page["count"] == 3 + len(PRECONFIGURED)
        seen += [row["name"] for row in page["results"]]
        path = page["next"] and page["next"].split("/api/v1", 1)[1]
    assert set(seen[:3]) == own  # made at one instant: their order among each other is free
    assert seen[3:] == [*PRECONFIGURED]
    for offset in range(15):
        rows = lender.api.get(f"/input_source/?limit=2&offset={offset}").ok()["results"]
        assert [row["name"] for row in rows] == seen[offset : offset + 2]


def test_what_a_statement_or_a_data_point_uses_keeps_its_name_and_type(lender: Lender) -> None:
    read, given = lender.source("salary"), lender.source("rent")
    lender.card("{{salary}} > 1")
    lender.point(given, lender.application(), 5)
    for source in (read, given):
        path = f"/input_source/{source['id']}/"
        lender.api.patch(path, {"name": "other"}).refused("invalid_status")
        lender.api.patch(path, {"type": "string"}).refused("invalid_status")
        assert lender.api.patch(path, {"default": 7}).ok()["default"] == 7


def test_another_partners_source_does_not_exist(world: tuple[Lender, Served]) -> None:
    lender, served = world
    source = lender.source("salary")
    served.other.get(f"/input_source/{source['id']}/").refused("not_found", 404)
    given = lender.api.get("/input_source/").ok()["results"][-1]
    served.other.get(f"/input_source/{given['id']}/").refused("not_found", 404)


# --- data points ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        ("float", "12.50", Decimal("12.50")),
        ("float", 3, 3),
        ("integer", 7, 7),
        ("boolean", False, False),
        ("string", "GB", "GB"),
    ],
)
def test_a_value_has_its_sources_type(lender: Lender, kind: str, sent: Any, kept: Any) -> None:
    point = lender.point(lender.source("s", kind), lender.application(), sent)
    assert point["value"] == kept
    assert lender.read("data_point", point) == point


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("integer", "1.5"),
        ("integer", True),
        ("float", "a lot"),
        ("float", None),
        ("boolean", "true"),
        ("boolean", 1),
        ("string", 5),
        ("string", {"a": 1}),
    ],
)
def test_a_value_of_another_type_is_refused(lender: Lender, kind: str, sent: Any) -> None:
    source, application = lender.source("s", kind), lender.application()
    body = {"input_source": source["id"], "application": application["id"], "value": sent}
    refused = lender.api.post("/data_point/", body).refused("validation_error", 400)
    assert list(refused.fields) == ["value"]
    assert lender.api.get("/data_point/").ok()["count"] == 0
    right = {"integer": 1, "float": 1, "boolean": True, "string": "x"}[kind]
    lender.point(source, application, right)  # nothing of the refused one is in the way


def test_unknown_source_and_application_are_refused(world: tuple[Lender, Served]) -> None:
    lender, served = world
    foreign = Lender(served.other)
    body = {
        "input_source": foreign.source("theirs")["id"],
        "application": foreign.application()["id"],
        "value": 1,
    }
    refused = lender.api.post("/data_point/", body).refused("validation_error", 400)
    assert refused.fields == {"input_source": "unknown", "application": "unknown"}
    body["application"] = lender.application()["id"]
    assert lender.api.post("/data_point/", body).fields == {"input_source": "unknown"}
    body["input_source"] = NOWHERE
    assert lender.api.post("/data_point/", body).fields == {"input_source": "unknown"}
    body["input_source"] = lender.api.get("/input_source/").ok()["results"][0]["id"]
    assert lender.api.post("/data_point/", body).fields == {"input_source": "read_only"}


def test_one_value_for_a_source_and_an_application(lender: Lender) -> None:
    source, application = lender.source("s"), lender.application()
    point = lender.point(source, application, 1)
    body = {"input_source": source["id"], "application": application["id"], "value": 2}
    lender.api.post("/data_point/", body).refused("conflict")
    path = f"/data_point/{point['id']}/"
    assert lender.api.put(path, {**point, "value": 3}).ok()["value"] == 3
    assert lender.api.patch(path, {"value": "4.5"}).ok()["value"] == Decimal("4.5")
    assert lender.api.get("/data_point/").ok()["count"] == 1
    lender.point(lender.source("another"), application, 1)
    lender.point(source, lender.application(), 1)


def test_a_data_point_stays_where_it_is(lender: Lender) -> None:
    point = lender.point(lender.source("s"), lender.application(), 1)
    path, moved = f"/data_point/{point['id']}/", lender.application()["id"]
    refused = lender.api.patch(path, {"application": moved}).refused("validation_error", 400)
    assert refused.fields == {"application": "immutable"}
    other = {"input_source": lender.source("t")["id"], "value": 1}
    assert lender.api.put(path, other).fields == {"input_source": "immutable"}
    assert lender.read("data_point", point) == point


def test_only_an_incomplete_application_takes_data_points(lender: Lender) -> None:
    source, other, application = lender.source("s"), lender.source("t"), lender.application()
    point = lender.point(source, application, 1)
    lender.api.post(f"/application/{application['id']}/withdraw/").ok()
    lender.api.patch(f"/data_point/{point['id']}/", {"value": 2}).refused("invalid_status")
    body = {"input_source": other["id"], "application": application["id"], "value": 1}
    lender.api.post("/data_point/", body).refused("invalid_status")
    lender.api.post(f"/application/{application['id']}/reopen/").ok()
    lender.api.patch(f"/data_point/{point['id']}/", {"value": 2}).ok()
    lender.api.post("/data_point/", body).ok(201)
