"""SQS: committed outbox messages on their way to the workers.

A message travels as ``{"id": "…", "body": {…}}``.  The id is the outbox's: whoever acts on a
message uses it as idempotency key, because a message may be delivered twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from chalicelib.config import Config

#: What SQS takes in one call.
BATCH = 10
LONGEST_DELAY_SECONDS = 900
CONNECT_SECONDS = 1
READ_SECONDS = 3


class Sendable(Protocol):
    """A committed message: its own id, its logical queue, plain JSON data."""

    @property
    def id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


M = TypeVar("M", bound=Sendable)


class Queues:
    """The queues of a stage by their logical names; the client is made when first used."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._urls: dict[str, str] = {}
        self._busy: str | None = None

    @cached_property
    def _client(self) -> Any:
        import botocore.session
        from botocore.config import Config as ClientConfig

        return botocore.session.get_session().create_client(
            "sqs",
            region_name=self._config.region,
            endpoint_url=self._config.endpoint_url,
            config=ClientConfig(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )

    def url(self, logical: str) -> str:
        """The SQS URL of a logical queue; asked for once."""
        if logical not in self._urls:
            answer = self._client.get_queue_url(QueueName=self._config.queue_name(logical))
            self._urls[logical] = answer["QueueUrl"]
        return self._urls[logical]

    def send(self, messages: Iterable[M], delay_seconds: int = 0) -> list[M]:
        """Send ``messages``, in their order within a queue; the ones that SQS took come back.

        They show up after ``delay_seconds``, at most :data:`LONGEST_DELAY_SECONDS`.
        """
        by_queue: dict[str, list[M]] = {}
        for message in messages:
            by_queue.setdefault(message.queue, []).append(message)
        taken: list[M] = []
        for queue, waiting in by_queue.items():
            for start in range(0, len(waiting), BATCH):
                taken += self._send(queue, waiting[start : start + BATCH], delay_seconds)
        return taken

    def _send(self, queue: str, messages: Sequence[M], delay_seconds: int) -> list[M]:
        answer = self._client.send_message_batch(
            QueueUrl=self.url(queue),
            Entries=[
                {
                    "Id": str(place),
                    "MessageBody": envelope(message.id, message.body),
                    "DelaySeconds": delay_seconds,
                }
                for place, message in enumerate(messages)
            ],
        )
        return [messages[int(entry["Id"])] for entry in answer.get("Successful", ())]

    def dead(self, logical: str) -> int:
        """How many messages of a logical queue were given up (in AWS: approximately)."""
        name = "ApproximateNumberOfMessages"
        found = self._client.get_queue_attributes(
            QueueUrl=self._dead_url(logical), AttributeNames=[name]
        )
        return int(found["Attributes"][name])

    def given_up(self, logical: str, most: int) -> Iterator[str]:
        """Look at up to ``most`` given-up messages: their texts; they stay where they are.

        Each is out of sight until all have been seen, so that none is seen twice.
        """
        dead, handles = self._dead_url(logical), list[str]()
        try:
            while len(handles) < most:
                found = self._client.receive_message(
                    QueueUrl=dead, MaxNumberOfMessages=1, VisibilityTimeout=60, WaitTimeSeconds=1
                )
                if not found.get("Messages"):
                    return
                handles.append(found["Messages"][0]["ReceiptHandle"])
                yield str(found["Messages"][0]["Body"])
        finally:
            for handle in handles:
                self._client.change_message_visibility(
                    QueueUrl=dead, ReceiptHandle=handle, VisibilityTimeout=0
                )

    def revive(self, logical: str, most: int) -> Iterator[str]:
        """Send up to ``most`` given-up messages to their queue again; their texts, one by one.

        Ends when there are no more.
        """
        dead, alive = self._dead_url(logical), self.url(logical)
        for _ in range(most):
            found = self._client.receive_message(
                QueueUrl=dead, MaxNumberOfMessages=1, VisibilityTimeout=30, WaitTimeSeconds=1
            )
            for message in found.get("Messages", ()):
                self._client.send_message(QueueUrl=alive, MessageBody=message["Body"])
                handle = message["ReceiptHandle"]
                self._client.delete_message(QueueUrl=dead, ReceiptHandle=handle)
                yield str(message["Body"])
            if not found.get("Messages"):
                return

    def _dead_url(self, logical: str) -> str:
        name = self._config.dead_queue_name(logical)
        return str(self._client.get_queue_url(QueueName=name)["QueueUrl"])

    def empty(self, logical: Iterable[str]) -> bool:
        """Whether nothing waits or is being worked on in these queues (in AWS: approximately)."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        # the one that was busy last is asked first: who waits asks often, and it mostly still is
        for queue in sorted(logical, key=lambda queue: queue != self._busy):
            found = self._client.get_queue_attributes(
                QueueUrl=self.url(queue), AttributeNames=names
            )["Attributes"]
            if any(int(found.get(name, 0)) for name in names):
                self._busy = queue
                return False
        return True


def envelope(message_id: str, body: Mapping[str, Any]) -> str:
    """The text of an SQS message; a ``Decimal`` travels as a string."""
    data = {"id": message_id, "body": dict(body)}
    return json.dumps(data, separators=(",", ":"), default=_decimal_text)


def _decimal_text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} is no plain data")


def opened(text: str) -> tuple[str, dict[str, Any]]:
    """``(message id, body)`` of an SQS message's text; :class:`ValueError` if it is none."""
    data = json.loads(text)
    if not isinstance(data, dict) or not isinstance(data.get("body"), dict):
        raise ValueError("not a message of the outbox")
    return str(data["id"]), data["body"]
