"""What a pure decision returns, and the only thing that the store commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be done outside after the commit; leaves through the outbox.

    ``queue`` names a logical queue (``models/keys.py``), ``body`` is plain JSON data.
    """

    queue: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A fact that partners can subscribe to (contract 4, outgoing webhooks)."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """The new state and all that goes with it; nothing has happened yet."""

    state: S
    messages: tuple[Message, ...] = ()
    events: tuple[Event, ...] = ()
