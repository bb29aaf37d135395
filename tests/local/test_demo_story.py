"""The demo's story against the real application in this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from app import app
from chalicelib import runtime
from local.demo_checks import checks
from local.demo_record import Record
from local.demo_story import tell
from local.http_client import plain
from tests.http_support import Api
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-demo"


class Client:
    """The story's client over the in-process one."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def get(self, path: str, **query: object) -> Any:
        return self.api.get(f"{path}?{urlencode(query)}" if query else path).ok(200)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.api.post(path, text(body or {}))
        assert answer.status in (200, 201), answer.text
        return answer.json

    def every(self, path: str, **query: object) -> Iterator[Any]:
        seen = 0
        while True:
            page = self.get(path, limit=200, offset=seen, **query)
            yield from page["results"]
            seen += len(page["results"])
            if page["next"] is None:
                return


def text(value: Any) -> Any:
    """Dates as the HTTP client writes them."""
    if isinstance(value, dict):
        return {name: text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [text(each) for each in value]
    return value if isinstance(value, int) else plain(value)


class Told:
    def __init__(self) -> None:
        self.expected = self.reached = 0
        self.lines: list[str] = []

    def steps(self, more: int) -> None:
        self.expected += more

    def done(self, steps: int, doing: str) -> None:
        self.reached += steps

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Record, Told]]:
    with runtime.use(World()):
        runtime.bootstrap(KEY)
        other = Api(app, KEY).post("/sandbox/partner/", {}).ok(201)
        narrator = Told()
        yield tell(Client(Api(app, other["api_key"])), narrator), narrator


def test_all_figures_agree_with_the_quote(told: tuple[Record, Told]) -> None:
    found = checks(told[0])
    assert [check for check in found if not check.holds] == []
    assert len(found) > 10
