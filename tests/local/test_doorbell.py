"""A queue's pump looks when it is rung at, and the application rings when it sends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib import config
from chalicelib.models.unit import Outgoing
from chalicelib.runtime import Runtime
from local import doorbell, pumps
from local.receipts import Receipts

SETTINGS = config.Config("test", "backbone", "ring", "eu-west-2")
NEVER, SOON = 60.0, 0.05  # how often a pump looks by itself
MESSAGE = Outgoing("one", "days", {"partner": "p"}, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("sqs", region_name=SETTINGS.region)


@pytest.fixture
def taken(
    sqs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[queue.Queue[int]]:
    """How many messages a running pump has taken with each batch."""
    monkeypatch.setattr(pumps, "LOOK_SECONDS", request.param)
    found: queue.Queue[int] = queue.Queue()
    url = sqs.create_queue(QueueName="ring-days")["QueueUrl"]
    source = pumps.Queue(
        "ring-days", url, 1, lambda event: found.put(len(event["Records"])), "eu-west-2"
    )
    pump = pumps.QueuePump(sqs, source, Receipts(tmp_path / "receipts"))
    bell = doorbell.hang()
    monkeypatch.setenv(doorbell.PORT_VARIABLE, str(bell.getsockname()[1]))
    bells = {"ring-days": pump.bell}
    threading.Thread(target=doorbell.listen, args=(bell, bells), daemon=True).start()
    pump.start()
    yield found
    pump.stop()
    assert pump.drain(5.0)


def edge() -> Runtime:
    """The application of a process on a laptop."""
    made = Runtime()
    made.__dict__["config"] = SETTINGS
    doorbell.ring_from(made)
    return made


@pytest.mark.parametrize("taken", [NEVER], indirect=True)
def test_what_the_application_sends_is_taken_at_once(taken: queue.Queue[int]) -> None:
    queues = edge().queues
    for _ in range(3):
        assert queues.send([MESSAGE]) == [MESSAGE]
        assert taken.get(timeout=10) == 1
    assert taken.empty()


@pytest.mark.parametrize("taken", [SOON], indirect=True)
def test_what_nobody_has_rung_for_is_found_all_the_same(sqs: Any, taken: queue.Queue[int]) -> None:
    url = sqs.get_queue_url(QueueName="ring-days")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    assert taken.get(timeout=10) == 1


def test_without_a_bell_the_queues_are_the_application_s_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(doorbell.PORT_VARIABLE, raising=False)
    assert "queues" not in edge().__dict__
