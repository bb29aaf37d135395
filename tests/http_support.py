"""An in-process client for the tests of handlers: real app, JSON with ``Decimal``.

``Api`` speaks to a Chalice app through ``chalice.test.Client`` (one thread only) and treats what
the gateway answers by itself as the local server does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import simplejson
from chalice.app import Chalice
from chalice.test import Client

from chalicelib.handlers.problems import framework_problem

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Answer:
    """One response: ``headers`` by lower-case name, ``json`` with exact numbers."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any = field(default=None)

    @property
    def code(self) -> str:
        """The problem's code."""
        return str(self.json["code"])

    @property
    def fields(self) -> dict[str, str]:
        """The bad fields of a 400 with their codes."""
        return {entry["field"]: entry["code"] for entry in self.json["errors"]}

    def refused(self, code: str, status: int = 409) -> Answer:
        """Assert that this is the problem ``code``; for chaining."""
        assert (self.status, self.json.get("code")) == (status, code), self.text
        assert self.headers["content-type"] == "application/problem+json"
        return self

    def ok(self, status: int = 200) -> Any:
        """Assert the status and give the parsed answer."""
        assert self.status == status, self.text
        return self.json


class Api:
    """Requests with a partner's key; paths below ``/api/v1`` unless ``root`` is said."""

    def __init__(self, app: Chalice, key: str | None) -> None:
        self._http = Client(app).http
        self.key = key

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        root: bool = False,
    ) -> Answer:
        """Send ``body`` as JSON (``Decimal`` kept), or ``raw`` bytes as they are."""
        sent: dict[str, str] = {"Host": "backbone.test"}
        if self.key is not None:
            sent["X-Api-Key"] = self.key
        if body is not None:
            raw = simplejson.dumps(body, use_decimal=True).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        where = path if root else PREFIX + path
        response = self._http.request(method, where, headers=sent, body=raw or b"")
        status, found, text = response.status_code, response.headers, response.body.decode()
        if "X-Request-Id" not in found:
            status, found, text = framework_problem(status, found, text, "from-the-gateway")
        return Answer(status, {k.lower(): v for k, v in found.items()}, text, _parsed(text))

    def get(self, path: str, **options: Any) -> Answer:
        """A ``GET``."""
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        """A ``POST`` of ``body`` (none: an empty one)."""
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        """A ``PUT``."""
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        """A ``PATCH``."""
        return self.request("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """A ``DELETE``."""
        return self.request("DELETE", path, **options)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return None
