"""What the platform's operators did to a partner's things, kept beside them for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing done.

    ``action`` is ``noun.verb`` (``end_user.erase``), ``subject`` the id of what it was done to,
    ``actor`` who did it as far as the machine knows, ``at`` the wall-clock instant.  ``details``
    say what a reader needs besides: counts and reasons, nothing personal and no secret.
    """

    id: str
    action: str
    subject: str
    actor: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)
