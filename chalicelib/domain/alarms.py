"""What a person has to look at, and what providers reported (partner API, Provider events)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One event of a provider; ``outcome`` is ``applied``, ``ignored`` or ``waiting``."""

    id: str
    provider: str
    event_id: str
    resource_type: str
    action: str
    outcome: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something went wrong that does not mend itself."""

    id: str
    name: str
    raised_at: datetime
    detail: str = ""
