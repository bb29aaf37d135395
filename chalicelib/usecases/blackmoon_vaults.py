"""Where a partner's tokens at Blackmoon are kept, and how a new pair takes the old one's place.

In the sandbox they are in the table, which is encrypted, beside the lease.  On a stage each partner
has a secret of its own, ``{BACKBONE_BLACKMOON_SECRET}/{partner's id}``, since each is written by
itself: ``{"organization_id", "access_token", "refresh_token", "expires_at"?, "shape"?}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.domain.blackmoon_tokens import Access, Pair, kept
from chalicelib.integrations.blackmoon.reading import instant
from chalicelib.models.keys import BLACKMOON_ACCESS
from chalicelib.models.store_errors import Conflict
from chalicelib.models.unit import Unit

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.models.store import Store


@dataclass(frozen=True, slots=True)
class Granted:
    """What a partner asks Blackmoon with; ``shape`` is what its requests differ in."""

    organization_id: str
    pair: Pair
    shape: Mapping[str, Any] = field(default_factory=dict)


class Vault(Protocol):
    """Keeps tokens."""

    def read(self, partner_id: str) -> Granted | None:
        """What is kept now; ``None`` for a partner that does not sell loans."""

    def replace(self, partner_id: str, used: Pair, new: Pair) -> Pair:
        """Keep ``new``, made from ``used``; the pair that is kept then.

        May be repeated after any error.  Raises whatever keeps it from being written.
        """


class TableVault:
    """The sandbox's."""

    def __init__(self, store: Store, wall: Callable[[], datetime]) -> None:
        self._store = store
        self._wall = wall

    def read(self, partner_id: str) -> Granted | None:
        """As in :class:`Vault`."""
        stored = self._store.get(BLACKMOON_ACCESS, partner_id, partner_id)
        access: Access | None = stored.value if stored else None
        if access is None or access.pair is None:
            return None
        return Granted(access.organization_id, access.pair)

    def replace(self, partner_id: str, used: Pair, new: Pair) -> Pair:
        """As in :class:`Vault`; whoever holds the lease by now, a pair is never lost."""

        def once() -> Pair:
            stored = self._store.get(BLACKMOON_ACCESS, partner_id, partner_id)
            if stored is None or stored.value.pair is None:
                raise LookupError("there are no tokens to replace")
            before: Pair = stored.value.pair
            chosen = kept(before, used, new)
            if chosen != before:
                unit = Unit(self._wall())
                after = replace(stored.value, pair=chosen)
                unit.update(BLACKMOON_ACCESS, partner_id, stored, after)
                self._store.commit(unit)
            return chosen

        return self._store.attempt(once)

    def add(self, partner_id: str, organization_id: str, pair: Pair) -> Granted:
        """Keep a sandbox partner's first pair; the one that is there wins."""
        unit = Unit(self._wall())
        unit.create(BLACKMOON_ACCESS, partner_id, Access(partner_id, organization_id, pair))
        try:
            self._store.commit(unit)
        except Conflict:
            there = self.read(partner_id)
            return there or self._filled(partner_id, organization_id, pair)
        return Granted(organization_id, pair)

    def reset(self, partner_id: str, organization_id: str, pair: Pair) -> Granted:
        """Keep the pair of an organisation that was begun anew, whatever was there."""
        return self._filled(partner_id, organization_id, pair)

    def _filled(self, partner_id: str, organization_id: str, pair: Pair) -> Granted:
        def once() -> None:
            stored = self._store.get(BLACKMOON_ACCESS, partner_id, partner_id)
            unit = Unit(self._wall())
            after = Access(partner_id, organization_id, pair)
            if stored is None:
                unit.create(BLACKMOON_ACCESS, partner_id, after)
            else:
                unit.update(BLACKMOON_ACCESS, partner_id, stored, after)
            self._store.commit(unit)

        self._store.attempt(once)
        return Granted(organization_id, pair)


class SecretVault:
    """A stage's; ``find`` and ``write`` are those of ``integrations/secrets.py``.

    Secrets Manager has no conditional write: the lease sees to it that one writes at a time.
    """

    def __init__(
        self,
        prefix: str,
        find: Callable[[str], Mapping[str, Any] | None],
        write: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._prefix = prefix
        self._find = find
        self._write = write

    def read(self, partner_id: str) -> Granted | None:
        """As in :class:`Vault`."""
        found = self._find(self._name(partner_id))
        return None if found is None else _granted(found)

    def replace(self, partner_id: str, used: Pair, new: Pair) -> Pair:
        """As in :class:`Vault`."""
        name = self._name(partner_id)
        found = self._find(name)
        granted = None if found is None else _granted(found)
        if found is None or granted is None:
            raise LookupError("there are no tokens to replace")
        chosen = kept(granted.pair, used, new)
        if chosen != granted.pair:
            self._write(
                name,
                {
                    **found,
                    "access_token": chosen.access_token,
                    "refresh_token": chosen.refresh_token,
                    "expires_at": _text(chosen.expires_at),
                    "made_at": _text(chosen.made_at),
                },
            )
        return chosen

    def _name(self, partner_id: str) -> str:
        return f"{self._prefix}/{partner_id}"


def _granted(found: Mapping[str, Any]) -> Granted | None:
    names = ("organization_id", "access_token", "refresh_token")
    if not all(found.get(name) for name in names):
        return None
    organization_id, access_token, refresh_token = (str(found[name]) for name in names)
    shape = found.get("shape")
    return Granted(
        organization_id,
        Pair(
            access_token,
            refresh_token,
            instant(found.get("expires_at")),
            instant(found.get("made_at")),
        ),
        shape if isinstance(shape, Mapping) else {},
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
