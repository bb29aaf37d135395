"""The demo's story against the real application in this process."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from app import app
from backbone_client import Client
from chalicelib import runtime
from local import demo_story
from local.demo_checks import checks, extra
from local.demo_record import Record
from local.demo_story import StoryBroken, tell
from tests.clients.in_process import URL, InProcess
from tests.http_support import Api
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-demo"


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
        transport = InProcess(Api(app, None))
        other = Client(URL, KEY, transport=transport).sandbox.create_partner()
        yield Client(URL, other.api_key, transport=transport)


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
