"""Does what was deployed serve?  ``python -m tools.smoke URL``, with a key in BACKBONE_API_KEY.

Asks over HTTP for what needs no key, for what must be refused, and with a key for a quote of a
product that it makes and deletes again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 35
#: A first request may meet a function that is not there yet.
TRIES, PAUSE_SECONDS = 5, 3.0
PROBLEM = "application/problem+json"
INSTALLMENTS = 4
PRODUCT = {
    "type": "term_loan_equal_instalments",
    "name": "Smoke test",
    "max_loan_amount": "1000.00",
    "max_interest_rate": 12,
    "default_interest_rate": 12,
    "installments": INSTALLMENTS,
    "repayment_date_type": "day_of_month",
    "repayment_date_period": 14,
    "repayment_holiday_scheduling": "first_business_day_after_the_day",
}
QUOTE = f"?amount=1000.00&installments={INSTALLMENTS}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: headers with small letters, the body as JSON where it is."""

    status: int
    headers: dict[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body)[:200]}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.smoke", description=__doc__)
    parser.add_argument("url", help="the base URL, without /api/v1")
    options = parser.parse_args()
    found = flaws(options.url, os.environ.get("BACKBONE_API_KEY"))
    print("\n".join(found) or "it serves")
    return 1 if found else 0


def flaws(url: str, key: str | None, *, pause: Callable[[float], None] = time.sleep) -> list[str]:
    """What is wrong with the API at ``url``, one line each; nothing if it serves."""
    base = url.rstrip("/")
    for left in reversed(range(TRIES)):
        found = list(_open(base))
        if not found or not left:
            break
        pause(PAUSE_SECONDS)
    if not found and key:
        found += _quoted(base, key)
    return found


def _open(base: str) -> Iterator[str]:
    """What everybody may ask, and must be refused."""
    health = ask("GET", f"{base}/healthz")
    if health.status != 200 or _field(health, "status") != "ok":
        yield f"GET /healthz: {health}"
    for name, headers in (("no key", {}), ("a wrong key", {"X-Api-Key": "smoke-test"})):
        refused = ask("GET", f"{base}/api/v1/product/", headers=headers)
        right = refused.status == 401 and _field(refused, "code") == "not_authenticated"
        if not right or not refused.headers.get("content-type", "").startswith(PROBLEM):
            yield f"GET /api/v1/product/ with {name}: {refused}"
        elif not refused.headers.get("x-request-id"):
            yield f"GET /api/v1/product/ with {name}: no X-Request-Id"


def _quoted(base: str, key: str) -> Iterator[str]:
    """A quote of a draft, which is deleted again."""
    products, headers = f"{base}/api/v1/product/", {"X-Api-Key": key}
    made = ask("POST", products, PRODUCT, headers)
    if made.status != 201:
        yield f"POST /api/v1/product/: {made}"
        return
    one = f"{products}{_field(made, 'id')}/"
    quoted = ask("GET", f"{one}quote/{QUOTE}", headers=headers)
    if quoted.status != 200 or len(_field(quoted, "schedule") or ()) != INSTALLMENTS:
        yield f"GET /api/v1/product/…/quote/: {quoted}"
    deleted = ask("DELETE", one, headers=headers)
    if deleted.status != 204:
        yield f"DELETE /api/v1/product/…/: {deleted}"


def ask(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """One request; what could not be asked is an answer of status 0."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    request.add_header("Accept", "application/json")
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())
    except OSError as error:
        return Answer(0, {}, type(error).__name__)


def _answer(status: int, headers: Any, data: bytes) -> Answer:
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    try:
        return Answer(status, named, json.loads(data) if data else None)
    except ValueError:
        return Answer(status, named, data[:200].decode("utf-8", "replace"))


def _field(answer: Answer, name: str) -> Any:
    return answer.body.get(name) if isinstance(answer.body, dict) else None


if __name__ == "__main__":
    sys.exit(main())
