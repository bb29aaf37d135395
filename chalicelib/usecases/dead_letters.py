"""Dead letters: messages that were given up, and their way back once the cause is mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.integrations.queues import opened
from chalicelib.models.keys import QUEUES


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was given up: its id, and what it asked for (never anything secret)."""

    queue: str
    id: str
    body: Mapping[str, Any]


class DeadQueues(Protocol):
    """What is needed of the queues (:class:`chalicelib.integrations.queues.Queues`)."""

    def dead(self, logical: str) -> int: ...
    def revive(self, logical: str, most: int) -> Iterator[str]: ...
    def given_up(self, logical: str, most: int) -> Iterator[str]: ...


def counts(queues: DeadQueues) -> dict[str, int]:
    """How many dead letters each queue has; queues without any are left out."""
    found = {queue: queues.dead(queue) for queue in QUEUES}
    return {queue: number for queue, number in found.items() if number}


def redrive(queues: DeadQueues, queue: str, most: int) -> list[Letter]:
    """Send up to ``most`` dead letters of ``queue`` to their queue again; which they were.

    Each is sent before it is removed, so that it may come twice and is never lost.  Raises
    :class:`LookupError` for a queue that is not there.
    """
    _known(queue)
    return [Letter(queue, *_opened(text)) for text in queues.revive(queue, most)]


def show(queues: DeadQueues, queue: str, most: int) -> list[Letter]:
    """Up to ``most`` dead letters of ``queue``, which stay.  :class:`LookupError` as above."""
    _known(queue)
    return [Letter(queue, *_opened(text)) for text in queues.given_up(queue, most)]


def _known(queue: str) -> None:
    if queue not in QUEUES:
        raise LookupError(f"there is no queue {queue}; there are {', '.join(QUEUES)}")


def _opened(text: str) -> tuple[str, Mapping[str, Any]]:
    try:
        return opened(text)
    except ValueError:
        return "", {}
