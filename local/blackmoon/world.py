"""All organisations: found by partner or ``organizationId``, and kept in one SQLite file."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from pathlib import Path

from local.blackmoon.organisation import Head, Organisation, lives_until
from local.simulating.store import Keep
from local.simulating.world import Organisations

FILE = "blackmoon.sqlite"
DIGITS = {"organization": 6, "offer": 9}


def new_id(kind: str) -> str:
    """A random number for an organisation or an offer, a random token else."""
    if kind in DIGITS:
        least = 10 ** (DIGITS[kind] - 1)
        return str(least + secrets.randbelow(9 * least))
    return secrets.token_urlsafe(30)


class Store(Keep):
    """The file ``blackmoon.sqlite`` of a directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, FILE)


class World(Organisations[Organisation]):
    """Every organisation."""

    def __init__(self, store: Store, today: Callable[[], date]) -> None:
        self._ids: dict[str, str] = {}
        super().__init__(store, store.revive(lambda doc: Organisation(Head(**doc), new_id)), today)

    def know(self, org: Organisation) -> None:
        """It is there from now on."""
        super().know(org)
        self._ids[org.head.id] = org.head.partner

    def of_id(self, identity: str) -> Organisation | None:
        """The organisation with this ``organizationId``."""
        partner = self._ids.get(identity)
        return self._partners[partner] if partner is not None else None

    def make(self, partner: str, day: date) -> Organisation:
        """A new organisation with its first pair of tokens."""
        identity = new_id("organization")
        while identity in self._ids:
            identity = new_id("organization")
        head = Head(
            partner=partner,
            id=identity,
            access_token=new_id("access"),
            refresh_token=new_id("refresh"),
            business_date=day,
            made_on=day.isoformat(),
            access_expires=lives_until(day),
        )
        return Organisation(head, new_id)
