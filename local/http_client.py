"""A partner's small HTTP client: JSON with exact decimals, problems as exceptions, whole lists.

The one place in ``local/`` that speaks to the partner API.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

PREFIX = "/api/v1"
#: A long move of the sandbox clock answers only when it is done.
PATIENCE_SECONDS = 300.0
CONNECT_SECONDS = 5.0
#: The API may be restarted at any moment; what was sent is then sent again with the same key.
TRIES = 4
PAUSE_SECONDS = 0.25
PAGE = 200
_AGAIN = frozenset({429, 502, 503, 504})


class Problem(Exception):
    """The API refused, or did not answer sensibly.

    ``status`` is 0 where there was no answer at all; ``code`` is the problem's own, else empty.
    """

    def __init__(self, what: str, status: int, code: str, detail: str) -> None:
        super().__init__(f"{what}: {status or 'no answer'} {code}".rstrip() + f" ({detail})")
        self.status, self.code, self.detail = status, code, detail


class HttpClient:
    """Requests with one partner's key; paths are those below ``/api/v1``.

    ``transport`` and ``sleep`` may be others in tests.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"X-Api-Key": api_key} if api_key else {},
            timeout=httpx.Timeout(PATIENCE_SECONDS, connect=CONNECT_SECONDS),
            transport=transport,
            # Loopback is never behind a proxy, and no .netrc shall add another key.
            trust_env=False,
        )
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> Any:
        """The resource; :class:`Problem` if there is none."""
        return self._ask("GET", PREFIX + path, query=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What was made; sent again under the same key when the connection fails."""
        return self._ask("POST", PREFIX + path, body=body or {})

    def root(self, path: str) -> Any:
        """Something outside ``/api/v1``, such as ``/healthz``."""
        return self._ask("GET", path)

    def every(self, path: str, **query: object) -> Iterator[Any]:
        """All results of a collection, page by page, in the order in which they are listed."""
        page = self.get(path, limit=PAGE, **query)
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            # Only its path and query are followed: the key goes to no other host.
            parts = urlsplit(page["next"])
            page = self._ask("GET", f"{parts.path}?{parts.query}")

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        content, headers = None, {}
        if body is not None:
            content = json.dumps(body, default=plain).encode()
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
            if "idempotency_key" in body:
                headers["Idempotency-Key"] = str(body["idempotency_key"])
        request = self._http.build_request(
            method,
            path,
            params={name: str(value) for name, value in query.items()} if query else None,
            content=content,
            headers=headers,
        )
        return _parsed(f"{method} {urlsplit(path).path}", self._send(request))

    def _send(self, request: httpx.Request) -> httpx.Response:
        for left in reversed(range(TRIES)):
            try:
                answer = self._http.send(request)
            except httpx.TransportError as error:
                if not left:
                    what = f"{request.method} {request.url.path}"
                    raise Problem(what, 0, "", type(error).__name__) from None
            else:
                if answer.status_code not in _AGAIN or not left:
                    return answer
            self._sleep(PAUSE_SECONDS * 2 ** (TRIES - 1 - left))
        raise AssertionError("the last try returns or raises")


def plain(value: object) -> str:
    """Money and dates travel as text."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _parsed(what: str, answer: httpx.Response) -> Any:
    try:
        value = json.loads(answer.text, parse_float=Decimal) if answer.content else None
    except ValueError:
        raise Problem(what, answer.status_code, "", "the answer is not JSON") from None
    if answer.is_success:
        return value
    problem = value if isinstance(value, dict) else {}
    detail = str(problem.get("detail") or problem.get("title") or "no reason given")
    for flaw in problem.get("errors") or ():
        detail += f"; {flaw.get('field')}: {flaw.get('message')}"
    raise Problem(what, answer.status_code, str(problem.get("code", "")), detail)
