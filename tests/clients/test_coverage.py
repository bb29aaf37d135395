"""The client has a method for every operation, and a field for every field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from backbone_client import Client, NotFound, Page, Record
from backbone_client import fields as taken
from backbone_client.wire import encode
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.routing import Also, Operation, operations
from chalicelib.handlers.schema import NoQuery, Nothing, ready
from tests.clients.calls import CALLS, LEFT_OUT, PK, SUB

OPERATIONS = {f"{each.method} {each.path}": each for each in operations(RESOURCES)}
#: What the methods take as single arguments, where there is no record of fields.
ARGUMENTS: Mapping[str, set[str]] = {
    "CloseIn": {"close_reason", "close_substatus"},
    "LoanMandateIn": {"mandate"},
    "ApplyIn": {"effective_date"},
    "StateIn": {"is_disabled"},
    "ClockIn": {"business_date"},
    "PayoffQuery": {"date"},
    "AsOfQuery": {"as_of"},
    "PreviewQuery": {"preview"},
    "ReportQuery": {"date", "format"},
    "SettlementQuery": {"investor", "month", "format"},
}
RENAMED = {
    "EndpointIn": "WebhookEndpointFields",
    "DataPointChange": "DataPointFields",
    "QuoteQuery": "QuoteFields",
}
DATES = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")


def test_every_operation_has_a_call_or_a_reason() -> None:
    assert set(CALLS) | set(LEFT_OUT) == set(OPERATIONS)
    assert not set(CALLS) & set(LEFT_OUT)


@pytest.mark.parametrize("name", CALLS)
def test_the_call_asks_for_it_and_reads_all_of_the_answer(name: str) -> None:
    operation = OPERATIONS[name]
    document = _answer(operation)
    seen: list[str] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path}")
        return httpx.Response(operation.status, content=_text(document))

    client = Client("http://backbone.test", "k", transport=httpx.MockTransport(answers))
    found = CALLS[name](client)
    path = operation.path.replace("{pk}", PK).replace("{sub}", SUB)
    slash = "/" if path.startswith("/api/") else ""
    assert seen == [f"{operation.method} {path}{slash}"]
    if isinstance(found, Page):
        _agrees(document["results"], found.results)
    elif operation.answer is not None:
        _agrees(document, found)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("POST /api/v1/transaction", lambda client: client.transactions.preview(loan=PK)),
        (
            "POST /api/v1/transaction/{pk}/revert",
            lambda client: client.transactions.preview_revert(PK),
        ),
    ],
)
def test_a_preview_is_asked_for_and_read(name: str, call: Any) -> None:
    also = OPERATIONS[name].also[200]
    assert isinstance(also, Also)
    document = _sample(_schema(also.answer))
    seen: list[httpx.Request] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=_text(document))

    found = call(Client("http://backbone.test", "k", transport=httpx.MockTransport(answers)))
    [request] = seen
    path = name.removeprefix("POST ").replace("{pk}", PK)
    assert (request.url.path, request.url.query) == (f"{path}/", b"preview=true")
    _agrees(document, found)


@pytest.mark.parametrize("call", ["read", "schedule"])
def test_an_earlier_day_is_asked_for(call: str) -> None:
    seen: list[bytes] = []

    def answers(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query)
        return httpx.Response(404, content=b"{}")

    client = Client("http://backbone.test", "k", transport=httpx.MockTransport(answers))
    with pytest.raises(NotFound):
        getattr(client.loans, call)(PK, as_of="2026-03-01")
    assert seen == [b"as_of=2026-03-01"]


def test_every_field_of_a_request_can_be_given() -> None:
    asked = {
        model.__name__.removesuffix("Patch"): set(model.model_fields)
        for each in OPERATIONS.values()
        for model in (each.body, None if each.collection else each.query)
        if model not in (None, Nothing, NoQuery)
    }
    known = {
        name: ARGUMENTS.get(name) or set(_fields(name).__annotations__)  # of the TypedDict
        for name in asked
    }
    assert known == asked


def _fields(name: str) -> Any:
    return getattr(taken, RENAMED.get(name, name.removesuffix("In") + "Fields"))


def _answer(operation: Operation) -> Any:
    if operation.answer is None:
        return {} if operation.status == 200 else None
    one = _sample(_schema(operation.answer))
    if operation.collection:
        return {"count": 1, "next": None, "previous": None, "results": [one]}
    return one


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    ready(model)
    return model.model_json_schema(mode="serialization")


def _text(document: Any) -> bytes:
    return b"" if document is None else encode(document)


def _sample(schema: Mapping[str, Any], defs: Mapping[str, Any] | None = None) -> Any:
    """A value of a JSON schema; ``Decimal`` where it is a number."""
    defs = schema.get("$defs", {}) if defs is None else defs
    if "$ref" in schema:
        return _sample(defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], defs)
    if "enum" in schema or "const" in schema:
        return schema.get("const") or schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: _sample(each, defs) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [_sample(schema["items"], defs)]
    if kind == "string":
        formats = {"date": "2026-03-02", "date-time": "2026-03-02T09:00:00Z"}
        known = formats.get(schema.get("format", ""))
        return known or str(next(iter(schema.get("examples", ["7"]))))
    return {"number": Decimal("1.50"), "integer": 7, "boolean": True}.get(str(kind))


def _agrees(document: Any, found: Any) -> None:
    """Nothing is left over, nothing is missing, and all has its own type."""
    if isinstance(found, Record):
        assert found.extra == {}, type(found).__name__
        names = {each.name for each in fields(found)} - {"extra"}
        assert names == set(document), type(found).__name__
        for name in names:
            _agrees(document[name], getattr(found, name))
    elif isinstance(document, list):
        assert len(found) == len(document)
        for one, read in zip(document, found, strict=True):
            _agrees(one, read)
    elif isinstance(document, Decimal):
        assert isinstance(found, Decimal)
    elif isinstance(document, str) and DATES.fullmatch(document):
        assert not isinstance(found, str)
    else:
        assert found is not None or document is None
