"""Dead letters are counted and sent to work again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib import config
from chalicelib.integrations.queues import Queues, envelope, opened
from chalicelib.models.keys import QUEUES
from chalicelib.usecases import dead_letters

SETTINGS = config.Config("test", "backbone", "dl", "eu-west-2")


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("sqs", region_name=SETTINGS.region)
        for queue in QUEUES:
            client.create_queue(QueueName=SETTINGS.queue_name(queue))
            client.create_queue(QueueName=SETTINGS.dead_queue_name(queue))
        yield client


def test_they_go_back_whole_and_once(sqs: Any) -> None:
    dead = sqs.get_queue_url(QueueName="dl-gocardless-dead")["QueueUrl"]
    for number in range(3):
        text = envelope(f"message-{number}", {"do": "request_mandate", "partner": "p"})
        sqs.send_message(QueueUrl=dead, MessageBody=text)
    queues = Queues(SETTINGS)
    assert dead_letters.counts(queues) == {"gocardless": 3}
    assert queues.empty(["gocardless", "provider_events"])
    sent = dead_letters.redrive(queues, "gocardless", 2)
    assert [letter.body["do"] for letter in sent] == ["request_mandate"] * 2
    assert dead_letters.counts(queues) == {"gocardless": 1}
    assert not queues.empty(["provider_events", "gocardless"])
    assert len(dead_letters.redrive(queues, "gocardless", 10)) == 1
    alive = sqs.get_queue_url(QueueName="dl-gocardless")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=alive, MaxNumberOfMessages=10)["Messages"]
    ids = {opened(one["Body"])[0] for one in found}
    assert ids == {f"message-{number}" for number in range(3)}


def test_they_are_looked_at_and_stay(sqs: Any) -> None:
    dead = sqs.get_queue_url(QueueName="dl-days-dead")["QueueUrl"]
    for number in range(2):
        sqs.send_message(QueueUrl=dead, MessageBody=envelope(f"m{number}", {"shard": number}))
    queues = Queues(SETTINGS)
    for _ in range(2):
        seen = dead_letters.show(queues, "days", 10)
        assert sorted(letter.id for letter in seen) == ["m0", "m1"]
    assert len(dead_letters.show(queues, "days", 1)) == 1
    assert len(dead_letters.redrive(queues, "days", 10)) == 2
    with pytest.raises(LookupError):
        dead_letters.show(queues, "nothing", 1)


def test_a_queue_that_is_not_there(sqs: Any) -> None:
    with pytest.raises(LookupError):
        dead_letters.redrive(Queues(SETTINGS), "nothing", 1)
