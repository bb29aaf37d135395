"""The scenarios' client over a socket, for the laptop stack: the Python client of this project."""

from __future__ import annotations

from typing import Any

from backbone_client import Client
from tests.http_support import Answer
from tests.scenarios.partner import Partner
from tests.stack import Stack

TIMEOUT_SECONDS = 180.0


class SocketHttp:
    """Requests with a partner's key, as they are; safe to share between threads."""

    def __init__(self, url: str, key: str) -> None:
        # A scenario sees each answer as it comes: what is lost or refused is for it to judge.
        self.client = Client(url, key, timeout=TIMEOUT_SECONDS, retries=0)

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send ``body`` as JSON, ``Decimal`` kept; a ``POST`` has an idempotency key."""
        found = self.client.send(method, path, body, headers=options.get("headers"))
        return Answer(found.status, found.headers, found.text, found.data)


def new_partner(stack: Stack) -> Partner:
    """A fresh tenant of the running stack."""
    with Client(stack.url, stack.api_key) as first:
        key = first.sandbox.create_partner().api_key
    assert key is not None
    return Partner(SocketHttp(stack.url, key))
