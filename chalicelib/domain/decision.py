"""What a pure decision returns, and the only thing that the store commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """A fact that partners can subscribe to (partner API, "Outgoing webhooks").

    ``follows`` says that it is brought about by what the same decision tells otherwise: the closing
    of a loan by the repayment that settles it.
    """

    name: str
    data: Mapping[str, Any]
    follows: bool = False


def causes_first(events: Iterable[Event]) -> tuple[Event, ...]:
    """One decision's events as partners hear them: what brings another about comes before it."""
    return tuple(sorted(events, key=lambda one: one.follows))


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """The new state and all that goes with it; nothing has happened yet."""

    state: S
    messages: tuple[Message, ...] = ()
    events: tuple[Event, ...] = ()
