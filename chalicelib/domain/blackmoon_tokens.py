"""Tokens at Blackmoon: when they are renewed, and who does it (partner API, Blackmoon).

An access token is good for two weeks.  A renewal ends the pair before: it must be made by one at a
time, and the new pair must be kept before anything else is done with it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

EARLY = timedelta(days=2)
USUAL_LIFE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and the refresh token that renews it, by the partner's clock until then.

    ``expires_at`` is ``None`` where nobody has said it: the other side will.  ``made_at`` is when
    we heard of the pair, if we asked for it.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime | None = None
    made_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether it is time to renew it: two days early, but not before half of its life."""
        if self.expires_at is None:
            return False
        early = EARLY
        if self.made_at is not None:
            early = min(early, (self.expires_at - self.made_at) / 2)
        return now >= self.expires_at - early

    @property
    def mark(self) -> str:
        """Tells this pair from others, and nothing of it."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Access:
    """A partner's way in: the lease of whoever renews the tokens, and in the sandbox the tokens.

    ``id`` is the partner's; ``held_until`` is real time.  ``refused`` marks a pair whose refresh
    token is good no longer: nobody tries it again.
    """

    id: str
    organization_id: str = ""
    pair: Pair | None = None
    holder: str | None = None
    held_until: datetime | None = None
    refused: str | None = None


def held(access: Access, wall: datetime) -> bool:
    """Whether somebody is at it."""
    return access.held_until is not None and wall < access.held_until


def taken(access: Access, holder: str, wall: datetime, life: timedelta) -> Access | None:
    """The lease in ``holder``'s hands; ``None`` while another has it."""
    if held(access, wall) and access.holder != holder:
        return None
    return replace(access, holder=holder, held_until=wall + life)


def freed(access: Access, holder: str) -> Access:
    """Given back; nothing where it is another's by now."""
    if access.holder != holder:
        return access
    return replace(access, holder=None, held_until=None)


def kept(before: Pair, used: Pair, new: Pair) -> Pair:
    """Which pair to keep: ``new`` was made from ``used``, ``before`` is what is kept now.

    If both were made from ``used`` (a lease ran out), the one that lasts longer is the later one.
    """
    if before.refresh_token in (used.refresh_token, new.refresh_token):
        return new
    if before.expires_at and new.expires_at and new.expires_at > before.expires_at:
        return new
    return before
