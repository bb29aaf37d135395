"""The events that the pumps build, and how a consumer's answer is read."""

from datetime import UTC, datetime

import pytest
from chalice.app import CloudWatchEvent, SQSEvent

from local.events import failed_ids, scheduled_event, sqs_event

MESSAGE = {
    "MessageId": "m1",
    "ReceiptHandle": "r1",
    "Body": '{"a": 1}',
    "MD5OfBody": "abc",
    "Attributes": {"ApproximateReceiveCount": "2"},
    "MessageAttributes": {"kind": {"StringValue": "x", "DataType": "String"}},
}


def test_an_sqs_event_is_what_chalice_reads() -> None:
    event = sqs_event([MESSAGE], "backbone-days", "eu-west-2")
    (record,) = SQSEvent(event, None)
    assert (record.body, record.receipt_handle) == ('{"a": 1}', "r1")
    raw = event["Records"][0]
    assert raw["messageId"] == "m1"
    assert raw["attributes"] == {"ApproximateReceiveCount": "2"}
    assert raw["messageAttributes"]["kind"]["stringValue"] == "x"
    assert raw["eventSourceARN"].endswith(":backbone-days")


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
        (["a"], {"a", "b"}),
        ("done", {"a", "b"}),
    ],
)
def test_which_messages_stay(answer: object, failed: set[str]) -> None:
    assert failed_ids(answer, ["a", "b"]) == failed


def test_a_scheduled_event_says_when_it_was_due() -> None:
    event = scheduled_event("nightly", datetime(2024, 2, 1, 2, 0, tzinfo=UTC), "eu-west-2")
    read = CloudWatchEvent(event, None)
    assert read.time == "2024-02-01T02:00:00Z"
    assert read.detail_type == "Scheduled Event"
    assert read.resources == ["arn:aws:events:eu-west-2:000000000000:rule/nightly"]
