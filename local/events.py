"""The events that Lambda hands to a function, built as AWS builds them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

_ACCOUNT = "000000000000"


def sqs_event(messages: Sequence[Mapping[str, Any]], queue: str, region: str) -> dict[str, Any]:
    """A batch of received messages (as ``ReceiveMessage`` gives them) as Lambda's SQS event."""
    return {"Records": [_record(message, queue, region) for message in messages]}


def _record(message: Mapping[str, Any], queue: str, region: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "dataType": value["DataType"],
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{region}:{_ACCOUNT}:{queue}",
        "awsRegion": region,
    }


def failed_ids(answer: Any, sent: Sequence[str]) -> set[str]:
    """Which of the messages ``sent`` stay in the queue, from a consumer's answer.

    As Lambda reads it: no answer or no failures means that all are done; an identifier that is
    empty or was not sent, or an answer of another shape, means that all have failed.
    """
    if not isinstance(answer, Mapping):
        return set() if answer is None else set(sent)
    failures = answer.get("batchItemFailures") or []
    named: set[str] = set()
    for failure in failures:
        name = failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
        if name not in sent:
            return set(sent)
        named.add(str(name))
    return named


def scheduled_event(name: str, at: datetime, region: str) -> dict[str, Any]:
    """What EventBridge sends when a schedule's time has come."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": _ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:events:{region}:{_ACCOUNT}:rule/{name}"],
        "detail": {},
    }
