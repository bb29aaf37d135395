"""Scorecards, risk engines and selectors over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.handlers.risk_support import NOWHERE, Lender, between, lending
from tests.served import Served


@pytest.fixture
def world() -> Iterator[tuple[Lender, Served]]:
    with lending() as (lender, served):
        yield lender, served


@pytest.fixture
def lender(world: tuple[Lender, Served]) -> Lender:
    return world[0]


def rule(statement: str = "1", weight: Any = 1, threshold: Any = 1) -> dict[str, Any]:
    return {"statement": statement, "weight": weight, "threshold": threshold}


def share(engine: dict[str, Any], weight: Any = 1) -> dict[str, Any]:
    return {"version": engine["version"], "weight": weight}


# --- scorecards -----------------------------------------------------------------------------------


def test_a_scorecard_is_made_read_changed_and_activated(lender: Lender) -> None:
    lender.source("salary")
    rules = [
        {"name": "Income", "statement": "{{salary}} / 12", "weight": "0.3", "threshold": 100},
        {"statement": "500 if {{end_user_country}} == ‘GB’ else 0", "weight": 0.7, "threshold": 1},
    ]
    body = {"name": "Basics", "threshold": "250.5", "stop_on_first_fail": True, "rules": rules}
    made = lender.api.post("/scorecard/", body).ok(201)
    assert (made["is_active"], made["stop_on_first_fail"]) == (False, True)
    assert made["threshold"] == Decimal("250.5")
    assert made["rules"][0] == {**rules[0], "weight": Decimal("0.3")}
    assert made["rules"][1]["name"] is None
    assert lender.read("scorecard", made) == made
    active = lender.activated("scorecard", made)
    assert active["is_active"] is True
    path = f"/scorecard/{made['id']}/"
    lender.api.post(f"{path}activate/").refused("invalid_status")
    changed = lender.api.patch(path, {"threshold": 10}).ok()
    assert (changed["threshold"], changed["is_active"]) == (10, True)
    assert lender.api.put(path, changed).ok()["rules"] == made["rules"]
    assert lender.api.patch(path, {"is_active": False}).ok()["is_active"] is False
    assert lender.api.get("/scorecard/").ok()["count"] == 1


@pytest.mark.parametrize(
    ("rules", "field", "said"),
    [
        ([rule("{{salary}} +")], "rules[0].statement", "position"),
        ([rule("{{unknown}} > 1")], "rules[0].statement", "position 0"),
        ([rule("1", "0.5"), rule("1 + {{nobody}}", "0.5")], "rules[1].statement", "position 4"),
        ([rule("__import__('os')")], "rules[0].statement", "position 0"),
        ([rule("{{salary}}.real")], "rules[0].statement", "position"),
        ([rule("[x for x in (1, 2)]")], "rules[0].statement", "position"),
        ([rule("")], "rules[0].statement", ""),
        ([rule("1", "0.5"), rule("1", "0.4999999999")], "rules", "sum"),
        ([], "rules", "sum"),
        ([rule("1", "1.5"), rule("1", "-0.5")], "rules[0].weight", ""),
        ([{"statement": "1", "weight": 1}], "rules[0].threshold", "required"),
        ([{**rule(), "color": "red"}], "rules[0].color", "no such field"),
    ],
)
def test_bad_rules_are_refused_and_nothing_is_kept(
    lender: Lender, rules: list[dict[str, Any]], field: str, said: str
) -> None:
    lender.source("salary")
    body = {"name": "Basics", "threshold": 1, "rules": rules}
    refused = lender.api.post("/scorecard/", body).refused("validation_error", 400)
    messages = {entry["field"]: entry["message"] for entry in refused.json["errors"]}
    assert said in messages[field]
    assert lender.api.get("/scorecard/").ok()["count"] == 0


def test_another_partners_sources_are_unknown_in_statements(world: tuple[Lender, Served]) -> None:
    lender, served = world
    Lender(served.other).source("theirs")
    body = {"name": "B", "threshold": 1, "rules": [rule("{{theirs}}")]}
    assert "rules[0].statement" in lender.api.post("/scorecard/", body).fields


def test_a_scorecard_reads_a_bounded_number_of_sources(lender: Lender) -> None:
    names = [f"s{number}" for number in range(51)]
    for name in names[:50]:
        lender.source(name, "boolean")
    body = {"name": "B", "threshold": 1}
    half = [
        rule(" + ".join(f"{{{{{n}}}}}" for n in part), "0.5") for part in (names[:25], names[25:50])
    ]
    lender.api.post("/scorecard/", {**body, "rules": half}).ok(201)
    over = [rule(" + ".join(f"{{{{{name}}}}}" for name in names))]
    refused = lender.api.post("/scorecard/", {**body, "rules": over})
    assert refused.refused("validation_error", 400).fields == {"rules": "too_many"}


# --- engines --------------------------------------------------------------------------------------


def test_an_engine_is_inactive_until_it_is_activated(lender: Lender) -> None:
    card = lender.card("1")
    engine = lender.engine(card, active=False, version="2026-1")
    assert engine["is_active"] is False
    assert (engine["version"], engine["scorecards"]) == ("2026-1", [card["id"]])
    assert lender.read("risk_engine", engine) == engine
    assert lender.activated("risk_engine", engine)["is_active"] is True
    path = f"/risk_engine/{engine['id']}/"
    lender.api.post(f"{path}activate/").refused("invalid_status")
    assert lender.api.patch(path, {"is_active": False}).ok()["is_active"] is False
    assert lender.api.get("/risk_engine/").ok()["count"] == 1


def test_versions_are_unique(lender: Lender) -> None:
    card = lender.card("1")
    first, second = lender.engine(card, version="a"), lender.engine(card, version="b")
    body = {"version": "a", "scorecards": [card["id"]]}
    lender.api.post("/risk_engine/", body).refused("conflict")
    path = f"/risk_engine/{second['id']}/"
    lender.api.patch(path, {"version": "a"}).refused("conflict")
    assert lender.api.patch(path, {"version": "c"}).ok()["version"] == "c"
    assert lender.api.post("/risk_engine/", {**body, "version": "b"}).ok(201)["version"] == "b"
    assert lender.read("risk_engine", first)["version"] == "a"


def test_bad_engines_are_refused(lender: Lender) -> None:
    card = lender.card("1")
    for body, field in (
        ({"version": "a", "scorecards": [NOWHERE]}, "scorecards[0]"),
        ({"version": "a", "scorecards": []}, "scorecards"),
        ({"version": "a", "scorecards": [card["id"], card["id"]]}, "scorecards[1]"),
        ({"version": "a", "scorecards": ["x"]}, "scorecards[0]"),
        ({"version": "", "scorecards": [card["id"]]}, "version"),
        ({"scorecards": [card["id"]]}, "version"),
    ):
        refused = lender.api.post("/risk_engine/", body).refused("validation_error", 400)
        assert list(refused.fields) == [field]
    assert lender.api.get("/risk_engine/").ok()["count"] == 0


def test_an_active_engine_has_only_active_scorecards(lender: Lender) -> None:
    active, asleep = lender.card("1"), lender.card("1", active=False)
    engine = lender.engine(active, asleep, active=False)
    path = f"/risk_engine/{engine['id']}/"
    lender.api.post(f"{path}activate/").refused("invalid_status")
    lender.api.patch(path, {"is_active": True}).refused("invalid_status")
    body = {"version": "x", "scorecards": [asleep["id"]], "is_active": True}
    lender.api.post("/risk_engine/", body).refused("invalid_status")
    lender.activated("scorecard", asleep)
    assert lender.activated("risk_engine", engine)["is_active"] is True
    lender.api.patch(f"/scorecard/{asleep['id']}/", {"is_active": False}).refused("invalid_status")
    lender.api.patch(path, {"scorecards": [active["id"]]}).ok()
    lender.api.patch(f"/scorecard/{asleep['id']}/", {"is_active": False}).ok()
    lender.api.patch(path, {"scorecards": [active["id"], asleep["id"]]}).refused("invalid_status")
    lender.api.patch(path, {"is_active": False}).ok()
    lender.api.patch(f"/scorecard/{active['id']}/", {"is_active": False}).ok()


# --- selectors ------------------------------------------------------------------------------------


def test_a_selector_shares_out_a_product(lender: Lender) -> None:
    card, product = lender.card("1"), lender.product()
    one, two = lender.engine(card), lender.engine(card)
    body = {"product": product["id"], "risk_engines": [share(one, "0.25"), share(two, 0.75)]}
    made = lender.api.post("/risk_engine_selector/", body).ok(201)
    assert made["risk_engines"] == [share(one, Decimal("0.25")), share(two, Decimal("0.75"))]
    assert lender.read("risk_engine_selector", made) == made
    path = f"/risk_engine_selector/{made['id']}/"
    assert lender.api.patch(path, {"risk_engines": [share(one)]}).ok()["risk_engines"] == [
        share(one)
    ]
    assert lender.api.put(path, body).ok()["risk_engines"] == made["risk_engines"]
    assert lender.api.get("/risk_engine_selector/").ok()["count"] == 1


def test_a_product_has_one_selector(lender: Lender) -> None:
    engine, product, another = lender.engine(lender.card("1")), lender.product(), lender.product()
    first = lender.selector(product, engine)
    body = {"product": product["id"], "risk_engines": [share(engine)]}
    lender.api.post("/risk_engine_selector/", body).refused("conflict")
    second = lender.selector(another, engine)
    path = f"/risk_engine_selector/{second['id']}/"
    lender.api.patch(path, {"product": product["id"]}).refused("conflict")
    lender.api.patch(
        f"/risk_engine_selector/{first['id']}/", {"product": lender.product()["id"]}
    ).ok()
    assert lender.api.patch(path, {"product": product["id"]}).ok()["product"] == product["id"]


def test_bad_selectors_are_refused(world: tuple[Lender, Served]) -> None:
    lender, served = world
    engine, product = lender.engine(lender.card("1")), lender.product()
    foreign = Lender(served.other).engine(Lender(served.other).card("1"), version="theirs")
    right = {"product": product["id"], "risk_engines": [share(engine)]}
    for change, field in (
        ({"product": NOWHERE}, "product"),
        ({"risk_engines": []}, "risk_engines"),
        ({"risk_engines": [share(engine, "0.99")]}, "risk_engines"),
        ({"risk_engines": [share(engine, 2)]}, "risk_engines[0].weight"),
        ({"risk_engines": [share(foreign)]}, "risk_engines[0].version"),
        ({"risk_engines": [share(engine, "0.5"), share(engine, "0.5")]}, "risk_engines[1].version"),
    ):
        refused = lender.api.post("/risk_engine_selector/", {**right, **change})
        assert list(refused.refused("validation_error", 400).fields) == [field]
    asleep = lender.engine(lender.card("1"), active=False)
    body = {**right, "risk_engines": [share(asleep)]}
    lender.api.post("/risk_engine_selector/", body).refused("invalid_status")
    assert lender.api.get("/risk_engine_selector/").ok()["count"] == 0
    lender.api.post("/risk_engine_selector/", right).ok(201)


def test_an_engine_in_use_stays_active_and_keeps_its_version(lender: Lender) -> None:
    card = lender.card("1")
    engine, other = lender.engine(card), lender.engine(card)
    selector = lender.selector(lender.product(), engine)
    path = f"/risk_engine/{engine['id']}/"
    lender.api.patch(path, {"is_active": False}).refused("invalid_status")
    lender.api.patch(path, {"version": "renamed"}).refused("invalid_status")
    assert lender.read("risk_engine", engine)["is_active"] is True
    lender.api.patch(
        f"/risk_engine_selector/{selector['id']}/", {"risk_engines": [share(other)]}
    ).ok()
    lender.api.patch(path, {"is_active": False}).ok()
    lender.api.patch(f"/risk_engine/{other['id']}/", {"is_active": False}).refused("invalid_status")


def test_a_selector_and_a_deactivation_at_once_leave_no_inactive_engine_in_use(
    world: tuple[Lender, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    lender, served = world
    engine, product = lender.engine(lender.card("1")), lender.product()
    path, body = f"/risk_engine/{engine['id']}/", {"is_active": False}
    act = lambda: lender.selector(product, engine)  # noqa: E731
    monkeypatch.setattr(served.world.store, "commit", between(served.world.store, act))
    lender.api.patch(path, body).refused("invalid_status")
    assert lender.read("risk_engine", engine)["is_active"] is True
    assert lender.api.get("/risk_engine_selector/").ok()["count"] == 1


def test_a_deactivation_during_a_selector_refuses_the_selector(
    world: tuple[Lender, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    lender, served = world
    engine, product = lender.engine(lender.card("1")), lender.product()

    def act() -> None:
        lender.api.patch(f"/risk_engine/{engine['id']}/", {"is_active": False}).ok()

    monkeypatch.setattr(served.world.store, "commit", between(served.world.store, act))
    body = {"product": product["id"], "risk_engines": [share(engine)]}
    lender.api.post("/risk_engine_selector/", body).refused("invalid_status")
    assert lender.api.get("/risk_engine_selector/").ok()["count"] == 0


def test_a_deactivation_during_an_activation_refuses_the_engine(
    world: tuple[Lender, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    lender, served = world
    card = lender.card("1")
    engine = lender.engine(card, active=False)

    def act() -> None:
        lender.api.patch(f"/scorecard/{card['id']}/", {"is_active": False}).ok()

    monkeypatch.setattr(served.world.store, "commit", between(served.world.store, act))
    lender.api.post(f"/risk_engine/{engine['id']}/activate/").refused("invalid_status")
    assert lender.read("risk_engine", engine)["is_active"] is False


@pytest.mark.parametrize(
    "resource", ["scorecard", "risk_engine", "risk_engine_selector", "decision", "data_point"]
)
def test_another_partner_sees_nothing(world: tuple[Lender, Served], resource: str) -> None:
    lender, served = world
    source = lender.source("salary")
    product = lender.ready("{{salary}} > 1")
    application = lender.application(product)
    lender.point(source, application, 5)
    lender.api.post(f"/application/{application['id']}/complete/").ok()
    [row, *_] = lender.api.get(f"/{resource}/").ok()["results"]
    assert served.other.get(f"/{resource}/").ok()["count"] == 0
    served.other.get(f"/{resource}/{row['id']}/").refused("not_found", 404)


def test_decisions_are_read_only(lender: Lender) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = lender.api.request(method, f"/decision/{NOWHERE}/", {})
        assert refused.refused("method_not_allowed", 405).headers["allow"] == "GET"
    lender.api.post("/decision/", {}).refused("method_not_allowed", 405)
