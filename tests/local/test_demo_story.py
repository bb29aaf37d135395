"""The demo's story against the real application in this process."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from app import app
from chalicelib import runtime
from local import demo_story
from local.demo_checks import checks, extra
from local.demo_record import Record
from local.demo_story import StoryBroken, tell
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


@pytest.fixture
def client() -> Iterator[Client]:
    with runtime.use(World()):
        runtime.bootstrap(KEY)
        other = Api(app, KEY).post("/sandbox/partner/", {}).ok(201)
        yield Client(Api(app, other["api_key"]))


def shown(record: Record) -> list[str]:
    return [f"{check.what}: {check.found}" for check in checks(record) if not check.holds]


def test_a_short_story_agrees_with_its_quote(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(demo_story.PRODUCT, "installments", 2)
    # An amount whose rounded rows sum to its rounded total.
    monkeypatch.setitem(demo_story.PRODUCT, "default_loan_amount", "4200.00")
    monkeypatch.setitem(demo_story.PRODUCT, "arrears_tolerance", 1)
    monkeypatch.setattr(demo_story, "TOLERANCE", 1)
    monkeypatch.setattr(demo_story, "PAID_LATE", demo_story.DAY * 3)
    monkeypatch.setattr(demo_story, "MISSED", 1)
    told = Told()
    record = tell(client, told)
    assert shown(record) == []
    assert len(record.quote.rows) == 2
    assert told.reached == told.expected
    assert any("Missed: arrears, 2 days past due" in line for line in told.lines)
    assert any("On time: accepted by risk engine demo-1" in line for line in told.lines)


def test_a_story_that_cannot_go_on_says_why(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(demo_story.PRODUCT, "default_loan_amount", "25000.00")
    with pytest.raises(StoryBroken, match=r"the application \(.*Affordability.* is declined"):
        tell(client, Told())


@pytest.mark.slow
def test_the_whole_story_is_the_documented_loan(client: Client) -> None:
    record = tell(client, Told())
    assert shown(record) == []
    assert (record.quote.interest, record.quote.total) == (Decimal("434.70"), Decimal("12434.70"))
    assert extra(record) == (Decimal("7.19"), Decimal("25.00"))
