"""What a person has to look at, and what providers reported (partner API, Provider events)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

APPLIED, IGNORED, WAITING = "applied", "ignored", "waiting"


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One event of a provider; ``outcome`` is ``applied``, ``ignored`` or ``waiting``.

    ``happened_at`` is the provider's instant.  ``links`` name the resources that it is about,
    ``details`` say why (``cause``, ``reason_code``).
    """

    id: str
    provider: str
    event_id: str
    resource_type: str
    action: str
    outcome: str
    received_at: datetime
    happened_at: datetime | None = None
    links: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)

    @property
    def waiting(self) -> str | None:
        """Sorts the waiting ones apart: ``None`` for what is done with."""
        return WAITING if self.outcome == WAITING else None


@dataclass(frozen=True, slots=True)
class Inbound:
    """Some events of one webhook as they came, kept before anything acts on them."""

    id: str
    provider: str
    events: tuple[ProviderEvent, ...]


@dataclass(frozen=True, slots=True)
class Polled:
    """How far a provider's own list of events has been read; ``id`` is the partner's."""

    id: str
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something went wrong that does not mend itself."""

    id: str
    name: str
    raised_at: datetime
    detail: str = ""
