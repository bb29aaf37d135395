"""The demo's story against the real application and the real simulator in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from app import app
from backbone_client import Client
from local import demo_collecting, demo_story
from local.demo_checks import checks, extra
from local.demo_outside import Endpoint, listening
from local.demo_record import Record
from local.demo_stage import StoryBroken
from local.demo_story import tell
from tests.clients.in_process import URL, InProcess
from tests.http_support import Api
from tests.scenarios.paying import Paying, paying


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


class Web(httpx.HTTPTransport):
    """The network; the application's own links lead into this process."""

    def __init__(self, pays: Paying) -> None:
        super().__init__()
        self.pays = pays
        self.inside = InProcess(Api(app, None))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/direct-debit/"):
            self.pays.works()
            return self.inside.handle_request(request)
        return super().handle_request(request)


@dataclass
class Theatre:
    """Everything that the story needs."""

    client: Client
    web: httpx.Client
    endpoint: Endpoint

    def tells(self, told: Told) -> Record:
        return tell(self.client, told, self.web, self.endpoint)


@contextmanager
def theatre(directory: Path) -> Iterator[Theatre]:
    with paying(directory) as pays, listening() as endpoint:
        pays.world.wall = datetime.now(UTC)  # the endpoint refuses what is older than minutes
        transport = InProcess(Api(app, None))
        other = Client(URL, pays.api.key, transport=transport).sandbox.create_partner()
        client = Client(URL, other.api_key, transport=transport)
        with httpx.Client(transport=Web(pays)) as web:
            yield Theatre(client, web, endpoint)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path) as made:
        yield made


def shown(record: Record) -> list[str]:
    return [f"{check.what}: {check.found}" for check in checks(record) if not check.holds]


@pytest.mark.slow
def test_a_short_story_agrees_with_its_quote(
    stage: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(demo_story.PRODUCT, "installments", 3)
    # An amount whose rounded rows sum to its rounded total.
    monkeypatch.setitem(demo_story.PRODUCT, "default_loan_amount", "5000.00")
    for name, row in (("FAILED", 1), ("MISSED", 1), ("DISPUTED", 2)):
        monkeypatch.setattr(demo_story, name, row)
    told = Told()
    record = stage.tells(told)
    assert shown(record) == []
    assert len(record.quote.rows) == 3
    assert told.reached == told.expected
    lines = "\n".join(told.lines)
    assert "Missed: arrears, 8 days past due" in lines
    assert "Troubled: late, 1 day past due" in lines
    assert "On time: accepted by risk engine demo-1" in lines


def test_a_story_that_cannot_go_on_says_why(
    stage: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(demo_story.PRODUCT, "default_loan_amount", "25000.00")
    with pytest.raises(StoryBroken, match=r"the application \(.*Affordability.* is declined"):
        stage.tells(Told())
    # By then both mandates were signed on the provider's form, and are active.
    mandates = list(stage.client.mandates.iterate())
    assert [mandate.status for mandate in mandates] == ["active", "active"]
    assert [hook.event for hook in stage.endpoint.hooks][:2] == ["mandate_created"] * 2
    assert {hook.flaw for hook in stage.endpoint.hooks} == {""}


@pytest.mark.slow
def test_the_whole_story_is_the_documented_loan(stage: Theatre) -> None:
    record = stage.tells(Told())
    assert shown(record) == []
    assert (record.quote.interest, record.quote.total) == (Decimal("434.70"), Decimal("12434.70"))
    assert extra(record) == (Decimal("7.19"), Decimal("25.00"))


def test_what_is_watched_leaves_room_for_the_banks() -> None:
    """A retry is on the third working day, known a day later: a weekend may lie between."""
    assert demo_collecting.MOST_DAYS >= 3 + 2 + 1 + 2
    assert demo_collecting.PAID_LATE < demo_collecting.MOST_DAYS
