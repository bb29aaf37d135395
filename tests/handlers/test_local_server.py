"""Over a socket, as on a laptop: both slashes, what the gateway answers by itself, threads."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice.config import Config
from chalice.local import create_local_server

from chalicelib import runtime
from tests.handlers.toy import KEY, ToyRuntime, toy_app

NOTE = json.dumps({"name": "first", "amount": "10.00"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with runtime.use(ToyRuntime()):
        server = create_local_server(toy_app(), Config.create(), "127.0.0.1", 0)
        thread = threading.Thread(target=server.server.serve_forever, daemon=True)
        thread.start()
        yield server.server.server_address[1]
        server.shutdown()
        server.server.server_close()
        thread.join(5)


def call(
    port: int, method: str, path: str, body: str | None = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = {"X-Api-Key": KEY, "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body, headers=sent)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    return response.status, found, json.loads(text) if text.startswith("{") else text


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("base", ["/api/v1/note", "/api/v1/notes/note"])
def test_with_and_without_the_slash(port: int, base: str, end: str) -> None:
    status, headers, made = call(port, "POST", base + end, NOTE)
    assert status == 201 and "location" not in headers
    for path in (f"{base}/{made['id']}{end}", f"{base}/{made['id']}/sum{end}?amount=1"):
        assert call(port, "GET", path)[0] == 200
    status, _, listed = call(port, "GET", f"{base}{end}?limit=1")
    assert status == 200 and len(listed["results"]) == 1
    assert call(port, "GET", f"/healthz{end}")[0] == 200


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "HEAD"])
def test_a_wrong_method(port: int, method: str) -> None:
    status, headers, body = call(port, method, "/api/v1/note/")
    assert (status, headers["allow"]) == (405, "GET, POST")
    assert headers["content-type"] == "application/problem+json"
    assert body == "" if method == "HEAD" else body["code"] == "method_not_allowed"


def test_bytes_arrive_as_they_are(port: int) -> None:
    status, headers, body = call(port, "POST", "/api/v1/note", '{"name": "Zoë"', x_request_id="r-9")
    assert (status, body["code"], headers["x-request-id"]) == (400, "validation_error", "r-9")


def test_requests_at_once_do_not_mix(port: int) -> None:
    def one(number: int) -> tuple[str, str, str]:
        body = json.dumps({"name": f"n{number}", "amount": number + 1})
        _, headers, made = call(port, "POST", "/api/v1/note/", body, x_request_id=f"id-{number}")
        return f"n{number}", made["name"], headers["x-request-id"].replace("id-", "n")

    with ThreadPoolExecutor(8) as pool:
        for expected, name, request_id in pool.map(one, range(64)):
            assert expected == name == request_id
