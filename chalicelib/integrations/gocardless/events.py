"""GoCardless's events, from webhooks and from its list: what is understood is kept, the rest left.

A provider adds fields, kinds and actions when it likes; none of that may stop the events beside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST_EVENTS = 250
LONGEST_TEXT = 500
LONGEST_NAME = 100


class Unreadable(ValueError):
    """The body is no JSON object with a list of events."""


@dataclass(frozen=True, slots=True)
class Said:
    """One event: ``links`` and ``details`` hold texts only (``links["mandate"]``)."""

    id: str
    resource_type: str
    action: str
    created_at: datetime | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


def parse(body: bytes) -> list[Said]:
    """The events of a webhook's body.  Raises :class:`Unreadable`."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    events = data.get("events", []) if isinstance(data, dict) else None
    if not isinstance(events, list):
        raise Unreadable("no list of events")
    return [said for said in map(said_of, events) if said is not None]


def said_of(data: Any) -> Said | None:
    """One event; ``None`` for what has no id and cannot be told from another."""
    if not isinstance(data, Mapping):
        return None
    event_id = data.get("id")
    if not isinstance(event_id, str) or not 0 < len(event_id) <= LONGEST_NAME:
        return None
    if not event_id.isascii() or not event_id.isprintable() or "#" in event_id:
        return None
    return Said(
        id=event_id,
        resource_type=_text(data.get("resource_type")),
        action=_text(data.get("action")),
        created_at=instant(data.get("created_at")),
        links=_texts(data.get("links")),
        details=_texts(data.get("details")),
        metadata=_texts(data.get("resource_metadata")) | _texts(data.get("metadata")),
    )


def instant(value: Any) -> datetime | None:
    """An RFC 3339 instant in UTC, ``None`` for anything else."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if at is None:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _text(value: Any) -> str:
    return value[:LONGEST_NAME] if isinstance(value, str) else ""


def _texts(value: Any) -> dict[str, str]:
    """The scalars of an object as texts; ``true`` and ``false`` as JSON writes them."""
    if not isinstance(value, Mapping):
        return {}
    found: dict[str, str] = {}
    for name, one in list(value.items())[:50]:
        if isinstance(one, bool):
            found[str(name)] = "true" if one else "false"
        elif isinstance(one, str | int):
            found[str(name)] = str(one)[:LONGEST_TEXT]
    return found
