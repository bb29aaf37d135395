"""The OpenAPI document, over the real declarations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from app import app
from chalicelib import runtime
from chalicelib.config import VERSION
from chalicelib.domain.mandates import Mandate
from chalicelib.handlers import schema
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.openapi import examples
from chalicelib.handlers.openapi.document import document, rendered
from chalicelib.handlers.openapi.operations import codes, documented_path
from chalicelib.handlers.openapi.refs import Example
from chalicelib.handlers.openapi.webhooks import EVENTS
from chalicelib.handlers.problems import CODES
from chalicelib.handlers.routing import Operation, operations
from chalicelib.models.keys import MANDATE
from chalicelib.models.unit import Unit
from local.home import ROOT
from tests.http_support import Api
from tests.living import Living
from tests.scenarios.partner import Partner
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-document"
ROWS = operations(RESOURCES)
DOCUMENT: dict[str, Any] = json.loads(rendered(document(RESOURCES, VERSION)))
SAMPLES = [(row, example) for row in ROWS for example in examples.of(row)]


@pytest.fixture(scope="module")
def living() -> Iterator[Living]:
    world = World()
    world.hosts["lender.example.com"] = ("93.184.216.34",)
    with runtime.use(world):
        partner_id = runtime.bootstrap(KEY)

        def keep(mandate: Mandate) -> None:
            unit = Unit(world.clock())
            unit.create(MANDATE, partner_id, mandate)
            world.store.commit(unit)

        yield Living(Partner(Api(app, KEY)), keep)


def described(row: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][documented_path(row)][row.method.lower()]
    return found


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = DOCUMENT
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def test_a_validator_accepts_it() -> None:
    validate(DOCUMENT)


def test_the_committed_one_is_the_same() -> None:
    committed = (ROOT / "openapi.json").read_text("utf-8")
    assert committed == rendered(document(RESOURCES, VERSION)), "run: make openapi"


def test_the_served_one_says_where_it_is(living: Living) -> None:
    answer = Api(app, None).get("/openapi.json", root=True)
    served = json.loads(answer.text)
    assert served.pop("servers") == [{"url": "http://backbone.test"}]
    assert served == {name: value for name, value in DOCUMENT.items() if name != "servers"}


def test_every_route_is_in_it_once() -> None:
    shown = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert len(shown) == len(ROWS)
    names = [each["operationId"] for item in DOCUMENT["paths"].values() for each in item.values()]
    assert len(set(names)) == len(names)
    api = [path for path in DOCUMENT["paths"] if path.startswith("/api/")]
    assert all(path.endswith("/") for path in api)
    aliases = [alias for row in ROWS for alias in row.aliases]
    text = json.dumps(DOCUMENT["paths"])
    assert aliases and all(f"`{re.sub('{pk}', '{id}', alias)}/`" in text for alias in aliases)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_parameter_and_error_is_in_it(row: Operation) -> None:
    found = described(row)
    parameters = [resolved(each) for each in found.get("parameters", ())]
    places = {(each["in"], each["name"]) for each in parameters}
    assert len(places) == len(parameters)
    for name in row.query.model_fields:
        assert ("query", name) in places
    for parameter in row.parameters():
        assert ("query", parameter.name) in places
    assert ("header", "X-Request-Id") in places
    assert (("header", "Idempotency-Key") in places) == (row.idempotency != "none")
    in_path = re.findall(r"\{(\w+)\}", documented_path(row))
    assert [name for where, name in sorted(places) if where == "path"] == sorted(in_path)
    for code in codes(row):
        answer = resolved(found["responses"][str(CODES[code][0])])
        assert code in json.dumps(answer["content"]["application/problem+json"])
    assert (found.get("security") == []) == row.public


@pytest.mark.parametrize("row", [row for row in ROWS if row.body], ids=lambda row: row.name)
def test_every_body_has_an_example(row: Operation) -> None:
    assert row.body is not None
    if row.body is schema.Nothing:
        assert not examples.of(row)
    else:
        assert described(row)["requestBody"]["content"]["application/json"]["examples"]


def test_no_example_is_of_nothing() -> None:
    assert set(examples.EXAMPLES) <= {row.name for row in ROWS}


@pytest.mark.parametrize(
    ("row", "example"),
    SAMPLES,
    ids=[f"{row.name}: {example.summary}" for row, example in SAMPLES],
)
def test_every_example_runs(living: Living, row: Operation, example: Example) -> None:
    body, values = living.request(example)
    path = row.path.format(**dict(zip(row.variables, values, strict=True)))
    answer = living.partner.http.request(row.method, path + "/", body, root=True)
    if example.refused is None:
        assert answer.status == row.status, answer.json
    else:
        answer.refused(example.refused)


def test_every_webhook_is_in_it() -> None:
    assert set(DOCUMENT["webhooks"]) == set(EVENTS) and len(EVENTS) == 12
    for name, item in DOCUMENT["webhooks"].items():
        sent = item["post"]
        headers = {resolved(each)["name"] for each in sent["parameters"]}
        assert headers == {"webhook-id", "webhook-timestamp", "webhook-signature"}
        message = resolved(sent["requestBody"]["content"]["application/json"]["schema"])
        assert message["properties"]["event"]["const"] == name
        assert resolved(message["properties"]["data"])["properties"]


def test_words_and_names_are_those_of_the_api() -> None:
    text = json.dumps(DOCUMENT)
    assert "``" not in text and ":class:" not in text and "chalicelib" not in text
    assert all("description" in tag for tag in DOCUMENT["tags"]), "openapi/text.py describes tags"
    patch = DOCUMENT["components"]["schemas"]["ProductPatch"]
    assert "required" not in patch
    assert not any("default" in each for each in patch["properties"].values())
    partner = resolved(described(row_named("post_sandbox_partner"))["responses"]["201"]["content"][
        "application/json"]["schema"])  # fmt: skip
    assert "api_key" in partner["properties"] and "api_key" not in partner["required"]


def row_named(name: str) -> Operation:
    return next(row for row in ROWS if row.name == name)


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_page_is_strict(living: Living, path: str) -> None:
    nobody = Api(app, None)
    answer = nobody.get(path, root=True)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    for asked in re.findall(r'(?:src|href|spec-url)="(/[^"]+)"', answer.text):
        assert nobody.get(asked, root=True).status == 200, asked
    assert not re.search(r'(?:src|href|spec-url)="(?:https?:)?//', answer.text)
    nobody.get("/docs/nothing.js", root=True).refused("not_found", 404)
    nobody.post("/docs/", {}, root=True).refused("method_not_allowed", 405)
    nobody.get("/openapi.json?no=1", root=True).refused("validation_error", 400)
