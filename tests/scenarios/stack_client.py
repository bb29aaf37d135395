"""The scenarios' client over a socket, for the laptop stack."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import simplejson

from tests.http_support import Answer
from tests.scenarios.partner import Partner
from tests.stack import Stack

TIMEOUT_SECONDS = 180.0


class SocketHttp:
    """Requests with a partner's key; safe to share between threads."""

    def __init__(self, url: str, key: str) -> None:
        limits = httpx.Limits(max_connections=60)
        self.client = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"X-Api-Key": key},
            timeout=TIMEOUT_SECONDS,
            limits=limits,
        )

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send ``body`` as JSON, ``Decimal`` kept."""
        raw = None if body is None else simplejson.dumps(body, use_decimal=True)
        kind = {} if body is None else {"Content-Type": "application/json"}
        headers = {**kind, **options.get("headers", {})}
        response = self.client.request(method, path, content=raw, headers=headers)
        try:
            parsed = json.loads(response.text, parse_float=Decimal)
        except ValueError:
            parsed = None
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, response.text, parsed)


def new_partner(stack: Stack) -> Partner:
    """A fresh tenant of the running stack."""
    first = Partner(SocketHttp(stack.url, stack.api_key))
    return Partner(SocketHttp(stack.url, first.post("/sandbox/partner/")["api_key"]))
