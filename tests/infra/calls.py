"""AWS calls as IAM names them, and what stories and the recording application say to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: The request id of a request whose messages are not sent.
LOST = "lose-messages"
UPLOADS = frozenset({"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"})
WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}


def actions(
    service: str, operation: str, given: Mapping[str, Any], bucket: str
) -> Iterator[tuple[str, str]]:
    """The IAM actions of a call, and what kind of thing each is done to.

    ``bucket`` is the stage's own; what is in it is told apart by the first part of its key.
    """
    if service == "dynamodb":
        yield from _table_actions(operation, given)
    elif service == "sqs":
        yield f"sqs:{operation.removesuffix('Batch')}", "queue"
    elif service == "s3":
        action = "PutObject" if operation in UPLOADS else operation
        yield f"s3:{action}", _stored(str(given.get("Bucket")), str(given.get("Key")), bucket)
    elif service == "secretsmanager":
        known = "blackmoon" if "/blackmoon" in str(given.get("SecretId")) else "gocardless"
        yield f"secretsmanager:{operation}", f"secret/{known}"
    else:
        yield f"{service}:{operation}", "unknown"


def _stored(bucket: str, key: str, own: str) -> str:
    """Objects by the first part of their keys; of another bucket than the stage's, by its name."""
    if bucket == own:
        return f"objects/{key.partition('/')[0]}"
    return f"bucket/{bucket.rpartition('-')[2]}"


def _table_actions(operation: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation == "TransactWriteItems":
        for item in given["TransactItems"]:
            [what] = item
            yield f"dynamodb:{WRITES.get(what, 'ConditionCheckItem')}", "table"
    elif operation == "TransactGetItems":
        yield "dynamodb:GetItem", "table"
    else:
        yield f"dynamodb:{operation}", "index" if given.get("IndexName") else "table"
